"""The shared textures: ranges, periods, colours."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from unveil.occlusion.objects import textures


@pytest.mark.parametrize("kind", textures._PATTERNS)
def test_a_pattern_has_its_pitch(kind: str) -> None:
    image = textures.pattern(np.random.default_rng(1), 128, kind, 16 / 128)
    assert image.shape == (128, 128)
    assert 0 <= image.min() < 0.15
    assert 0.9 < image.max() <= 1
    # Moved by its period it is itself, by a quarter of it not.
    same = np.abs(image[:, 16:] - image[:, :-16]).mean()
    other = np.abs(image[4:, 4:] - image[:-4, :-4]).mean()
    assert same < 0.25 * other


def test_patterns_of_large_faces_are_not_kept() -> None:
    tracemalloc.start()
    try:
        for pitch in np.geomspace(0.02, 0.2, 12):
            textures.pattern(np.random.default_rng(1), 1024, "dots", float(pitch))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 10e6  # twelve sheets have 50


def test_noise_is_smooth_over_its_cell_and_centred() -> None:
    rng = np.random.default_rng(2)
    for cell in (0.05, 0.3):
        maps = np.stack([textures.value_noise(rng, 128, cell) for _ in range(12)])
        assert abs(maps.mean()) < 0.15
        assert maps.std() > 0.2
        step = np.abs(np.diff(maps, axis=2)).mean()
        assert step < 1.5 / (cell * 128)


def test_grain_is_white() -> None:
    image = textures.grain(np.random.default_rng(3), 128)
    assert abs(image.mean()) < 0.05
    assert abs(image.std() - 1) < 0.05
    assert abs((image[:, 1:] * image[:, :-1]).mean()) < 0.05


def test_tint_hits_both_colours() -> None:
    ramp = np.linspace(0, 1, 4, dtype=np.float32).reshape(2, 2)
    image = textures.tint(ramp, (10, 20, 30), (40, 20, 0))
    assert image[0, 0].tolist() == [10, 20, 30]
    assert image[1, 1] == pytest.approx([40, 20, 0], abs=1e-4)
