import numpy as np
import pytest
from drawn import draw_face

from unveil.faces.blend import extrapolate, seamless
from unveil.occlusion.shapes import box_mask


def test_a_wrong_tint_is_undone():
    face = np.clip(draw_face(2), 20, 200)
    hidden = box_mask(90, 90, 70, 60)
    tinted = (face.astype(int) + np.array([30, -15, 10])).astype(np.uint8)
    out = seamless(face, tinted, hidden)
    # Where the face itself changes at the edge, that is taken for a step, too.
    assert np.abs(out.astype(int) - face)[hidden].mean() < 4
    assert np.array_equal(out[~hidden], face[~hidden])
    plain = np.full_like(face, 120)
    tinted = (plain + np.array([30, -15, 10])).astype(np.uint8)
    assert np.abs(seamless(plain, tinted, hidden).astype(int) - plain).max() <= 1


def test_a_right_output_stays_where_nothing_ends_at_the_edge():
    face = np.full((256, 256, 3), 120, np.uint8)
    face[90:110, 100:120] = (200, 30, 90)
    assert np.array_equal(seamless(face, face, box_mask(50, 60, 80, 80)), face)


@pytest.mark.parametrize("own", [True, False])
def test_an_output_that_keeps_the_known_pixels_is_joined_to_them_too(own):
    face = np.full((256, 256, 3), 120, np.uint8)
    hidden = box_mask(50, 60, 80, 80)
    output = np.where(hidden[..., None] | own, np.uint8(115), face)  # own: of all pixels
    assert np.abs(seamless(face, output, hidden).astype(int) - face).max() <= 1


@pytest.mark.parametrize("beside", [90, 240])
def test_a_shadow_or_a_background_beside_a_wide_part_is_not_carried_into_it(beside):
    face, hidden = np.full((256, 256, 3), 120, np.uint8), box_mask(50, 60, 80, 80)
    around = box_mask(40, 50, 100, 100) & ~hidden
    seen = np.where(around[..., None], np.uint8(beside), face)
    output = np.where(hidden[..., None], np.uint8(130), seen)
    made = seamless(seen, output, hidden)
    assert np.abs(made[hidden].astype(int) - 130).max() <= 1
    assert np.array_equal(made[~hidden], seen[~hidden])
    # A scratch throws none, and ends no face: there it is the fill that is wrong.
    scratch = box_mask(50, 60, 5, 80)
    made = seamless(face, np.where(scratch[..., None], np.uint8(beside), face), scratch)
    assert np.abs(made[scratch].astype(int) - 120).max() <= 1


def test_nothing_known_leaves_the_output():
    face, output = draw_face(1), draw_face(2)
    assert np.array_equal(seamless(face, output, np.ones((256, 256), bool)), output)


@pytest.mark.parametrize("size", [256, 64])
def test_extrapolation_of_a_linear_ramp(size):
    # A plane solves Laplace's equation, so it must be continued nearly as it is.
    plane = (
        np.mgrid[0:size, 0:size][1].astype(np.float32)[..., None] / size * np.ones(3, np.float32)
    )
    known = ~box_mask(size // 4, size // 4, size // 3, size // 4, size)
    found = extrapolate(plane * known[..., None], known)
    assert np.abs(found - plane).max() < 0.05
    assert np.array_equal(found[known], plane[known])


def test_extrapolation_of_an_even_edge_is_even_and_stays_between_extremes():
    known = ~box_mask(20, 24, 20, 16, 64)
    even = extrapolate(np.float32(10) * known[..., None] * np.ones(3, np.float32), known)
    assert (even[known] == 10).all()
    np.testing.assert_allclose(even, 10, atol=1e-3)
    ramp = np.mgrid[0:64, 0:64][1][..., None] * np.ones(3, np.float32)  # linear: harmonic
    filled = extrapolate((ramp * known[..., None]).astype(np.float32), known)
    np.testing.assert_allclose(filled, ramp, atol=0.5)
    noise = np.random.default_rng(8).normal(size=(64, 64, 3)).astype(np.float32) * known[..., None]
    filled = extrapolate(noise.copy(), known)
    assert np.abs(filled[~known]).max() < np.abs(noise).max()
    np.testing.assert_array_equal(filled[known], noise[known])
