"""An occluder that the network does not find, as little of it is in the face yet, or still.

Two things betray it: it looks as it does where it was found, and not as the face does there in
other frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from unveil.faces.grain import around
from unveil.faces.hidden import FOUND_MARGIN, FOUND_THRESHOLD
from unveil.imaging import Mask, Photo, grow, paint, shrunk
from unveil.video.head import Array
from unveil.video.lingering import LINGERS
from unveil.video.motion import warp
from unveil.video.recall import RIM

FOLLOWED = 0.1  # so sure it must be where the occluder came from, or went: within 14 frames
KNOWN = 0.5  # and so sure what the face looks like
DIFFERENT = 20.0  # grey levels
NEARER = 0.7  # times that, and it is the occluder's
# Beside an occluder, within `RIM`, its rim may be left: so many grey levels from the face.
OTHER = 60.0
PATCH = 5  # pixels: the mean of so many squared is compared
SPECK = 2  # pixels: what is thinner than twice that is no occluder


def traces(
    occluders: Sequence[Array],
    faces: Sequence[Photo],
    flows: Sequence[tuple[Array, Array]],
    before: Array | None,
    count: int,
) -> tuple[list[Array], list[Array]]:
    """Where an occluder that is found in some frames may be in others, and what it looks like.

    Args:
        occluders: (256, 256) in [0, 1], one for each frame.
        faces: (256, 256, 3) uint8, the frames.
        flows: as of `lingering`.
        before: the trace in the frame before the first; None: there is none.
        count: of so many frames, the first, it is wanted.

    Returns:
        Traces, (256, 256, 4) for each of these: how sure it is, in [0, 1], and the colours that it
        had where it was found. First those of what comes from before, then those of what is found
        later.
    """
    coming: list[Array] = []
    later: list[Array] = []
    state = before
    for occluder, face, (back, _) in list(zip(occluders, faces, flows, strict=True))[:count]:
        state = _next(_seen(occluder, face), state, back)
        coming.append(state)
    state, there = None, flows[0][1]
    for i, (occluder, face) in reversed(list(enumerate(zip(occluders, faces, strict=True)))):
        state = _next(_seen(occluder, face), state, there)
        there = flows[i][1]
        if i < count:
            later.append(state)
    return coming, later[::-1]


def _seen(occluder: Array, face: Photo) -> Array:
    """The trace of what is found in a frame itself; of the rest nobody knows what it looks like."""
    sure = np.where(occluder > FOUND_THRESHOLD, occluder, np.float32(0))
    return np.asarray(cv2.merge([sure, *cv2.split(face.astype(np.float32))]), dtype=np.float32)


def _next(seen: Array, last: Array | None, flow: Array) -> Array:
    """The trace of a frame from its own and that of the frame that `flow` leads to."""
    if last is None:
        return seen
    state = warp(last, flow)
    state[..., 0] *= np.float32(LINGERS)
    paint(state, seen, seen[..., 0] >= state[..., 0])
    return state


def covered(
    face: Photo, hidden: Mask, followed: Sequence[Array], remembered: Array, trust: Array
) -> Mask:
    """Which pixels show an occluder, too.

    Args:
        face: (256, 256, 3) uint8.
        hidden: (256, 256), what of it the network finds.
        followed: (256, 256, 4) each, see `traces`.
        remembered: (256, 256, 3), what the face looks like there in other frames.
        trust: (256, 256) in [0, 1], how sure that is; 0 where it is not asked.

    Returns:
        (256, 256) bool, with a margin, where the face is remembered.
    """
    where = trust > KNOWN
    result = np.zeros(where.shape, dtype=np.bool_)
    if not where.any():
        return result
    window = around(grow(where, PATCH))
    known, seen, then = where[window], face[window], remembered[window]
    from_face = _apart(seen, then, known)
    found = np.zeros(known.shape, dtype=np.bool_)
    for trace in (whole[window] for whole in followed):
        sure = trace[..., 0] > FOLLOWED
        found |= sure & (_apart(seen, trace[..., 1:], sure) < NEARER * from_face)
    found &= known & (from_face > DIFFERENT)
    found = grow(shrunk(found, SPECK), SPECK)
    beside = grow(found | hidden[window], RIM) & (_largest(seen - then) > OTHER)
    found |= beside & known
    result[window] = grow(found, FOUND_MARGIN + 1) & known
    return result


def _apart(face: Photo, other: Array, where: Mask) -> Array:
    """(H, W): how far the colours of two faces are apart around each pixel."""
    weight = cv2.blur(where.astype(np.float32), (PATCH, PATCH))
    apart = np.zeros(other.shape, np.float32)
    paint(apart, np.asarray(face - other, np.float32), where)
    change = np.asarray(cv2.blur(apart, (PATCH, PATCH)), dtype=np.float32)
    return np.asarray(_largest(change) / np.maximum(weight, 1e-6), dtype=np.float32)


def _largest(change: Array) -> Array:
    """(H, W): the largest of three channels, whatever its sign."""
    red, green, blue = cv2.split(np.abs(change))
    return np.asarray(cv2.max(cv2.max(red, green), blue), dtype=np.float32)
