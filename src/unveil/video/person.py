"""One person's face through the clip, in its aligned 256x256 frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.faces.align import cut, fit, frame_box
from unveil.faces.hidden import believed
from unveil.faces.paste import mask_of_face
from unveil.imaging import FACE_SIZE, Mask, Photo, grow, to_uint8
from unveil.video.covered import FOLLOWED, covered, traces
from unveil.video.head import Array
from unveil.video.lingering import came_from, lingering
from unveil.video.memory import FORGOTTEN, Seen, Sources, Trail, blended, look_up
from unveil.video.motion import Flow, Map, here, opposite
from unveil.video.recall import RIM, recall
from unveil.video.sighting import Sighting
from unveil.video.smooth import (
    EDGE,
    MAYBE,
    SURE_FRAMES,
    Canvas,
    counted,
    next_mask,
    steady,
    surely_seen,
    threshold,
)
from unveil.video.steadiness import Steadiness

# The network is told what is remembered this surely; of what is remembered more surely everywhere,
# it is not asked.
BELIEVED, CERTAIN = 0.3, 0.95
MEASURED_AGAIN = 200  # pixels that are found to be no face
NOTHING = np.zeros((FACE_SIZE, FACE_SIZE, 2), dtype=np.float32)


@dataclass
class View:
    """A person in one frame.

    Attributes:
        number: of the frame.
        sighting: where the face is.
        matrix: (2, 3), from the photo to the aligned face.
        face: (256, 256, 3) uint8.
        inside: (256, 256), what of it lies in the photo.
        given: (256, 256), the user's mask; None: the network finds it.
        found: (256, 256) in [0, 1], what it found; None: not asked here.
        motion: flow to the view before and from it; None: this is the first.
        occluder: (256, 256) in [0, 1], steady.
        hidden: (256, 256), what is invented.
        blind: (256, 256), what is or may be an occluder.
        known: (256, 256), what may be remembered.
        traces: of what is found in other frames, see `covered.traces`; for the next views only.
        uncovered: (256, 256), what of it memory betrayed, see `covered.covered`.
        flow: the face's own, to the view before, as far as it is not `unmeasured`.
    """

    number: int
    sighting: Sighting
    matrix: Map
    face: Photo
    inside: Mask
    given: Mask | None
    motion: tuple[Array, Array] | None
    found: Array | None = None
    occluder: Array = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.float32))
    hidden: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))
    blind: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))
    known: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))
    traces: Sequence[Array] = ()
    uncovered: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))
    flow: Array | None = None
    unmeasured: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))


@dataclass(frozen=True)
class Task:
    """What is to fill in a view.

    Attributes:
        view: the view.
        colours, trust: what is remembered of its hidden pixels, (n, 3) and (n,).
    """

    view: View
    colours: Array
    trust: Array

    @property
    def input(self) -> tuple[Photo, Mask]:
        """For the network: the face with what is remembered put in, and what is still hidden."""
        hidden, believed = self.view.hidden, self.trust > BELIEVED
        face, left = self.view.face.copy(), hidden.copy()
        face[hidden] = np.where(believed[:, None], to_uint8(self.colours), face[hidden])
        left[hidden] = ~believed
        return face, left

    @property
    def certain(self) -> bool:
        """Whether there is nothing to ask the network."""
        return bool((self.trust >= CERTAIN).all())


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
        self.asked = 0  # proposals so far

    def add(self, number: int, sighting: Sighting, photo: Photo, mask: Mask | None) -> View:
        """The next view, of a frame that may be later than the next."""
        matrix = fit(sighting.points)
        face = cut(photo, matrix)
        before = self.views[-1] if self.views else self._last
        motion = None
        if before is not None:
            motion = (NOTHING, NOTHING)
            if mask is None:  # only masks of the network are moved on
                pair = (face, before.face)
                motion = (self._flow.between(*pair), self._flow.between(*pair[::-1]))
        given = None if mask is None else mask_of_face(mask, matrix)
        inside = _inside(matrix, (photo.shape[0], photo.shape[1]))
        view = View(number, sighting, matrix, face, inside, given, motion)
        self.views.append(view)
        self._sources.add(number, face)
        return view

    def settle(self, count: int) -> None:
        """Decide what is hidden in all views, of which the first `count` are then final."""
        views = list(self.views)
        if views[0].given is None:
            # What the views before said comes in as a mask of the first view.
            motions = [v.motion or (NOTHING, NOTHING) for v in views]
            masks = counted([v.found for v in views], self._sure)
            self._sure += [None if v.found is None else believed(v.found) for v in views[:count]]
            masks[0] = next_mask(self._occluder, masks[0], motions[0][0])
            for view, occluder in zip(views, steady(masks, motions), strict=True):
                view.occluder = occluder
                view.hidden = threshold(occluder)
            for view, mask in zip(views[:count], masks, strict=False):
                flow = (view.motion or (NOTHING,))[0]
                first = view is views[0]
                self._occluder = mask if first else next_mask(self._occluder, mask, flow)
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
        before = self._last
        for view in views:
            self._sources.show(view.number, view.known)
            if before is not None:
                self._measure(view, before)
            before = view
        if self._undone.maxlen:
            self._undo(views[0])

    def _measure(self, view: View, before: View) -> None:
        """The motion of the face to the view before; again, where more of it is an occluder."""
        blind = view.blind | before.blind
        if view.flow is None or np.count_nonzero(blind & ~view.unmeasured) >= MEASURED_AGAIN:
            view.flow = self._flow.of_the_face(view.face, before.face, blind)
            view.unmeasured = blind

    def _undo(self, view: View) -> None:
        """Take back what the last views remember of an occluder that only this one has found."""
        if view.found is not None and view.hidden.any():
            motions = [v.motion or (NOTHING, NOTHING) for v in (view, *self._undone)][:-1]
            places = came_from(view.occluder, motions)
            doubts = [grow(place > MAYBE, EDGE) for place in places]
            for last, doubt in zip(self._undone, doubts, strict=False):
                last.blind, last.known = last.blind | doubt, last.known & ~doubt
            for last, before in pairwise(self._undone):
                self._measure(last, before)
            self._past.unsee(doubts, [v.flow for v in self._undone])
        self._undone.appendleft(view)

    def tasks(self, count: int) -> list[Task]:
        """What is to fill in the first `count` views, with what is remembered of it."""
        views = list(self.views)
        followed = [self._followed(view) for view in views[:count]]
        asked = [
            grow(view.hidden | more, RIM) if self.remember else None
            for view, more in zip(views, followed, strict=False)
        ]
        future: dict[int, Seen] = {}
        if self.remember:
            trail, after = Trail(), None
            for i, view in reversed(list(enumerate(views))):
                back = NOTHING
                if after is not None:
                    assert after.flow is not None
                    back = opposite(after.flow)
                also = asked[i] if i < count else None
                future[view.number] = trail.step(view.number, back, view.known, also)
                after = view
        tasks = []
        for view, also, doubted in zip(views[:count], asked, followed, strict=True):
            flow = view.flow if view.flow is not None else NOTHING
            known = view.known if self.remember else np.zeros_like(view.known)
            seen = (self._past.step(view.number, flow, known, also), future.get(view.number))
            if doubted.any():
                self._uncover(view, doubted, seen)
            what = (view.number, view.face, view.hidden)
            tasks.append(Task(view, *recall(*what, *seen, self._sources, self._flow)))
        return tasks

    def _followed(self, view: View) -> Mask:
        """Where an occluder may be in a view that the network did not find there."""
        if not view.traces:
            return np.zeros_like(view.hidden)
        sure = np.any([trace[..., 0] > FOLLOWED for trace in view.traces], axis=0)
        where = (sure | grow(view.hidden, RIM)) & ~view.hidden & view.inside
        return np.asarray(where, dtype=np.bool_)

    def _uncover(self, view: View, doubted: Mask, seen: tuple[Seen, Seen | None]) -> None:
        """Hide what shows an occluder that the network did not find."""
        colours, trust = view.face.astype(np.float32), np.zeros(doubted.shape, np.float32)
        points = here()[doubted]
        places = [s.away for s in seen if s is not None]
        memories = [look_up(view.number, place, points, self._sources) for place in places]
        colours[doubted], trust[doubted] = blended(memories)
        more = covered(view.face, view.hidden, view.traces, colours, trust)
        if more.any():
            view.hidden = view.hidden | more
            view.blind, view.uncovered = view.blind | more, more
            view.known = view.known & ~grow(more, EDGE)
            past, future = seen
            self._past.hide(past, ~view.known & doubted)
            if future is not None:
                future.hide(~view.known & doubted)

    def fill(self, task: Task, proposal: Photo | None) -> Photo:
        """The filled face of the oldest view, which is done then."""
        view = self.views.popleft()
        assert view is task.view
        real = (task.colours, task.trust)
        doubted = None
        if self._last is not None:
            doubted = (self._last.blind | view.uncovered) & ~self._last.hidden
        filled = self._canvas.next(view.face, view.hidden, view.flow, real, proposal, doubted)
        view.traces = ()  # a megabyte each
        self._last, self.told = view, self.told if view.found is None else view.found
        return filled


def _inside(matrix: Map, size: tuple[int, int]) -> Mask:
    """Which pixels of the aligned face lie in a photo of `size` (height, width)."""
    rows, columns = frame_box(matrix, (size[0] + 2, size[1] + 2))
    if rows.start > 0 and columns.start > 0 and rows.stop < size[0] and columns.stop < size[1]:
        return np.ones((FACE_SIZE, FACE_SIZE), dtype=np.bool_)
    return np.asarray(cv2.warpAffine(_ones(size), matrix, (FACE_SIZE, FACE_SIZE)) == 255)


@lru_cache(maxsize=2)
def _ones(size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.full(size, 255, dtype=np.uint8)
