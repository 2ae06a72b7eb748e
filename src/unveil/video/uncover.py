"""Occluders that memory betrays: where one may be, and the face is remembered otherwise, it is.

All views are asked before any of them is remembered. A view beside one that shows an occluder may
show it, too, and would say that the face looks like that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unveil.imaging import Mask, grow, pixels, put
from unveil.video.covered import FOLLOWED, covered
from unveil.video.memory import Seen, Sources, Trail, blended, look_up
from unveil.video.motion import here, opposite
from unveil.video.recall import RIM
from unveil.video.smooth import EDGE
from unveil.video.view import NOTHING, View


def trail_back(
    views: Sequence[View], known: Sequence[Mask], asked: Sequence[Mask]
) -> dict[int, Seen]:
    """Where each pixel of each view, by its number, will be seen next.

    Args:
        views: from the oldest to the newest.
        known: (256, 256) for each, which of its pixels are really seen.
        asked: (256, 256) for the first ones, where it is wanted though it is known.
    """
    trail, seen = Trail(), {}
    back = NOTHING
    for i, view in reversed(list(enumerate(views))):
        also = asked[i] if i < len(asked) else None
        seen[view.number] = trail.step(view.number, back, known[i], also)
        back = opposite(view.flow_back)
    return seen


def uncover(views: Sequence[View], count: int, past: Trail, sources: Sources) -> None:
    """Hide what shows an occluder that the network did not find, in the first `count` views.

    Args:
        views: from the oldest to the newest.
        past: where each pixel was seen in the views before them.
        sources: the faces of all.
    """
    due = views[:count]
    followed = [_followed(view) for view in due]
    if not any(where.any() for where in followed):
        return
    known = [view.known for view in views]
    known[:count] = [k & ~where for k, where in zip(known, followed, strict=False)]
    asked = [grow(view.hidden | where, RIM) for view, where in zip(due, followed, strict=True)]
    future, past = trail_back(views, known, asked), past.branch()
    for i, view in enumerate(due):
        seen = past.step(view.number, view.flow_back, known[i], asked[i])
        if followed[i].any():
            _hide(view, followed[i], (seen, future[view.number]), sources)


def _followed(view: View) -> Mask:
    """Where an occluder may be in a view that the network did not find there."""
    if not view.traces:
        return np.zeros_like(view.hidden)
    sure = np.any([trace[..., 0] > FOLLOWED for trace in view.traces], axis=0)
    where = (sure | grow(view.hidden, RIM)) & ~view.hidden & view.inside
    return np.asarray(where, dtype=np.bool_)


def _hide(view: View, followed: Mask, seen: tuple[Seen, Seen], sources: Sources) -> None:
    colours, trust = view.face.astype(np.float32), np.zeros(followed.shape, np.float32)
    points = pixels(here(), followed)
    memories = [look_up(view.number, each.away, points, sources) for each in seen]
    shown, trust[followed] = blended(memories)
    put(colours, shown, followed)
    more = covered(view.face, view.hidden, view.traces, colours, trust)
    if more.any():
        view.hidden = view.hidden | more
        view.blind, view.uncovered = view.blind | more, more
        view.known = view.known & ~grow(more, EDGE)
        sources.show(view.number, view.known)
