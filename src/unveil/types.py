"""What a restoration gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Mask, Photo

if TYPE_CHECKING:
    from unveil.faces.detect import Detection


# Compared by identity: arrays have no one answer to ==.
@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo.

    Attributes:
        box: left, top, right, bottom in the photo's pixels.
        points: (5, 2) x, y in the photo's pixels: eyes, nose tip, mouth corners, the left ones of
            the picture first. Of an aligned face, those of the canonical frame.
        score: the detector's, 0..1; 1.0 for a face that was given aligned.
        occluder: HW float32 in [0, 1] in the face's 256x256 frame, 1 = hidden.
        coverage: hidden pixels / all pixels of the face, 0..1.
        confidence: mean of the restoration's confidence over the face's hidden pixels; 1.0 if
            nothing is hidden.
    """

    box: tuple[float, float, float, float]
    points: NDArray[np.float32]
    score: float
    occluder: NDArray[np.float32]
    coverage: float
    confidence: float

    @classmethod
    def of(
        cls,
        where: Detection,
        occluder: NDArray[np.float32],
        hidden: Mask,
        sure: NDArray[np.float32],
    ) -> Face:
        """From what is hidden of it, and how sure its pixels are: both HW in the face's frame."""
        confidence = float(sure[hidden].mean()) if hidden.any() else 1.0
        coverage = float(hidden.mean())
        return cls(where.box, where.points, where.score, occluder, coverage, confidence)

    def numbers(self) -> dict[str, object]:
        """What JSON tells of it: all but the occluder, rounded; pixels to a tenth."""
        return {
            "box": [round(float(v), 1) for v in self.box],
            "points": self.points.astype(float).round(1).tolist(),
            "score": round(float(self.score), 4),
            "coverage": round(float(self.coverage), 6),
            "confidence": round(float(self.confidence), 4),
        }


@dataclass(frozen=True, eq=False)
class Restoration:
    """A restored photo and what in it is invented.

    Attributes:
        photo: HWC uint8 RGB, the size of the input; equal to it wherever `invented` is False.
        invented: HW bool in the photo's frame: the pixels that the model made up.
        confidence: HW float32 in [0, 1], 1 where known: the share of an invented pixel's variance
            over all faces that the known part of its face explains.
        faces: the faces found, from left to right.
        model: name and sha256 of the weights, `paper:1a2b...`.
        passed_over: how many more faces were found, where only so many were asked for.
    """

    photo: Photo
    invented: Mask
    confidence: NDArray[np.float32]
    faces: tuple[Face, ...]
    model: str
    passed_over: int = 0
