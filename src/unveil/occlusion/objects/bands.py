"""The bands that hold a mask."""

from __future__ import annotations

from typing import cast

import numpy as np

from unveil.occlusion.objects.drawing import Field, Pose, line, ramp, smooth
from unveil.occlusion.objects.layer import Array


def ears() -> Array:
    """Two corners of the window that holds a mask's bands."""
    return np.array([(50, 130), (206, 170)], np.float32)


def loops(
    rng: np.random.Generator, pose: Pose, x: Field, half: float, high: float, low: float
) -> Array:
    """Elastic bands from the mask's corners to the ears, where they vanish behind them."""
    ear, bands = rng.uniform(72, 77), []
    for side in (-1, 1):
        for start, over in ((high, rng.uniform(141, 150)), (low, rng.uniform(160, 170))):
            first, last = (
                np.array([128 + side * (half - 2), start]),
                np.array([128 + side * ear, over]),
            )
            middle = 0.5 * (first + last) + (side * rng.uniform(0, 2), rng.uniform(0, 3))
            bands.append(smooth(np.stack([first, middle, last]), closed=False))
    fade = ramp(np.abs(x - 128), ear - 1, ear - 12)
    return cast(Array, line(pose, bands, rng.uniform(1.1, 2.2)) * fade)
