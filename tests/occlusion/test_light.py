"""The light of a face, and the shadow of what is before it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn import draw_face

from unveil.occlusion.light import estimate, head, shadow, shine_on


def dimmed(face, factor):
    return np.clip(face * np.asarray(factor, np.float32), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(6))
def test_a_darker_face_has_less_light(seed):
    face = draw_face(seed, 128)
    gains = [estimate(dimmed(face, f)).gain.mean() for f in (1, 0.5, 0.2)]
    assert gains[1] < 0.7 * gains[0]
    assert gains[2] < 0.5 * gains[1]


def test_dark_skin_in_good_light_is_not_taken_for_darkness():
    gains = [estimate(draw_face(seed, 128)).gain.mean() for seed in range(40)]
    assert min(gains) > 0.6
    assert max(gains) <= 1.2


def test_a_colour_cast_is_partly_taken_over():
    face = draw_face(1, 128)
    warm, cold = (estimate(dimmed(face, f)).gain for f in ((1, 0.8, 0.6), (0.6, 0.8, 1)))
    assert warm[0] / warm[2] > 1.3 * cold[0] / cold[2]


@pytest.mark.parametrize("skin", [(200, 150, 120), (90, 60, 50)])
@pytest.mark.parametrize("seed", range(3))
def test_the_skins_colour_is_found_between_eyes_hair_and_a_wall(seed, skin):
    face = draw_face(seed, 128)
    before = estimate(face)
    seen = before.skin * before.gain
    moved = dimmed(face, np.array(skin) / seen)
    after = estimate(moved)
    np.testing.assert_allclose(after.skin * after.gain, skin, atol=6)
    # It is what is seen on the nose, not on the hair, the eyes or the wall.
    nose = np.median(moved[66:80, 59:69].reshape(-1, 3), axis=0)
    assert np.abs(after.skin * after.gain - nose).max() < 40


@pytest.mark.parametrize("seed", range(6))
def test_light_from_one_side_is_found(seed):
    face = draw_face(seed, 128)
    ramp = np.linspace(0.45, 1.0, 128)[None, :, None]
    right, left = estimate(dimmed(face, ramp)), estimate(dimmed(face, ramp[:, ::-1]))
    assert right.slope[0] > 0.3
    assert left.slope[0] < -0.3
    shine = shine_on(right, 1.0)
    assert shine[8, 13].mean() > 1.2 * shine[8, 2].mean()
    flat = shine_on(right, 0.0)
    np.testing.assert_allclose(flat, np.broadcast_to(right.gain, flat.shape))


def test_shadow_falls_away_from_the_light():
    alpha = np.zeros((128, 128), np.float32)
    alpha[40:60, 40:80] = 1
    face = draw_face(1, 128)
    ramp = np.linspace(0.45, 1.0, 128)[None, :, None]
    dark = shadow(alpha, 8.0, estimate(dimmed(face, ramp)), 0.5)
    assert dark.min() >= 0
    assert dark.max() <= 0.5
    # Light from the right and above: more on the left and below.
    assert dark[50, 36] > 2 * dark[50, 84]
    assert dark[63, 60] > 2 * dark[37, 60]
    assert dark[100:].max() == 0
    assert shadow(alpha, 8.0, estimate(face), 0.0).max() == 0


def test_a_wider_gap_throws_a_softer_and_farther_shadow():
    alpha = np.zeros((128, 128), np.float32)
    alpha[40:60, 40:80] = 1
    light = estimate(draw_face(1, 128))
    near, far = shadow(alpha, 1.0, light, 0.5), shadow(alpha, 10.0, light, 0.5)
    below = (slice(60, None), slice(50, 70))
    assert np.count_nonzero(near[below]) < 0.6 * np.count_nonzero(far[below])
    assert np.abs(cv2.Sobel(far, cv2.CV_32F, 0, 1)[below]).max() < 0.8 * (
        np.abs(cv2.Sobel(near, cv2.CV_32F, 0, 1)[below]).max()
    )


def test_the_head_is_in_the_middle():
    where = head(64)
    assert where[36, 32] == 1
    assert where[[0, 63], 0].max() == 0
    assert where[32, [0, 63]].max() == 0
