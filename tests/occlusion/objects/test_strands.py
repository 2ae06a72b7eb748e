"""Hair before the face: soft, varied, and where it should be."""

from __future__ import annotations

import numpy as np
import pytest

from unveil.occlusion.objects.choose import draw_named
from unveil.occlusion.objects.head import Head

SIZE = 128
FAMILIES = ["fringe", "locks", "stray hair"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_layer_keeps_its_contract(family: str) -> None:
    for seed in range(8):
        layer = draw_named(family, np.random.default_rng(seed), Head(SIZE))
        again = draw_named(family, np.random.default_rng(seed), Head(SIZE))
        assert layer.colour.shape == (SIZE, SIZE, 3)
        assert layer.colour.dtype == layer.alpha.dtype == np.float32
        assert 0 <= layer.alpha.min() <= layer.alpha.max() <= 1
        assert 0 <= layer.colour.min() <= layer.colour.max() <= 255
        assert layer.colour.tobytes() == again.colour.tobytes()
        assert layer.alpha.tobytes() == again.alpha.tobytes()


def test_hair_is_soft_and_a_fringe_hides_the_forehead_more_than_the_mouth() -> None:
    forehead = mouth = 0.0
    for seed in range(60):
        alpha = draw_named("fringe", np.random.default_rng(seed), Head(SIZE)).alpha
        part = ((alpha > 0.05) & (alpha < 0.95)).sum() / max(1, (alpha > 0.05).sum())
        assert part > 0.1
        forehead += alpha[38:58, 40:88].mean() / 60
        mouth += alpha[88:102, 48:80].mean() / 60
    assert forehead > 0.25
    assert mouth < 0.1


def test_locks_and_stray_hair_cross_every_part_of_the_face_sometimes() -> None:
    where = np.zeros((SIZE, SIZE))
    for seed in range(120):
        for family in ("locks", "stray hair"):
            where += draw_named(family, np.random.default_rng(seed), Head(SIZE)).alpha > 0.2
    assert where[40:112, 32:96].min() >= 2


def test_hair_has_the_colours_of_hair_from_black_to_white() -> None:
    means = []
    for seed in range(60):
        layer = draw_named("fringe", np.random.default_rng(seed), Head(SIZE))
        means.append(layer.colour[layer.alpha > 0.6].mean())
    assert min(means) < 35
    assert max(means) > 150


@pytest.mark.parametrize("family", FAMILIES)
def test_the_size_of_the_image_does_not_change_the_hair(family: str) -> None:
    for seed in range(8):
        small, large = (
            draw_named(family, np.random.default_rng(seed), Head(n)).alpha for n in (64, 256)
        )
        assert small.mean() == pytest.approx(large.mean(), rel=0.25)
