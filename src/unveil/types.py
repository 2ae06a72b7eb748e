"""What a restoration gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Mask, Photo


@dataclass(frozen=True)
class Face:
    """One face of a photo.

    Attributes:
        box: left, top, right, bottom in the photo's pixels.
        points: (5, 2) x, y in the photo's pixels: eyes, nose tip, mouth corners, the left ones of
            the picture first. Of an aligned face, those of the canonical frame.
        score: the detector's, 0..1; 1.0 for a face that was given aligned.
        occluder: HW float32 in [0, 1] in the face's 256x256 frame, 1 = hidden.
        coverage: hidden pixels / all pixels of the face, 0..1.
    """

    box: tuple[float, float, float, float]
    points: NDArray[np.float32]
    score: float
    occluder: NDArray[np.float32]
    coverage: float


@dataclass(frozen=True)
class Restoration:
    """A restored photo and what in it is invented.

    Attributes:
        photo: HWC uint8 RGB, the size of the input; equal to it wherever `invented` is False.
        invented: HW bool in the photo's frame: the pixels that the model made up.
        faces: the faces found, from left to right.
        model: name and sha256 of the weights, `paper:1a2b...`.
    """

    photo: Photo
    invented: Mask
    faces: tuple[Face, ...]
    model: str
