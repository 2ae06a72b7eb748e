"""Hands and gloves: where they reach, their colours, and the relief below them."""

from __future__ import annotations

import numpy as np
import pytest

from unveil.occlusion.objects.choose import draw_named
from unveil.occlusion.objects.head import Colour, Head
from unveil.occlusion.objects.layer import POINTS
from unveil.occlusion.objects.relief import Relief
from unveil.occlusion.objects.skin import skin_tone

SIZE = 128


@pytest.mark.parametrize("family", ["hand", "glove"])
def test_a_layer_keeps_its_contract(family: str) -> None:
    for seed in range(8):
        layer = draw_named(family, np.random.default_rng(seed), Head(SIZE))
        again = draw_named(family, np.random.default_rng(seed), Head(SIZE))
        assert layer.colour.shape == (SIZE, SIZE, 3)
        assert layer.colour.dtype == layer.alpha.dtype == np.float32
        assert 0 <= layer.alpha.min() <= layer.alpha.max() <= 1.0001
        assert 0 <= layer.colour.min() <= layer.colour.max() <= 255
        assert 0.03 <= layer.lift <= 0.06
        assert not layer.clear
        assert layer.colour.tobytes() == again.colour.tobytes()
        assert layer.alpha.tobytes() == again.alpha.tobytes()


def test_every_part_of_the_face_is_hidden_sometimes_and_the_arm_comes_from_the_border() -> None:
    hidden = np.zeros(len(POINTS))
    where = np.zeros((SIZE, SIZE))
    n = 150
    for seed in range(n):
        alpha = draw_named("hand", np.random.default_rng(seed), Head(SIZE)).alpha
        x, y = np.rint(POINTS.T * SIZE).astype(int)
        hidden += alpha[y, x] > 0.5
        where += alpha > 0.5
        border = np.concatenate([alpha[-1], alpha[:, 0], alpha[:, -1]])
        assert border.max() > 0.9
        assert 0.02 < (alpha > 0.5).mean() < 0.6
    assert (hidden > 0.08 * n).all()
    assert (hidden < 0.7 * n).all()
    face = where[SIZE // 4 : SIZE * 7 // 8, SIZE // 4 : SIZE * 3 // 4]
    assert face.min() > 0.01 * n


def test_skin_goes_from_light_to_dark_and_is_never_blue() -> None:
    tones = tones_of(None)
    grey = tones.mean(axis=1)
    assert grey.min() < 65
    assert grey.max() > 190
    assert (tones[:, 0] > tones[:, 2] - 4).all()


@pytest.mark.parametrize("own", [(214.0, 166.0, 138.0), (92.0, 60.0, 46.0), (300.0, 280.0, 255.0)])
def test_most_hands_are_the_faces_own(own: tuple[float, float, float]) -> None:
    tones = tones_of(own)
    hue = tones / tones.mean(axis=1, keepdims=True)
    near = np.abs(hue - np.array(own) / np.mean(own)).max(axis=1) < 0.15
    bright = tones.mean(axis=1) / min(np.mean(own), np.mean(own) / max(own) * 240)
    assert 0.6 < (near & (bright > 0.7) & (bright < 1.4)).mean() < 0.95
    assert tones[near].max() <= 256
    # The others are of all kinds.
    assert tones.mean(axis=1).min() < 65
    assert tones.mean(axis=1).max() > 190


def test_hands_before_a_black_face_are_no_lamps() -> None:
    tones = tones_of((0.0, 0.0, 0.0))
    assert tones.min() >= 12
    assert tones.max() <= 256


def tones_of(own: Colour | None) -> np.ndarray:
    return np.stack([skin_tone(np.random.default_rng(seed), own) for seed in range(300)])


def test_a_ball_is_lit_on_the_side_of_the_lamp() -> None:
    ball = Relief(64)
    ball.limb(np.array([[32, 32], [32.5, 32]]), np.array([20, 20]))
    lit = ball.light(np.array([0.0, -1.0, 1.0]), 1.0)
    h, w = lit.shade.shape
    assert lit.shade[h // 4, w // 2] > lit.shade[3 * h // 4, w // 2] + 0.2
    assert lit.shade[h // 2, w // 4] == pytest.approx(lit.shade[h // 2, 3 * w // 4], abs=0.08)
    assert lit.patch.alpha.sum() == pytest.approx(np.pi * 20**2 + 20, rel=0.03)


def test_the_valley_between_two_fingers_is_darker_than_both() -> None:
    pair = Relief(64)
    for x in (22, 40):
        pair.limb(np.array([[x, 10], [x, 54]]), np.array([9.5, 9.5]))
    lit = pair.light(np.array([0.0, 0.0, 1.0]), 1.0)
    row = lit.shade[lit.shade.shape[0] // 2]
    left = lit.patch.x
    assert row[31 - left] < row[22 - left] - 0.1
    assert row[31 - left] < row[40 - left] - 0.1
