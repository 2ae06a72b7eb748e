"""Textures, folds, prints and dyes."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import rng

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import jitter
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.raster import outlined


@pytest.mark.parametrize("kind", [*fabric.TEXTURES, "soft", "across", "drape"])
def test_tiles_are_factors_around_one_that_repeat_without_a_seam(kind):
    tile = fabric.texture(kind) if kind in fabric.TEXTURES else fabric.folds(kind)
    assert tile.dtype == np.float32
    assert 0.75 < tile.mean() < 1.15
    assert 0.01 < tile.std() < 0.55
    inner = np.abs(np.diff(tile, axis=0)).mean(), np.abs(np.diff(tile, axis=1)).mean()
    seam = np.abs(tile[0] - tile[-1]).mean(), np.abs(tile[:, 0] - tile[:, -1]).mean()
    assert seam[0] < 3 * inner[0] + 0.02
    assert seam[1] < 3 * inner[1] + 0.02


@pytest.mark.parametrize("kind", fabric.PATTERNS)
def test_patterns_have_two_colours_or_more(kind):
    weights = fabric.pattern(kind)
    assert weights.min() >= 0
    assert weights.max() <= 1
    assert 0.1 < (weights[..., 0] > 0.5).mean() < 0.9
    y, x = np.mgrid[0:128, 0:128].astype(np.float32)
    base = np.array([20, 30, 40], np.float32)
    printed = fabric.print_on(rng(), kind, x, y, base)
    assert printed.shape == (128, 128, 3)
    assert (np.abs(printed - base).max(axis=2) < 1).any()
    assert printed.mean(axis=2).max() > base.mean() + 40


def test_dyes_are_colours_and_a_third_is_dark():
    dyes = np.array([fabric.dye(rng(seed)) for seed in range(400)])
    assert dyes.min() >= 0
    assert dyes.max() <= 255
    assert 0.2 < (dyes.max(axis=1) < 70).mean() < 0.6
    assert (dyes.min(axis=1) > 185).mean() > 0.05


def test_a_partner_stands_out():
    for seed in range(200):
        random = rng(seed)
        base = fabric.dye(random)
        assert abs(fabric.partner(random, base).mean() - base.mean()) > 45


@pytest.mark.parametrize("size", [16, 128, 700])
def test_cloth_fills_the_window(size):
    pose = jitter(rng(), Head(size))
    for kind in ("weave", "paper"):
        assert fabric.cloth(rng(), pose, kind).shape == (size, size)
    assert fabric.creases(rng(), pose, "drape", 0.0).tolist() == np.ones((size, size)).tolist()


@pytest.mark.parametrize("size", [16, 128, 700])
def test_threads_fill_a_patch_and_lie_askew(size):
    shape = (size // 2, size)
    for seed in range(8):
        factor = fabric.threads(rng(seed), size, shape)
        assert factor.shape == shape
        assert 0.75 < factor.mean() < 1.15
        assert np.abs(fabric.threads(rng(seed), size, shape, 2.0) - 2 * factor + 1).max() < 1e-4
        assert (fabric.threads(rng(seed), size, shape, 0.0) == 1).all()


def test_a_piece_is_printed_where_it_is_not_plain():
    patch = outlined(128, [(20, 10), (120, 10), (120, 90), (20, 90)])
    colours = []
    for plain in (0.0, 1.0):
        piece = fabric.piece(rng(3), 128, patch, plain)
        assert piece.shape == (*patch.shape, 3)
        assert piece.min() >= 0
        assert piece.max() <= 255
        assert np.array_equal(piece, fabric.piece(rng(3), 128, patch, plain))
        colours.append(piece.std(axis=(0, 1)).max())
    assert colours[0] > 20 > colours[1]
