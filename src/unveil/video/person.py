"""One person's face through the clip, in its aligned 256x256 frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from unveil.faces.hidden import believed
from unveil.imaging import Mask, grow
from unveil.video.covered import traces
from unveil.video.head import Array
from unveil.video.lingering import came_from, lingering
from unveil.video.memory import FORGOTTEN, Sources, Trail
from unveil.video.motion import Flow
from unveil.video.recall import RIM, recall
from unveil.video.smooth import (
    EDGE,
    MAYBE,
    SURE_FRAMES,
    Canvas,
    counted,
    steady,
    surely_seen,
    threshold,
)
from unveil.video.steadiness import Steadiness
from unveil.video.uncover import Later, trail_back, uncover
from unveil.video.view import NOTHING, Task, View

MEASURED_AGAIN = 200  # pixels that are found to be no face


class Person:
    """The views of a track, from the oldest that is not done to the newest.

    Args:
        settings: how many views wait, and whether pixels of other frames are used.
    """

    def __init__(self, settings: Steadiness) -> None:
        self.views: deque[View] = deque()
        self.remember = settings.remember
        self._flow = Flow()
        self._sources = Sources(FORGOTTEN + settings.window + 1)
        self._past = Trail(settings.undone)
        # The last ones, the very last first.
        self._undone: deque[View] = deque(maxlen=settings.undone)
        self._canvas = Canvas(settings.remember)
        self._last: View | None = None  # the last one done
        self._occluder: Array | None = None  # its mask, carried
        self._lingers: Array | None = None  # where it may be still
        self._trace: Array | None = None  # what it looked like
        self._sure: deque[Mask | None] = deque(maxlen=SURE_FRAMES)  # what the network was sure of
        self.told: Array | None = None  # the network's last mask of a view that is done

    @property
    def newest(self) -> View | None:
        """The last view that was taken; None: there was none."""
        return self.views[-1] if self.views else self._last

    def add(self, view: View) -> None:
        """Take the next view, of a frame that may be later than the next."""
        self.views.append(view)
        self._sources.add(view.number, view.face)

    def settle(self, count: int) -> None:
        """Decide what is hidden in all views, of which the first `count` are then final."""
        views = list(self.views)
        if views[0].given is None:
            motions = [v.motion or (NOTHING, NOTHING) for v in views]
            for view in views:
                if view.sure is None and view.found is not None:
                    view.sure = believed(view.found)
            sure = [view.sure for view in views]
            masks = counted([v.found for v in views], sure, self._sure)
            self._sure += sure[:count]
            occluders, carried = steady(masks, motions, self._occluder)
            self._occluder = carried[count - 1]
            for view, occluder in zip(views, occluders, strict=True):
                view.occluder = occluder
                view.hidden = threshold(occluder)
            # What does not count may be an occluder all the same, and is no face to remember.
            maybe = [np.maximum(v.occluder, 0 if v.found is None else v.found) for v in views]
            doubts, coming = lingering(maybe, motions, self._lingers)
            self._lingers = coming[count - 1]
            if self.remember:
                found, faces = [v.occluder for v in views], [v.face for v in views]
                followed = traces(found, faces, motions, self._trace, count)
                self._trace = followed[0][-1]
                for view, *both in zip(views[:count], *followed, strict=True):
                    # Where it comes from is told too late, if memory has to be undone.
                    view.traces = both[:1] if self._undone.maxlen else both
            for view, doubt in zip(views, doubts, strict=True):
                view.blind = view.hidden | (doubt > MAYBE)
                view.known = surely_seen(doubt, view.hidden) & view.inside
        else:
            for view in views:
                assert view.given is not None
                view.hidden, view.occluder = view.given, view.given.astype(np.float32)
                view.blind = view.hidden
                view.known = surely_seen(view.occluder, view.hidden) & view.inside
        for view in views:
            self._sources.show(view.number, view.known)
        last = [] if self._last is None else [self._last]
        self._measure((view, before) for before, view in pairwise([*last, *views]))
        if self._undone.maxlen:
            self._undo(views[0])

    def _measure(self, pairs: Iterable[tuple[View, View]]) -> None:
        """The motion of the face from each view to the one before.

        Again, where more of it is an occluder than was known.
        """
        for view, before in pairs:
            blind = view.blind | before.blind
            if view.flow is None or np.count_nonzero(blind & ~view.unmeasured) >= MEASURED_AGAIN:
                view.flow = self._flow.of_the_face(view.face, before.face, blind)
                view.unmeasured, view.there = blind, None

    def _undo(self, view: View) -> None:
        """Take back what the last views remember of an occluder that only this one has found."""
        if view.found is not None and view.hidden.any():
            motions = [v.motion or (NOTHING, NOTHING) for v in (view, *self._undone)][:-1]
            places = came_from(view.occluder, motions)
            doubts = [grow(place > MAYBE, EDGE) for place in places]
            for last, doubt in zip(self._undone, doubts, strict=False):
                last.blind, last.known = last.blind | doubt, last.known & ~doubt
                self._sources.show(last.number, last.known)
            self._measure(pairwise([view, *self._undone]))
            self._past.unsee(doubts, [v.flow for v in self._undone])
        self._undone.appendleft(view)

    def tasks(self, count: int) -> list[Task]:
        """What is to fill in the first `count` views, which are done with that."""
        due = [self.views.popleft() for _ in range(count)]
        recalled = self._recalled(due) if self.remember else [_nothing(view) for view in due]
        tasks = []
        for view, real in zip(due, recalled, strict=True):
            doubted = None
            if self._last is not None:
                doubted = (self._last.blind | view.uncovered) & ~self._last.hidden
            tasks.append(Task(view, self._canvas, *real, view.flow, doubted))
            view.traces, view.there = (), None  # a megabyte each
            self._last, self.told = view, self.told if view.found is None else view.found
        return tasks

    def _recalled(self, due: Sequence[View]) -> list[tuple[Array, Array]]:
        """Colours (n, 3) and trust (n,) of the hidden pixels of each view, see `recall`."""
        later = Later.of(self.views)
        uncover(due, self._past, later, self._sources)
        asked = [grow(view.hidden, RIM) for view in due]
        future = trail_back(due, [view.known for view in due], asked, later)
        result = []
        for view, rim in zip(due, asked, strict=True):
            past = self._past.step(view.number, view.flow_back, view.known, rim)
            what = (view.number, view.face, view.hidden)
            result.append(recall(*what, past, future[view.number], self._sources, self._flow))
        return result


def _nothing(view: View) -> tuple[Array, Array]:
    """As `recall`, where nothing is remembered."""
    hidden = int(np.count_nonzero(view.hidden))
    return np.zeros((hidden, 3), np.float32), np.zeros(hidden, np.float32)
