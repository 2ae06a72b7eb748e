"""How near to the truth a restored clip is, and how much it flickers.

Flicker: the mean absolute difference, in grey levels, of pixels and the ones that lay there a frame
before, found by dense optical flow of the clean clip (the warping error of Lai et al., "Learning
Blind Video Temporal Consistency", 2018, section 4.2). The clean clip's own is that of its noise, of
what flow cannot follow, and of expressions; where nothing moves and the codec repeats itself it is
near 0, and a ratio to it means little: so grey levels are given too.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from unveil.evaluation.metrics import psnr
from unveil.faces.align import Array
from unveil.imaging import FACE_SIZE, Mask, Photo

# Of the 256 pixels of the face's frame, on each side: further off was no frame found in 32 frames
# of two clips, and what lies there counted as an error of who drew the frame.
RIM = 16
LEAST = 100  # hidden pixels; a frame with fewer says nothing


def regions(masks: Sequence[Mask], maps: Sequence[Array]) -> list[Mask]:
    """Of each frame the hidden pixels within the face's frame, but for its rim.

    Args:
        masks: (H, W) bool, True = hidden.
        maps: (2, 3), from the frame to the aligned face.
    """
    full = np.zeros((FACE_SIZE, FACE_SIZE), np.uint8)
    full[RIM:-RIM, RIM:-RIM] = 255
    flags, kept = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, []
    for mask, matrix in zip(masks, maps, strict=True):
        inside = cv2.warpAffine(full, matrix, mask.shape[::-1], flags=flags) > 0
        kept.append(np.asarray(mask & inside))
    return kept


class Truth:
    """A clean piece of a clip, (H, W, 3) uint8 frames, and how it moves."""

    def __init__(self, frames: Sequence[Photo]) -> None:
        self.frames = frames
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
        height, width = greys[0].shape
        here = np.stack(np.meshgrid(np.arange(width), np.arange(height)), 2).astype(np.float32)
        pairs = zip(greys[1:], greys[:-1], strict=True)
        # Of each frame but the first, (H, W, 2): where in the one before each pixel lay, x and y.
        self.before = [
            np.asarray(here + dis.calc(now, then, None))  # type: ignore[call-overload]
            for now, then in pairs
        ]

    def scores(self, restored: Sequence[Photo], hidden: Sequence[Mask]) -> dict[str, float]:
        """Mean PSNR (dB) and flicker (grey levels) of the hidden pixels, over the frames that hide
        `LEAST` of them.

        Args:
            restored: frames, as the clean ones.
            hidden: (H, W) bool for each, as of `regions`.
        """
        values, flicker = [], []
        for i, (clean, new, mask) in enumerate(zip(self.frames, restored, hidden, strict=True)):
            if mask.sum() < LEAST:
                continue
            values.append(psnr(clean[mask], new[mask]))
            if i:
                x, y = cv2.split(self.before[i - 1])
                old = cv2.remap(restored[i - 1], x, y, cv2.INTER_LINEAR)
                flicker.append(float(np.abs(new[mask].astype(float) - old[mask]).mean()))
        return {"psnr_hidden": float(np.mean(values)), "flicker": float(np.mean(flicker))}
