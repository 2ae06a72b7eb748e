"""Face masks, headwear and scarves: what they hide, and what they leave to be seen."""

from __future__ import annotations

import numpy as np
import pytest

from unveil.occlusion.objects.choose import draw_named
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import POINTS, Layer

SIZE = 128
SEEDS = range(60)
EYES, NOSE, MOUTH = (0, 1), (2,), (3, 4)
# Coverage of every draw; the share of draws that hides eyes, nose and mouth at least / at most.
EXPECTED = {
    "medical mask": (0.06, 0.27, (0, 0), (0.75, 0.98), (1, 1)),
    "cloth mask": (0.1, 0.27, (0, 0), (1, 1), (1, 1)),
    "respirator": (0.1, 0.27, (0, 0), (1, 1), (1, 1)),
    "beanie": (0.12, 0.40, (0, 0.05), (0, 0), (0, 0)),
    "cap": (0.10, 0.36, (0, 0.05), (0, 0), (0, 0)),
    "hat": (0.08, 0.42, (0, 0.05), (0, 0), (0, 0)),
    "hood or headscarf": (0.25, 0.7, (0, 0), (0, 0), (0, 0)),
    "scarf": (0.11, 0.40, (0, 0), (0, 0.6), (0.5, 1)),
    "gaiter": (0.16, 0.36, (0, 0), (0.5, 1), (1, 1)),
    "balaclava": (0.28, 0.65, (0, 0.05), (0.5, 0.9), (0.6, 0.9)),
}


def draw(family: str, seed: int, size: int = SIZE) -> Layer:
    return draw_named(family, np.random.Generator(np.random.PCG64(seed)), Head(size))


def hides(layer: Layer, points: tuple[int, ...]) -> bool:
    at = (POINTS[list(points)] * len(layer.alpha)).astype(int)
    return bool((layer.alpha[at[:, 1], at[:, 0]] > 0.5).all())


@pytest.mark.parametrize("family", list(EXPECTED))
def test_a_layer_keeps_its_contract(family):
    for seed in SEEDS[:12]:
        layer = draw(family, seed)
        assert layer.colour.shape == (SIZE, SIZE, 3)
        assert layer.alpha.shape == (SIZE, SIZE)
        assert layer.colour.dtype == layer.alpha.dtype == np.float32
        # A comparison with NaN is false.
        assert layer.alpha.min() >= 0
        assert layer.alpha.max() <= 1
        assert layer.colour.min() >= 0
        assert layer.colour.max() <= 255
        assert 0 < layer.lift < 0.1
        assert not layer.clear


@pytest.mark.parametrize("family", list(EXPECTED))
def test_coverage_and_points_hidden(family):
    low, high, *shares = EXPECTED[family]
    layers = [draw(family, seed) for seed in SEEDS]
    coverage = [layer.alpha.mean() for layer in layers]
    assert low <= min(coverage)
    assert max(coverage) <= high
    for points, (least, most) in zip((EYES, NOSE, MOUTH), shares, strict=True):
        share = np.mean([hides(layer, points) for layer in layers])
        assert least <= share <= most, points


@pytest.mark.parametrize("family", list(EXPECTED))
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(family):
    for seed in SEEDS[:5]:
        one, same, other = draw(family, seed), draw(family, seed), draw(family, seed + 1)
        assert one.colour.tobytes() == same.colour.tobytes()
        assert one.alpha.tobytes() == same.alpha.tobytes()
        assert np.abs(one.alpha - other.alpha).mean() > 1e-3


@pytest.mark.parametrize("family", list(EXPECTED))
def test_the_size_changes_the_resolution_and_not_the_picture(family):
    for seed in SEEDS[:5]:
        small, large = draw(family, seed, 64), draw(family, seed, 192)
        shrunk = large.alpha.reshape(64, 3, 64, 3).mean(axis=(1, 3))
        assert np.abs(small.alpha - shrunk).mean() < 0.02
        both = np.minimum(small.alpha, shrunk) > 0.99
        hue = [
            layer.colour[mask].mean()
            for layer, mask in ((small, both), (large, both.repeat(3, 0).repeat(3, 1)))
        ]
        assert abs(hue[0] - hue[1]) < 12


def test_the_smallest_and_an_odd_size_work():
    for family in EXPECTED:
        for size in (16, 101):
            layer = draw(family, 3, size)
            assert layer.alpha.shape == (size, size)
            assert 0.02 < layer.alpha.mean() < 0.7


def test_colours_differ_between_draws():
    for family in EXPECTED:
        means = [
            np.average(layer.colour.reshape(-1, 3), axis=0, weights=layer.alpha.ravel())
            for layer in (draw(family, seed) for seed in SEEDS[:30])
        ]
        assert np.std(means, axis=0).min() > 20


def test_a_medical_mask_has_folds_across_and_a_plain_gradient_has_none():
    rows = []
    for seed in SEEDS[:10]:
        layer = draw("medical mask", seed, 256)
        strip = layer.colour[175:225, 118:138].mean(axis=(1, 2))
        smooth = np.convolve(strip, np.ones(15) / 15, mode="valid")
        rows.append(np.std(strip[7:-7] - smooth) / strip.mean())
    assert np.median(rows) > 0.01
