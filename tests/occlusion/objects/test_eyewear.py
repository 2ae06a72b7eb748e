"""Glasses, goggles and patches: what they hide, and what they leave to be seen."""

from __future__ import annotations

import numpy as np
import pytest

from unveil.occlusion.objects.choose import draw_named
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import POINTS, Layer

SIZE = 128
SEEDS = range(40)
FAMILIES = [
    "sunglasses",
    "shield",
    "ski goggles",
    "swim goggles",
    "sleep mask",
    "eye patch",
    "clear glasses",
]


def draw(family: str, seed: int, size: int = SIZE) -> Layer:
    return draw_named(family, np.random.default_rng(seed), Head(size))


def at(layer: Layer, point: int) -> float:
    x, y = np.rint(POINTS[point] * len(layer.alpha)).astype(int)
    return float(layer.alpha[y, x])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_layer_keeps_its_contract(family: str) -> None:
    for seed in SEEDS[:8]:
        layer = draw(family, seed)
        assert layer.colour.shape == (SIZE, SIZE, 3)
        assert layer.alpha.shape == (SIZE, SIZE)
        assert layer.colour.dtype == layer.alpha.dtype == np.float32
        assert layer.alpha.min() >= 0
        assert layer.alpha.max() <= 1.0001
        assert layer.colour.min() >= 0
        assert layer.colour.max() <= 255
        assert 0 < layer.lift < 0.1
        assert layer.clear == (family == "clear glasses")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(family: str) -> None:
    first, again, other = draw(family, 1), draw(family, 1), draw(family, 2)
    assert first.colour.tobytes() == again.colour.tobytes()
    assert first.alpha.tobytes() == again.alpha.tobytes()
    assert not np.array_equal(first.alpha, other.alpha)


@pytest.mark.parametrize("family", ["sunglasses", "shield", "ski goggles", "sleep mask"])
def test_both_eyes_are_hidden_and_the_mouth_is_not(family: str) -> None:
    for seed in SEEDS:
        layer = draw(family, seed)
        assert at(layer, 0) >= 0.7
        assert at(layer, 1) >= 0.7
        assert at(layer, 3) == at(layer, 4) == 0


def test_a_patch_hides_one_eye_and_each_in_turn() -> None:
    hidden = [
        (at(layer, 0) > 0.9, at(layer, 1) > 0.9) for layer in (draw("eye patch", s) for s in SEEDS)
    ]
    assert all(left != right for left, right in hidden)
    assert 5 < sum(left for left, _ in hidden) < 35


def test_clear_glasses_leave_the_eyes_and_have_a_frame() -> None:
    for seed in SEEDS:
        layer = draw("clear glasses", seed)
        assert at(layer, 0) < 0.35
        assert at(layer, 1) < 0.35
        assert 0.003 < (layer.alpha > 0.4).mean() < 0.09


def test_lenses_let_through_from_nothing_to_a_quarter() -> None:
    seen = [1 - at(draw("sunglasses", seed), 0) for seed in range(80)]
    assert max(seen) <= 0.3
    assert max(seen) > 0.12
    assert min(seen) < 0.02


@pytest.mark.parametrize("family", FAMILIES)
def test_the_size_of_the_image_does_not_change_the_thing(family: str) -> None:
    small, large = (draw(family, 3, size).alpha for size in (96, 192))
    halved = large.reshape(96, 2, 96, 2).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 0.02
