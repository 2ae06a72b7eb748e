"""Smooth outlines through a few points, in the units of the canonical frame."""

from __future__ import annotations

import numpy as np

from unveil.occlusion.objects.drawing import Points, smooth
from unveil.occlusion.objects.layer import Array


def wobble(rng: np.random.Generator, points: Points, amount: float) -> Array:
    """(N, 2) points, each moved by about `amount` units: nothing soft is quite symmetrical."""
    at = np.asarray(points, dtype=np.float32)
    return at + rng.normal(0, amount, at.shape).clip(-2 * amount, 2 * amount).astype(np.float32)


def mirrored(
    right: list[tuple[float, float]], rng: np.random.Generator, amount: float = 0.8
) -> Array:
    """A closed outline (8 N, 2) from its right half and a wobble, in units.

    Args:
        right: (x, y) from the top middle to the bottom middle; what lies at x = 128 is not doubled.
        amount: of `wobble`.
    """
    inner = [(256 - x, y) for x, y in reversed(right) if x != 128]
    return smooth(wobble(rng, right + inner, amount))
