"""Photos of drawn faces with a black box over each mouth, which the stand-in model finds."""

from __future__ import annotations

import cv2
import numpy as np
from drawn import draw_face

from unveil.imaging import Mask, Photo

# seed, left, top and side of each face.
TWO = ((1, 60, 60, 256), (3, 480, 40, 340))


def scene(
    *places: tuple[int, int, int, int], size: tuple[int, int] = (420, 900), hide: bool = True
) -> tuple[Photo, Mask]:
    """A photo of `size` (height, width) with drawn faces, and what of it is hidden."""
    photo = np.full((*size, 3), 120, np.uint8)
    hidden = np.zeros(size, bool)
    for seed, left, top, side in places:
        photo[top : top + side, left : left + side] = np.clip(draw_face(seed, side), 8, 255)
        rows = slice(top + int(side * 0.68), top + int(side * 0.8))
        hidden[rows, left + int(side * 0.38) : left + int(side * 0.62)] = hide
    photo[hidden] = 0
    return photo, hidden


def high_pass(photo: Photo) -> np.ndarray:
    """What of a photo is finer than about three pixels, float32."""
    values = photo.astype(np.float32)
    return values - np.asarray(cv2.GaussianBlur(values, (0, 0), 1.5), np.float32)
