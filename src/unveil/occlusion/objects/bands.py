"""The bands that hold a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unveil.occlusion.objects.drawing import UNIT, Field, Pose, line, ramp, smooth
from unveil.occlusion.objects.layer import Array

# Units from a band's end behind the ear: nothing is seen of it here, and all of it there.
VANISHED, SEEN = 1.5, 5.0
THICK = {"cord": (1.1, 2.2), "tape": (2.5, 5.0), "ruffle": (5.0, 9.0)}  # units
WIDEST = 3  # pixels a unit: a head turned aside stretches what comes to the front


@dataclass(frozen=True)
class Bands:
    """Elastic bands, as they lie on a straight head.

    Attributes:
        curves: (N, 2) of each, in units, what is seen of it.
        ends: (2,) of those that are seen to vanish behind the ear.
        thick: in units.
    """

    curves: tuple[Array, ...]
    ends: tuple[Array, ...]
    thick: float

    def drawn(self, pose: Pose, x: Field, y: Field) -> Array:
        """How much of each pixel they hide: (height, width) float32 in [0, 1].

        Args:
            x, y: the pixels' places, as of `pose.grid`.
        """
        if not self.curves:
            return np.zeros_like(x)
        alpha = line(pose, self.curves, self.thick)
        reach = int(WIDEST * SEEN * pose.size / UNIT) + 1
        for end in self.ends:
            column, row = (int(v) for v in pose.points(end[None])[0])
            there = (
                slice(max(0, row - reach), max(0, row + reach)),
                slice(max(0, column - reach), max(0, column + reach)),
            )
            alpha[there] *= ramp(np.hypot(x[there] - end[0], y[there] - end[1]), VANISHED, SEEN)
        return alpha


def loops(rng: np.random.Generator, pose: Pose, half: float, high: float, low: float) -> Bands:
    """Bands from a mask's corners to the ears, where they vanish behind them.

    Of a head turned aside the far ear is out of sight, and so is what leads there. Of one that
    looks down ears lie high, and bands are steep.

    Args:
        half: half the mask's width.
        high, low: where its upper and lower corners lie.
    """
    ear, curves, ends = max(rng.uniform(62, 80), half - 3), [], []
    for side in (-1, 1):
        for start, over in ((high, rng.triangular(97, 138, 151)), (low, rng.uniform(154, 176))):
            first = np.array([128 + side * (half - 2), start], np.float32)
            last = np.array([128 + side * ear, over], np.float32)
            middle = 0.5 * (first + last) + (side * rng.uniform(0, 2), rng.uniform(0, 3))
            curve = smooth(np.stack([first, middle, last]), closed=False)
            seen = pose.head.sees(curve[:, 0] - 128)
            if seen.sum() > 1:
                curves.append(curve[seen])
                if seen[-1]:
                    ends.append(last)
    kind = str(rng.choice(list(THICK), p=[0.65, 0.27, 0.08]))
    return Bands(tuple(curves), tuple(ends), float(rng.uniform(*THICK[kind])))
