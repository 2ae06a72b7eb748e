"""What is given back of a clip, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Mask, Photo
from unveil.video.view import Task


@dataclass(frozen=True)
class TrackedFace:
    """One face of a frame.

    Attributes:
        track: the same number for the same person as long as nobody loses sight of them.
        box: left, top, right, bottom in the frame's pixels.
        points: (5, 2) float32 x, y, as `types.Face`, steady from frame to frame.
        score: the detector's last, 0..1.
        coverage: hidden pixels / all pixels of the face, 0..1.
        recalled: of the hidden pixels, the share that was seen in other frames, 0..1.
    """

    track: int
    box: tuple[float, float, float, float]
    points: NDArray[np.float32]
    score: float
    coverage: float
    recalled: float

    @classmethod
    def of(cls, task: Task) -> TrackedFace:
        """The face of a view that is done."""
        view, sighting = task.view, task.view.sighting
        return cls(
            sighting.track,
            sighting.box,
            sighting.points.astype(np.float32),
            sighting.score,
            float(view.hidden.mean()),
            float(task.trust.mean()) if task.trust.size else 0.0,
        )


@dataclass(frozen=True)
class RestoredFrame:
    """A restored frame and what in it is not its own.

    Attributes:
        photo: HWC uint8 RGB, equal to the frame that came in wherever `invented` is False.
        invented: HW bool: pixels made up, or taken from other frames.
        faces: the faces, from left to right.
        model: name and sha256 of the weights.
    """

    photo: Photo
    invented: Mask
    faces: tuple[TrackedFace, ...]
    model: str
