"""Light that is measured on what is known, carried to where nothing is."""

from __future__ import annotations

import numpy as np

from unveil.faces.blend import extrapolate
from unveil.imaging import resize, weighted
from unveil.video.head import Array

COARSE = 32  # side at which it is carried


def inwards(change: Array, told: Array, least: float) -> Array:
    """A change of light, smooth: the membrane that hangs on what is known (`extrapolate`).

    Args:
        change: (256, 256, 3), in grey levels.
        told: (256, 256) in [0, 1], how much each pixel of it counts.
        least: a cell tells it if so much of it counts.

    Returns:
        (COARSE, COARSE, 3).
    """
    weight = resize(told, COARSE)
    cells = resize(weighted(change, told), COARSE) / np.maximum(weight, 1e-6)[..., None]
    known = weight > least
    return extrapolate(cells * known[..., None], known)
