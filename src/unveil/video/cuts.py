"""Finds scene cuts: where a frame has little to do with the one before."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 32
# Mean grey levels between frames, of thumbnails: a cut has this many, and so many times more than
# the frames before it, or a fast pan would be a series of cuts.
LEAST, TIMES = 18.0, 3.0


class CutFinder:
    """Told each frame in turn."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._usual = 0.0

    def is_cut(self, grey: NDArray[np.uint8]) -> bool:
        """Whether a new scene begins with this grey frame (H, W); never with the first one."""
        small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        last, self._last = self._last, small
        if last is None:
            return False
        change = float(np.abs(small - last).mean())
        cut = change > max(LEAST, TIMES * self._usual)
        if not cut:
            self._usual += 0.3 * (change - self._usual)
        return cut
