"""Five points through time: the motion between frames is exact, the detector's word is rough.

A Kalman filter with one variance for all points of a face, and behind it the smoother of Rauch,
Tung and Striebel (1965) over the frames that follow. Neither lags behind a face that moves,
because the motion itself is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unveil.faces.align import invert
from unveil.outline import Aligned
from unveil.video.motion import Map

# Deviations in parts of the face's size: what the motion adds each frame, of a guessed motion, and
# of the detector's points.
MOVED, GUESSED, DETECTED = 0.0015, 0.03, 0.02


@dataclass
class Step:
    """A face in one frame.

    Attributes:
        number: of the frame.
        move: (2, 3), from the frame before.
        points: (5, 2), the filter's.
        variance: of the points, in face sizes squared.
        noise: what the move added to it.
        aligned: as `Sighting`.
    """

    number: int
    move: Map
    points: Map
    variance: float
    noise: float
    aligned: Aligned | None = None


def apply(move: Map, points: Map) -> Map:
    """Move (N, 2) points."""
    return np.asarray(points @ move[:, :2].T + move[:, 2], dtype=np.float64)


def predict(last: Step, move: Map, guessed: bool) -> Step:
    """The next frame's step before the detector is asked."""
    noise = (GUESSED if guessed else MOVED) ** 2
    points = apply(move, last.points)
    return Step(last.number + 1, move, points, last.variance + noise, noise)


def correct(step: Step, measured: Map) -> None:
    """Put the detector's points into a step."""
    gain = step.variance / (step.variance + DETECTED**2)
    step.points = step.points + gain * (measured - step.points)
    step.variance *= 1 - gain


def smoothed(steps: Sequence[Step]) -> Map:
    """The points of the first step, seen from the last one: (5, 2)."""
    points = steps[-1].points
    for step, after in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        gain = step.variance / (step.variance + after.noise)
        points = step.points + gain * (apply(invert(after.move), points) - step.points)
    return points
