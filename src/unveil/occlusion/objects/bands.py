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
    """Elastic bands from the mask's corners to the ears, where they vanish behind them.

    Of a head turned aside the far ear is out of sight, and so is what leads there.
    """
    ear, bands = rng.uniform(68, 80), []
    for side in (-1, 1):
        for start, over in ((high, rng.uniform(128, 150)), (low, rng.uniform(156, 174))):
            first, last = (
                np.array([128 + side * (half - 2), start]),
                np.array([128 + side * ear, over]),
            )
            middle = 0.5 * (first + last) + (side * rng.uniform(0, 2), rng.uniform(0, 3))
            band = smooth(np.stack([first, middle, last]), closed=False)
            seen = band[pose.head.sees(band[:, 0] - 128)]
            if len(seen) > 1:
                bands.append(seen)
    fade = ramp(np.abs(x - 128), ear - 1, ear - 12)
    thick = rng.uniform(1.1, 2.2) if rng.random() < 0.7 else rng.uniform(2.5, 5.0)  # cord or tape
    return cast(Array, line(pose, bands, thick) * fade) if bands else np.zeros_like(fade)
