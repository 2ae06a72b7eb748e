"""Photos of other kinds: what each does to a clean face, (S, S, 3) uint8 -> the same."""

from __future__ import annotations

import cv2
import numpy as np

from unveil.imaging import Photo, resize, through_jpeg, to_uint8

JPEG_QUALITY = 30
LIGHT, NIGHT = 0.25, 0.02
TURN = 20.0  # degrees
SMALL = 64  # pixels


def jpeg(face: Photo) -> Photo:
    """Saved as a JPEG of quality 30."""
    return through_jpeg(face, JPEG_QUALITY)


def dark(face: Photo) -> Photo:
    """A quarter of the light, in the linear values of sRGB (about half of the stored ones)."""
    return _darkened(face, LIGHT)


def night(face: Photo) -> Photo:
    """A fiftieth of the light (about a sixth of the stored values)."""
    return _darkened(face, NIGHT)


def _darkened(face: Photo, light: float) -> Photo:
    return to_uint8(face * np.float32(light ** (1 / 2.2)))


def turned(face: Photo) -> Photo:
    """Turned by 20 degrees about the middle, as by an alignment that failed."""
    side = len(face)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), TURN, 1.0)
    turned = cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(turned, dtype=np.uint8)


def small(face: Photo) -> Photo:
    """From a face of 64 pixels."""
    return np.asarray(resize(resize(face, SMALL), len(face)), dtype=np.uint8)
