"""Where an occluder was before it was found, and where it went.

The network finds what comes into a face when much of it is there. What it came from is no face
either: nothing to remember, and nothing whose motion is that of the face. What it covers on its
way is doubted with it: fast hands are lost by flows that are asked to agree both ways, and older
frames know the face as well (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unveil.faces.hidden import FOUND_THRESHOLD
from unveil.video.head import Array
from unveil.video.motion import warp

# A frame: after 10 frames, an occluder that is found no more is forgotten.
LINGERS = 0.85
# And after two, while the network finds so much of what may be there.
SOON, MOSTLY = 0.5, 0.5


def lingering(
    occluders: Sequence[Array], flows: Sequence[tuple[Array, Array]], before: Array | None
) -> tuple[list[Array], list[Array]]:
    """Where each frame may show an occluder that was found before, or is only found later.

    Args:
        occluders: (256, 256) in [0, 1], one for each frame.
        flows: of every frame, from its pixels to those of the frame before, and from that frame's
            to its own; of the first one, unused if there is no `before`.
        before: what lingers in the frame before the first; None: there is none.

    Returns:
        (256, 256) in [0, 1] for each frame, at least its occluder; and the part of it that comes
        from before.
    """
    coming, going = [], []
    state = before
    for occluder, (back, _) in zip(occluders, flows, strict=True):
        state = occluder if state is None else _next(occluder, warp(state, back))
        coming.append(state)
    state = occluders[-1]
    for occluder, (_, there) in zip(occluders[-2::-1], flows[:0:-1], strict=True):
        going.append(state)
        state = _next(occluder, warp(state, there))
    going.append(state)
    return [np.maximum(*both) for both in zip(coming, going[::-1], strict=True)], coming


def _next(occluder: Array, moved: Array) -> Array:
    """What may be an occluder, from what is found in a frame and what comes from the last one."""
    found = np.count_nonzero(occluder > FOUND_THRESHOLD)
    mostly = found > MOSTLY * np.count_nonzero(moved > FOUND_THRESHOLD)
    kept = np.float32(SOON if mostly else LINGERS) * moved
    return np.asarray(np.maximum(occluder, kept), dtype=np.float32)


def came_from(occluder: Array, flows: Sequence[tuple[Array, Array]]) -> list[Array]:
    """Where an occluder may have been in the frames before, the last one first.

    Args:
        occluder: (256, 256) in [0, 1], of a frame.
        flows: as of `lingering`, of this frame and those before it, this one's first.

    Returns:
        (256, 256) in [0, 1] for each frame before.
    """
    places = []
    for _, there in flows:
        occluder = warp(occluder, there)
        places.append(occluder)
    return places
