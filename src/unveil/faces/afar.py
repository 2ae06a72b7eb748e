"""What a look from further away says of an occluder that reaches its frame's lower edge."""

from __future__ import annotations

import cv2
import numpy as np

from unveil.faces.align import invert
from unveil.imaging import FACE_SIZE, Mask, grow, shrunk

# From a face's frame to one that shows as much again as a mask may hang below it.
FAR = np.array([[0.75, 0, 32], [0, 0.75, 0]])
# A mask that this many pixels of the frame's lower edge show goes on below it.
HANGING = 16
FRAME_END = 192  # the frame's lower edge, seen from afar
# Pixels: what is so far from all that is found from afar, and reaches so far on every side of its
# middle, is no occluder. Straps are thinner. See docs/log.md.
DENIED_FROM, BROAD = 5, 4
# Pixels: a mask grows narrower below the chin; what is wider by more is a neck or a shirt.
SPREAD = 8


def reaches_below(hidden: Mask) -> bool:
    """Whether what is hidden of a face, (256, 256), goes on below its frame."""
    return int(hidden[-1].sum()) >= HANGING


def agreed(hidden: Mask, afar: Mask) -> Mask:
    """What is hidden without its broad parts that are not seen from afar, if those are the less.

    A neck or a shoulder is taken for a part of the mask above it where little else of it is seen.

    Args:
        hidden: (256, 256), found in the face's frame.
        afar: (256, 256), found in the frame of `FAR`.
    """
    near = cv2.warpAffine(afar.astype(np.uint8), invert(FAR), (FACE_SIZE, FACE_SIZE)) > 0
    denied = shrunk(hidden & ~grow(near, DENIED_FROM), BROAD)
    left = hidden & ~grow(denied, BROAD)
    # Scraps of what is denied go with it.
    left = _touching(left, near)
    return left if denied.any() and 2 * left.sum() > hidden.sum() else hidden


def below(hidden: Mask, afar: Mask, inside: Mask) -> Mask | None:
    """What of a face's occluder hangs below its frame, seen from `FAR`; None: nothing.

    Beyond the photo's edge it goes on as the photo does: what is there is no face either.

    Args:
        hidden: (256, 256), what counts in the face's frame.
        afar, inside: (256, 256), what is found, and what the photo shows, in the frame of `FAR`.
    """
    above = cv2.warpAffine(hidden.astype(np.uint8), FAR, (FACE_SIZE, FACE_SIZE)) > 0
    edge = above[FRAME_END - 2 : FRAME_END].max(axis=0, keepdims=True)
    found = afar & grow(edge, SPREAD)
    found[: FRAME_END - 2] = False
    found = _touching(found, above)
    seen = found & inside
    # An arm or a scarf goes on: to take away some of it would be worse than to leave it.
    return None if seen[-1].any() or not seen.any() else found


def _touching(mask: Mask, other: Mask) -> Mask:
    """The parts of a mask that share a pixel with another."""
    parts = cv2.connectedComponents(mask.astype(np.uint8))[1]
    shared = np.unique(parts[mask & other])
    return np.asarray(np.isin(parts, shared[shared > 0]), dtype=np.bool_)
