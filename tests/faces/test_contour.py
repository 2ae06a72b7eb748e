import cv2
import numpy as np
import pytest

from unveil.faces.blend import finish, seamless
from unveil.faces.contour import sharpen_contour
from unveil.imaging import to_uint8
from unveil.occlusion.shapes import box_mask

SKIN, WALL = np.array([200, 150, 120]), np.array([235, 235, 230])
HIDDEN = box_mask(120, 150, 90, 90)  # over the edge at column 190


def scene(haze, background=WALL, edge=190):
    """Skin to the left of a column, and a background, the edge between them blurred."""
    share = (np.arange(256) < edge).astype(np.float32)[None].repeat(256, axis=0)
    if haze:
        share = cv2.GaussianBlur(share, (0, 0), haze)
    return to_uint8(share[..., None] * SKIN + (1 - share[..., None]) * background)


def hazy(**what):
    return np.where(HIDDEN[..., None], scene(7, **what), scene(0, **what))


def width_of(face, row=165):
    """Pixels over which a row goes from a tenth to nine tenths of the way, and where it is half."""
    share = (face[row, :, 2].astype(float) - SKIN[2]) / (WALL[2] - SKIN[2])
    at = [float(np.interp(part, share[150:240], np.arange(150, 240))) for part in (0.1, 0.5, 0.9)]
    return at[2] - at[0], at[1]


def test_a_haze_before_a_plain_wall_is_drawn_together_where_it_is_half():
    before, place = width_of(hazy())
    after, moved = width_of(sharpen_contour(hazy(), HIDDEN))
    assert before > 15
    assert after < 0.65 * before
    assert abs(moved - place) < 1


def test_known_pixels_stay():
    face = hazy()
    out = sharpen_contour(face, HIDDEN)
    assert np.array_equal(out[~HIDDEN], face[~HIDDEN])
    assert not np.array_equal(out, face)


def test_it_comes_nearer_to_a_sharp_edge_that_was_there():
    truth, face = scene(0).astype(float), hazy()
    error = [np.square(f - truth)[HIDDEN].mean() for f in (face, sharpen_contour(face, HIDDEN))]
    assert error[1] < 0.65 * error[0]


def leaves():
    rng = np.random.default_rng(0)
    return np.clip(WALL + rng.normal(0, 40, (256, 256, 1)), 0, 255)


@pytest.mark.parametrize(
    "face",
    [
        pytest.param(hazy(background=leaves()), id="leaves behind it"),
        pytest.param(hazy(background=SKIN - 42), id="a shade of the face"),
        pytest.param(hazy(background=SKIN + 15), id="hardly an edge"),
        pytest.param(np.full((256, 256, 3), 120, np.uint8), id="nothing at all"),
    ],
)
def test_what_is_no_contour_before_a_plain_background_stays(face):
    assert np.array_equal(sharpen_contour(face, HIDDEN), face)


def test_what_lies_beside_the_face_must_look_as_what_is_known_behind_it():
    darker = np.interp(np.arange(256), [180, 208], [60, 96])  # too slowly to be an edge
    face, middle = hazy(background=SKIN - darker[:, None], edge=160), slice(165, 225)
    assert np.array_equal(sharpen_contour(face, HIDDEN)[middle], face[middle])
    plain = hazy(background=SKIN - 96, edge=160)
    assert not np.array_equal(sharpen_contour(plain, HIDDEN)[middle], plain[middle])


def test_nothing_hidden_and_everything_hidden_change_nothing():
    face = scene(7)
    for hidden in (np.zeros((256, 256), bool), np.ones((256, 256), bool)):
        assert np.array_equal(sharpen_contour(face, hidden), face)


def test_a_mirror_makes_no_difference():
    out, mirrored = (
        sharpen_contour(hazy(), HIDDEN),
        sharpen_contour(hazy()[:, ::-1].copy(), HIDDEN[:, ::-1]),
    )
    assert np.abs(mirrored[:, ::-1].astype(int) - out).max() <= 2


@pytest.mark.parametrize("box", [(0, 150, 106, 90), (120, 150, 106, 136), (0, 0, 256, 250)])
def test_a_hidden_part_may_touch_the_frame(box):
    left, top, width, height = box
    hidden = np.zeros((256, 256), bool)
    hidden[top : top + height, left : left + width] = True
    face = np.where(hidden[..., None], scene(7), scene(0))
    out = sharpen_contour(face, hidden)
    assert np.array_equal(out[~hidden], face[~hidden])


def test_finishing_is_joining_and_then_the_contour():
    face, output = scene(0), to_uint8(scene(7).astype(float) + 9)
    joined = seamless(face, output, HIDDEN)
    assert np.array_equal(finish(face, output, HIDDEN), sharpen_contour(joined, HIDDEN))
    assert width_of(finish(face, output, HIDDEN))[0] < width_of(joined)[0]
