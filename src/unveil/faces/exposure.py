"""Shows dark faces to the networks in a usual light.

What a prior makes of a quarter of the light is a face in a usual one, and what the networks see
there is hair and shadow: fills glowed, and occluders were missed (docs/log.md, 2026-12-01). A gain
of the stored values is one of the light as well, for sRGB is nearly a power of it.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import FACE_SIZE, Mask, Photo

# The brightest twentieth of a face begins at 200 of 255 as a rule, at over 90 in each of 1,000
# faces of CelebA. From 90 down to 60 the gain sets in, which brings it to 170; none is over 16.
USUAL, BEGINS, WHOLE, MOST = 170, 90, 60, 16.0
# Middle and half axes of the face in the frame: a bright wall behind it says nothing of its light.
MIDDLE, AXES = (128, 135), (62, 88)
# So few known pixels of it say nothing; then all that is known does.
FEWEST = 500
# So many rows and columns of a whole photo say how dark it is.
SAMPLED = 256
# Rec. 601 in thousandths: whole numbers, which are the same in the page.
LUMA = np.array([299, 587, 114], np.int32)


def gains(faces: Photo, masks: Mask | None = None) -> NDArray[np.float64]:
    """How much brighter each aligned face is to be shown.

    Args:
        faces: (N, 256, 256, 3) uint8 RGB.
        masks: (N, 256, 256) bool, True = hidden: its light is not the face's. None: all is known.

    Returns:
        (N,), 1 for all that are bright enough.
    """
    known = np.broadcast_to(True, faces.shape[:3]) if masks is None else ~masks
    return np.array([_gain(*each) for each in zip(faces, known, strict=True)])


def scaled(faces: Photo, by: NDArray[np.float64]) -> Photo:
    """(N, S, S, 3) uint8, each times its gain; the faces themselves where all gains are 1."""
    if (by == 1).all():
        return faces
    tables = [np.rint(np.minimum(np.arange(256) * gain, 255)).astype(np.uint8) for gain in by]
    return np.stack([cv2.LUT(*each) for each in zip(faces, tables, strict=True)])


def brightened(photo: Photo) -> Photo:
    """A dark photo, (H, W, 3) uint8, in a usual light; any other one itself."""
    sampled = photo[:: max(1, len(photo) // SAMPLED), :: max(1, photo.shape[1] // SAMPLED)]
    (result,) = scaled(photo[None], np.array([_gain_of(sampled.reshape(-1, 3))]))
    return np.asarray(result, np.uint8)


def _gain(face: Photo, known: Mask) -> float:
    inside = known & _face()
    return _gain_of(face[inside if np.count_nonzero(inside) >= FEWEST else known])


def _gain_of(colours: NDArray[np.uint8]) -> float:
    """That of pixels, (n, 3)."""
    luma = (colours @ LUMA + 500) // 1000
    if not len(luma):
        return 1.0
    darker = np.cumsum(np.bincount(luma, minlength=256))
    bright = max(1, int(np.searchsorted(20 * darker, 19 * len(luma))))
    share = min(max((BEGINS - bright) / (BEGINS - WHOLE), 0.0), 1.0)
    return 1 + share * (min(USUAL / bright, MOST) - 1)


@lru_cache
def _face() -> Mask:
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    (middle_x, middle_y), (across, down) = MIDDLE, AXES
    inside = ((x - middle_x) * down) ** 2 + ((y - middle_y) * across) ** 2 <= (across * down) ** 2
    return np.asarray(inside, np.bool_)
