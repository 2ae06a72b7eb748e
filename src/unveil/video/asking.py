"""In which frames the network is asked what hides a face.

In every fourth, and in all between two whose masks differ: what hides the face comes, goes or
moves on there, often faster than its pixels can be followed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unveil.faces.hidden import FOUND_THRESHOLD
from unveil.imaging import Mask
from unveil.video.head import Array
from unveil.video.view import View

MASK_EVERY = 4  # frames
# Masks differ if more pixels than this are in one of them alone, and this share of all in both.
LEAST, SHARE = 200, 0.25


def due(view: View) -> bool:
    """Whether the network is to be asked of a view in any case."""
    return view.number % MASK_EVERY == 0 or view.motion is None


def between(views: Iterable[View], before: Array | None) -> list[View]:
    """The views, not asked of, between two whose masks differ.

    Args:
        views: from the oldest to the newest.
        before: the last mask, (256, 256) in [0, 1], of those before them; None: there is none.
    """
    result: list[View] = []
    waiting: list[View] = []
    last = None if before is None else before > FOUND_THRESHOLD
    for view in views:
        if view.found is None:
            waiting.append(view)
            continue
        mask = view.found > FOUND_THRESHOLD
        if last is not None and _differ(last, mask):
            result += waiting
        last, waiting = mask, []
    return result


def _differ(one: Mask, other: Mask) -> bool:
    apart = np.count_nonzero(one ^ other)
    return bool(apart > max(LEAST, SHARE * np.count_nonzero(one | other)))
