"""Plain shapes: how much they hide, where, and with what."""

from __future__ import annotations

import numpy as np
import pytest

from unveil.occlusion.objects.choose import draw_named
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.plain import LEAST, MOST

SIZE = 96
FAMILIES = ["rectangle", "ellipse", "polygon", "blob", "stripe", "sticker", "bar"]


@pytest.mark.parametrize("family", FAMILIES)
def test_coverage_and_contract(family: str) -> None:
    covered = []
    for seed in range(80):
        layer = draw_named(family, np.random.default_rng(seed), Head(SIZE))
        again = draw_named(family, np.random.default_rng(seed), Head(SIZE))
        assert layer.colour.shape == (SIZE, SIZE, 3)
        assert layer.colour.dtype == layer.alpha.dtype == np.float32
        assert 0 <= layer.alpha.min() <= layer.alpha.max() <= 1
        assert 0 <= layer.colour.min() <= layer.colour.max() <= 255
        assert layer.colour.tobytes() == again.colour.tobytes()
        assert layer.alpha.tobytes() == again.alpha.tobytes()
        covered.append(layer.alpha.mean())
    assert min(covered) >= LEAST
    assert max(covered) <= MOST + 0.03
    assert np.ptp(covered) > 0.05


def test_every_pixel_of_the_frame_is_hidden_sometimes() -> None:
    where = np.zeros((SIZE, SIZE))
    for seed in range(120):
        for family in FAMILIES:
            where += draw_named(family, np.random.default_rng(seed), Head(SIZE)).alpha > 0.5
    assert where.min() >= 10


def test_edges_are_hard_to_two_pixels_soft() -> None:
    widths = []
    for seed in range(60):
        alpha = draw_named("ellipse", np.random.default_rng(seed), Head(SIZE)).alpha
        soft = ((alpha > 0.02) & (alpha < 0.98)).sum()
        rim = np.abs(np.diff((alpha > 0.5).astype(int), axis=1)).sum()
        widths.append(soft / max(rim, 1))
    assert min(widths) == 0
    assert 2 < max(widths) < 9  # across; a slanting edge is longer


def test_some_rectangles_are_black_as_the_papers() -> None:
    black = 0
    for seed in range(100):
        layer = draw_named("rectangle", np.random.default_rng(seed), Head(SIZE))
        black += layer.colour.max() == 0
    assert 25 <= black <= 60
