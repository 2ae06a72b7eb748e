"""What was seen before and what will be seen after, brought together behind an occluder.

Each is carried here by a motion that nobody saw, so that the further it came, the further it is
off, and the two lie beside each other. But both show the same piece of the face: how far they are
apart says how wrong the motion was, and each gives way by its share of the way (motion-compensated
interpolation; e.g. Baker et al., "A Database and Evaluation Methodology for Optical Flow", 2011,
section 3.3.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import FACE_SIZE, Mask, Photo, grow, pixels, put, to_uint8
from unveil.video.head import Array
from unveil.video.light import inwards
from unveil.video.memory import MOST_LIGHT, Memory, Seen, Sources, blended, look_up
from unveil.video.motion import Flow, here

LEAST = 64  # pixels that both show; of fewer, no motion can be told
SPREAD, FURTHEST = 6.0, 8.0  # pixels: how smooth the correction is, and how far it goes
# Pixels a frame: so wrong the motion may be of a face that seems not to move.
UNSEEN = 0.02
RIM = 8  # pixels around what is hidden that tell its light
LEAST_TOLD = 0.1  # the share of a cell that must tell it


def recall(
    now: int,
    face: Photo,
    hidden: Mask,
    past: Seen,
    future: Seen | None,
    sources: Sources,
    flow: Flow,
) -> tuple[Array, Array]:
    """The colours of hidden pixels as they were or will be seen.

    Args:
        now: the number of the frame.
        face, hidden: (256, 256, 3) uint8 and (256, 256) bool, of the frame.
        past, future: where its pixels were seen, and those that are `RIM` from it, elsewhere.
        sources: the frames that `past` and `future` name.
        flow: finds how far the two are apart.

    Returns:
        (n, 3) colours and (n,) trust in them, 0..1.
    """
    colours, trust = _met(now, face, hidden, (past, future), sources, flow)
    seen = [each for each in (past, future) if each is not None]
    return colours + pixels(_light(now, face, hidden, seen, sources), hidden), trust


def _met(
    now: int,
    face: Photo,
    hidden: Mask,
    seen: tuple[Seen, Seen | None],
    sources: Sources,
    flow: Flow,
) -> tuple[Array, Array]:
    past, future = seen
    points = pixels(here(), hidden)
    before = look_up(now, past, points, sources)
    if future is None:
        return blended([before])
    after = look_up(now, future, points, sources)
    both = before.seen & after.seen
    if np.count_nonzero(both) < LEAST:
        return blended([before, after])
    apart = _apart(face, hidden, (before, after), both, flow)
    ways = (before.way + UNSEEN * before.age, after.way + UNSEEN * after.age)
    share = (ways[0] / np.maximum(ways[0] + ways[1], 1e-6))[:, None]
    met = (
        look_up(now, past, points - share * apart, sources),
        look_up(now, future, points + (1 - share) * apart, sources),
    )
    pairs = zip(met, (before, after), strict=True)
    return blended([_either(both & new.seen, new, old) for new, old in pairs])


def _light(now: int, face: Photo, hidden: Mask, seen: Sequence[Seen], sources: Sources) -> Array:
    """(256, 256, 3): how much brighter the face is around what is hidden than it was then.

    Of the pixels beside it, what they are now and what is remembered of them are both known; what
    lies between goes over from one to the other, so that no seam shows where a lamp, or the face's
    turn to one, has changed it since.
    """
    rim = grow(hidden, RIM) & (seen[0].state[..., 2] == now)
    change, told = np.zeros((*hidden.shape, 3), np.float32), np.zeros(hidden.shape, np.float32)
    if rim.any():
        points = pixels(here(), rim)
        colours, trust = blended([look_up(now, each.away, points, sources) for each in seen])
        told[rim] = trust > 0
        put(change, np.clip(pixels(face, rim) - colours, -MOST_LIGHT, MOST_LIGHT), rim)
    light = inwards(change, told, LEAST_TOLD)
    return np.asarray(cv2.resize(light, (FACE_SIZE, FACE_SIZE)), dtype=np.float32)


def _apart(
    face: Photo, hidden: Mask, memories: tuple[Memory, Memory], both: NDArray[np.bool_], flow: Flow
) -> Array:
    """(n, 2): from where the past shows a piece of the face to where the future shows it."""
    mean = face[~hidden].mean(axis=0) if not hidden.all() else np.float32(128)
    shown = []
    for memory, other in (memories, memories[::-1]):
        # What one of them alone has seen says nothing: both show it.
        alone = np.where(other.seen[:, None], other.colours, mean)
        picture = face.copy()
        picture[hidden] = to_uint8(np.where(memory.seen[:, None], memory.colours, alone))
        shown.append(picture)
    there = np.zeros((FACE_SIZE, FACE_SIZE), dtype=np.float32)
    there[hidden] = both
    measured = flow.fine(shown[0], shown[1]) * there[..., None]
    total, weight = (np.asarray(cv2.GaussianBlur(v, (0, 0), SPREAD)) for v in (measured, there))
    apart = total[hidden] / np.maximum(weight[hidden], 1e-3)[:, None]
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    return np.asarray(apart * np.minimum(1, FURTHEST / np.maximum(length, 1e-6)), np.float32)


def _either(choose: NDArray[np.bool_], first: Memory, second: Memory) -> Memory:
    """`first` where `choose`, else `second`."""
    return Memory(
        np.where(choose[:, None], first.colours, second.colours),
        np.where(choose, first.age, second.age),
        np.where(choose, first.seen, second.seen),
        np.where(choose, first.way, second.way),
    )
