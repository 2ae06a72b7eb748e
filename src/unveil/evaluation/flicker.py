"""How near to the truth a restored clip is, and how much it flickers.

Flicker: the mean absolute difference, in grey levels, of pixels and the ones that lay there a frame
before, found by dense optical flow (the warping error of Lai et al., "Learning Blind Video
Temporal Consistency", 2018, section 4.2). By the flow of the clean clip it also counts what moves
otherwise than the truth: a fill that shakes, and lips that nobody sees and the fill cannot follow.
By the flow of the restored clip itself it counts what no motion explains: what blinks, boils or
fades, but not what shakes. So both are measured.

The clean clip's is that of its noise, of what flow cannot follow, and of expressions; where nothing
moves and the codec repeats itself it is near 0, and a ratio to it means little: so grey levels are
given too.
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


def motion(frames: Sequence[Photo]) -> list[Array]:
    """Of each frame but the first, where in the one before each pixel lay: (H, W, 2), x and y.

    Args:
        frames: (H, W, 3) uint8.
    """
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    height, width = greys[0].shape
    here = np.stack(np.meshgrid(np.arange(width), np.arange(height)), 2).astype(np.float32)
    return [
        np.asarray(here + dis.calc(now, then, None))  # type: ignore[call-overload]
        for now, then in zip(greys[1:], greys[:-1], strict=True)
    ]


def flicker(frames: Sequence[Photo], hidden: Sequence[Mask], before: Sequence[Array]) -> float:
    """Mean change of the hidden pixels from frame to frame, in grey levels, motion allowed for.

    Frames that hide fewer than `LEAST` pixels do not count.

    Args:
        frames: (H, W, 3) uint8.
        hidden: (H, W) bool for each, as of `regions`.
        before: where pixels come from, as of `motion`: the frames' own or the truth's.
    """
    changes = []
    for then, now, mask, places in zip(frames[:-1], frames[1:], hidden[1:], before, strict=True):
        if mask.sum() < LEAST:
            continue
        x, y = cv2.split(places)
        old = cv2.remap(then, x, y, cv2.INTER_LINEAR)
        changes.append(float(np.abs(now[mask].astype(float) - old[mask]).mean()))
    return float(np.mean(changes))


class Truth:
    """A clean piece of a clip, (H, W, 3) uint8 frames, and how it moves."""

    def __init__(self, frames: Sequence[Photo]) -> None:
        self.frames, self.before = frames, motion(frames)

    def scores(self, restored: Sequence[Photo], hidden: Sequence[Mask]) -> dict[str, float]:
        """Mean PSNR (dB) and flicker (grey levels) of the hidden pixels, over the frames that hide
        `LEAST` of them: `flicker` by the clean clip's motion, `flicker_own` by the restored one's.

        Args:
            restored: frames, as the clean ones.
            hidden: (H, W) bool for each, as of `regions`.
        """
        values = [
            psnr(clean[mask], new[mask])
            for clean, new, mask in zip(self.frames, restored, hidden, strict=True)
            if mask.sum() >= LEAST
        ]
        return {
            "psnr_hidden": float(np.mean(values)),
            "flicker": flicker(restored, hidden, self.before),
            "flicker_own": flicker(restored, hidden, motion(restored)),
        }
