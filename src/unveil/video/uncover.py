"""Occluders that memory betrays: where one may be, and the face is remembered otherwise, it is.

All views are asked before any of them is remembered. A view beside one that shows an occluder may
show it, too, and would say that the face looks like that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unveil.imaging import Mask, grow, pixels, put
from unveil.video.covered import FOLLOWED, covered
from unveil.video.head import Array
from unveil.video.memory import Seen, Sources, Trail, blended, look_up
from unveil.video.motion import here
from unveil.video.recall import RIM
from unveil.video.smooth import EDGE
from unveil.video.view import NOTHING, View


@dataclass(frozen=True)
class Later:
    """Where each pixel of the first of some views will be seen next, for the view before it.

    Attributes:
        trail: from the newest of them to the first.
        flow: (256, 256, 2), from the pixels of the view before to those of the first.
    """

    trail: Trail
    flow: Array

    @classmethod
    def of(cls, views: Sequence[View]) -> Later:
        """Of views from the oldest to the newest; there may be none."""
        trail, flow = Trail(), NOTHING
        for view in reversed(views):
            trail.step(view.number, flow, view.known)
            flow = view.flow_there
        return cls(trail, flow)


def trail_back(
    views: Sequence[View], known: Sequence[Mask], asked: Sequence[Mask], later: Later
) -> dict[int, Seen]:
    """Where each pixel of each view, by its number, will be seen next.

    Args:
        views: from the oldest to the newest.
        known: (256, 256) for each, which of its pixels are really seen.
        asked: (256, 256) for each, where it is wanted though it is known.
        later: of the views that follow them.
    """
    trail, seen = later.trail.branch(), {}
    onward = [*(view.flow_there for view in views[1:]), later.flow]
    for view, *told in reversed(list(zip(views, onward, known, asked, strict=True))):
        seen[view.number] = trail.step(view.number, *told)
    return seen


def uncover(due: Sequence[View], past: Trail, later: Later, sources: Sources) -> None:
    """Hide what shows an occluder that the network did not find.

    Args:
        due: the views, from the oldest to the newest.
        past: where each pixel was seen in the views before them.
        later: of the views that follow them.
        sources: the faces of all.
    """
    followed = [_followed(view) for view in due]
    if not any(where.any() for where in followed):
        return
    known = [view.known & ~where for view, where in zip(due, followed, strict=True)]
    asked = [grow(view.hidden | where, RIM) for view, where in zip(due, followed, strict=True)]
    future, past = trail_back(due, known, asked, later), past.branch()
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
