"""What of a found occluder mask is taken for hidden."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import FACE_SIZE, LUMA, Mask, Photo, grow, shrunk

FOUND_THRESHOLD = 0.5
# Of what is found, a part counts only if so much of it is as sure as this: real masks are, hair and
# hands taken for one are not (hysteresis; Canny, 1986). See docs/log.md.
SURE, SURE_SHARE = 0.85, 0.15
# Middle and half axes of the head with its hair; what is surely found on fewer pixels of it hides
# no part of the face: it is somebody's sleeve, or a thing behind.
HEAD, ON_HEAD = ((128, 128), (76, 114)), 20
# Pixels; a smaller hole in what is found is a gap in the finding.
HOLE = 400
# A found mask is unsure of its outermost pixels, and a shadow lies beside it; what is left is taken
# for face and smeared into the hole. 3 was best of 1 to 6: docs/log.md.
FOUND_MARGIN = 3
# Ear loops, cords and hems are found faintly. What begins at the occluder, is fainter than it, and
# goes on for so many pixels counts too, unless a square of so many fits in it (a few gaps aside):
# then it is an ear, hair or a neck. See docs/log.md.
FAINT, STRAP_LENGTH, STRAP_WIDTH, GAP = 0.25, 6, 9, 2
# Rows and columns of the frame where the face lies; the mean step in luma from pixel to pixel
# there, in 0..255, and as a share of the deviation: in a dark photo only the first is small.
INSIDE, LEAST_STEP, LEAST_SHARE = (slice(40, 216), slice(56, 200)), 0.8, 0.04


def hidden_part(occluder: NDArray[np.float32]) -> Mask:
    """What of an occluder mask (256, 256) in [0, 1] is taken for hidden, and a margin."""
    hidden = grow(believed(occluder), FOUND_MARGIN)
    return hidden | grow(_straps(occluder, hidden), FOUND_MARGIN)


def believed(occluder: NDArray[np.float32], near: Mask | None = None) -> Mask:
    """What of an occluder mask counts: its parts that are sure, if any of them reaches the head.

    Args:
        occluder: (256, 256) in [0, 1].
        near: (256, 256), what counts in other frames of a clip: a part that lies mostly there
            counts too.

    Returns:
        (256, 256) bool.
    """
    found = occluder > FOUND_THRESHOLD
    count, parts = cv2.connectedComponents(found.astype(np.uint8))
    sizes = np.bincount(parts.ravel(), minlength=count)
    sure = np.bincount(parts[occluder >= SURE], minlength=count)
    keep = sure >= SURE_SHARE * sizes
    if near is not None:
        keep |= np.bincount(parts[near], minlength=count) > sizes / 2
    keep[0] = False
    kept = keep[parts]
    if near is None and np.count_nonzero(kept & (occluder >= SURE) & _head()) < ON_HEAD:
        kept[:] = False
    return _closed(np.asarray(kept, dtype=np.bool_))


def _straps(occluder: NDArray[np.float32], hidden: Mask) -> Mask:
    """What is thin and hangs on what is hidden, without a margin."""
    faint = (occluder > FAINT) & ~hidden
    solid = shrunk(grow(faint, GAP), GAP)
    thin = faint & ~grow(shrunk(solid, STRAP_WIDTH // 2), STRAP_WIDTH // 2)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(thin.astype(np.uint8))
    long = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(1) >= STRAP_LENGTH
    hangs = np.zeros(len(stats), np.bool_)
    hangs[parts[grow(hidden, 1)]] = True
    hangs[0] = False  # all that is not thin
    return np.asarray((hangs & long)[parts], dtype=np.bool_)


def out_of_focus(face: Photo) -> bool:
    """Whether an aligned face, (256, 256, 3) uint8, is a mere blur.

    Its darker parts are taken for occluders, and what is invented would be all that is sharp in it.
    In 48 photos such a head far behind had steps of 0.65, a masked face 3.2 and more (docs/log.md).
    """
    luma = (face[INSIDE] @ LUMA).astype(np.float32)
    step = float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean()) / 2
    return step < LEAST_STEP and step < LEAST_SHARE * float(luma.std())


@lru_cache
def _head() -> Mask:
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    (middle_x, middle_y), (across, down) = HEAD
    inside = ((x - middle_x) / across) ** 2 + ((y - middle_y) / down) ** 2 <= 1
    return np.asarray(inside, dtype=np.bool_)


def _closed(mask: Mask) -> Mask:
    """A mask without its small holes: what shows there is the occluder, and would tint the fill."""
    # OpenCV's own statistics, of all there is to know of a part, take longer than finding it.
    count, parts = cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)
    small = np.bincount(parts.ravel(), minlength=count) < HOLE
    small[0] = False  # the mask itself
    return np.asarray(mask | small[parts], dtype=np.bool_)
