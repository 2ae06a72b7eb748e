"""What cameras and detectors do to faces that a segmenter must still see through."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Photo, to_uint8


def rough_up(
    photo: Photo, mask: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Photo, NDArray[np.float32]]:
    """Misalign, dim, tint, grey, blur and compress an occluded face, each only sometimes.

    Args:
        photo: (S, S, 3) uint8.
        mask: (S, S) float32, moves with the photo.
    """
    if rng.random() < 0.7:
        photo, mask = _move(photo, mask, rng)
    if rng.random() < 0.5:
        gain = rng.uniform(0.45, 1.35) * rng.uniform(0.9, 1.1, 3)
        gamma = rng.uniform(0.75, 1.35)
        ramp = np.linspace(0, 1, 256)[:, None] ** gamma * gain * 255
        photo = cv2.LUT(photo, to_uint8(ramp)[None])
    if rng.random() < 0.08:
        photo = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if rng.random() < 0.3:
        side = len(photo)
        small = cv2.resize(photo, None, fx=(f := rng.uniform(0.25, 0.9)), fy=f)
        photo = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))]
        photo = cv2.imdecode(cv2.imencode(".jpg", photo, quality)[1], cv2.IMREAD_COLOR)
    return np.asarray(photo, np.uint8), mask


def _move(
    photo: Photo, mask: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Photo, NDArray[np.float32]]:
    """Turn, scale and shift, as a detector with wrong points would."""
    side = len(photo)
    turn = rng.normal(0, 6)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn, rng.uniform(0.85, 1.15))
    matrix[:, 2] += rng.normal(0, 0.03 * side, 2)
    moved = cv2.warpAffine(photo, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    hidden = cv2.warpAffine(mask, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8), np.asarray(hidden, np.float32)
