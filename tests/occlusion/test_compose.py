"""An occluder in a photo: what changes, what does not, and how well it fits in."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn import draw_face, rng

from unveil.errors import ImageError
from unveil.occlusion.compose import camera, compose
from unveil.occlusion.objects import choose
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Layer

SIZE = 128


def square(lift: float = 0.0, clear: bool = False, colour: float = 128) -> Layer:
    alpha = np.zeros((SIZE, SIZE), np.float32)
    alpha[60:100, 40:90] = 1
    return Layer(np.full((SIZE, SIZE, 3), colour, np.float32), alpha, lift, clear)


def test_mask_is_the_alpha_of_a_sharp_face_and_a_blurred_one_of_a_blurred():
    noise = rng().integers(0, 255, (SIZE, SIZE, 1)).repeat(3, 2).astype(np.uint8)
    layer = square()
    _, mask = compose(noise, layer, rng())
    np.testing.assert_array_equal(mask, layer.alpha)
    blurred = cv2.GaussianBlur(draw_face(1, SIZE), (0, 0), 2.0)
    _, mask = compose(blurred, layer, rng())
    assert mask.sum() == pytest.approx(layer.alpha.sum(), rel=0.02)
    assert ((mask > 0.1) & (mask < 0.9)).sum() > 300


@pytest.mark.parametrize("seed", range(40))
def test_outside_the_mask_only_a_shadow_changes_the_face(seed):
    face, random = draw_face(seed % 5, SIZE), rng(seed)
    layer = choose.draw(random, Head(SIZE))
    before = face.copy()
    photo, mask = compose(face, layer, random)
    np.testing.assert_array_equal(face, before)
    assert photo.dtype == np.uint8
    assert photo.shape == face.shape
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert mask.max() <= 1
    outside = (mask == 0) & ~(layer.alpha > 0)
    assert (photo[outside] <= face[outside]).all()
    far = cv2.dilate(layer.alpha, np.ones((81, 81), np.uint8)) == 0
    np.testing.assert_array_equal(photo[far], face[far])
    if layer.clear:
        assert mask.max() == 0
    else:
        # Blur moves the mask by a few pixels at its rim, and nothing else does.
        assert np.abs(mask - layer.alpha).mean() < 0.03
        assert mask.sum() == pytest.approx(layer.alpha.sum(), rel=0.05)


def test_what_lies_on_the_skin_throws_no_shadow():
    face = draw_face(2, SIZE)
    photo, mask = compose(face, square(lift=0.0), rng())
    np.testing.assert_array_equal(photo[mask == 0], face[mask == 0])
    photo, mask = compose(face, square(lift=0.05), rng())
    darker = (photo.astype(int) - face)[mask == 0]
    assert darker.min() < -8
    assert darker.max() <= 0


def test_a_clear_layer_is_seen_and_leaves_the_mask_empty():
    face = draw_face(2, SIZE)
    photo, mask = compose(face, square(clear=True), rng())
    assert mask.max() == 0
    assert (photo[60:100, 40:90] != face[60:100, 40:90]).mean() > 0.9


def test_an_empty_layer_changes_nothing():
    face, empty = draw_face(2, SIZE), square()
    layer = Layer(empty.colour, np.zeros_like(empty.alpha), 0.05)
    photo, mask = compose(face, layer, rng())
    np.testing.assert_array_equal(photo, face)
    assert mask.max() == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_dark_face_gets_a_dark_occluder(seed):
    face = draw_face(seed, SIZE)
    dark = (face * 0.25).astype(np.uint8)
    inside = (slice(65, 95), slice(45, 85))
    bright_one, dim_one = (compose(f, square(), rng())[0][inside].mean() for f in (face, dark))
    assert dim_one < 0.5 * bright_one


def test_a_black_and_white_photo_gets_no_colours():
    face = draw_face(2, SIZE)
    grey = cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    red = square(colour=0)
    red.colour[..., 0] = 220
    inside = (slice(65, 95), slice(45, 85))
    for photo, least, most in ((face, 80, 255), (grey, 0, 30)):
        pixels = compose(photo, red, rng())[0][inside].astype(int)
        assert least <= np.ptp(pixels, axis=2).mean() <= most


def test_noise_of_the_photo_is_on_the_occluder_too():
    face = cv2.GaussianBlur(draw_face(3, SIZE), (0, 0), 1)
    noisy = np.clip(face + rng(5).normal(0, 9, face.shape[:2])[..., None], 0, 255).astype(np.uint8)
    assert camera(noisy)[1] == pytest.approx(9, rel=0.25)
    inside = (slice(70, 90), slice(50, 80))

    def roughness(photo):
        grey = photo[inside].astype(np.float32).mean(axis=2)
        return (grey - cv2.GaussianBlur(grey, (0, 0), 2)).std()

    clean, grainy = (roughness(compose(f, square(), rng())[0]) for f in (face, noisy))
    assert clean < 1.5
    assert 4 < grainy < 12


@pytest.mark.parametrize("sigma", [0.8, 1.2, 2.0])
def test_sharpness_is_measured(sigma):
    disc = np.zeros((256, 256, 3), np.uint8)
    cv2.circle(disc, (128, 150), 40, (200, 200, 200), -1, cv2.LINE_AA)
    blurred = cv2.GaussianBlur(disc, (0, 0), sigma)
    assert camera(blurred)[0] == pytest.approx(sigma, rel=0.15)


def test_same_seed_same_bytes():
    face = draw_face(4, SIZE)
    for seed in range(5):
        one, same, other = (
            compose(face, choose.draw(random, Head(SIZE)), random)[0].tobytes()
            for random in (rng(seed), rng(seed), rng(seed + 100))
        )
        assert one == same
        assert one != other


def test_sizes_must_agree():
    with pytest.raises(ImageError, match="a layer of"):
        compose(draw_face(0, 64), square(), rng())
    with pytest.raises(ImageError, match="uint8"):
        compose(draw_face(0, SIZE).astype(np.float32), square(), rng())
