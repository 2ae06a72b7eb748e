"""Whether two faces are one: by place, by what they look like."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.faces.align import cut, fit
from unveil.imaging import Photo
from unveil.video.motion import Box


def thumbnail(photo: Photo, points: NDArray[np.floating]) -> NDArray[np.float32]:
    """(16, 16, 3): what a face looks like, its own brightness taken out."""
    face = cut(photo, fit(points))
    small = np.asarray(cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA), dtype=np.float32)
    return np.asarray(small - small.mean(), dtype=np.float32)


def shared(box: Box, other: Box) -> float:
    """The part of a box that another one covers."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max((box[2] - box[0]) * (box[3] - box[1]), 1e-6)
