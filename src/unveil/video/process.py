"""The pipeline, top to bottom: frames, faces followed, masks steadied, what was seen, the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from unveil.errors import MaskError, UsageError
from unveil.faces.align import seen_from_side
from unveil.faces.paste import Patch, paste
from unveil.imaging import Mask, Photo, check_mask, check_photo
from unveil.restorer import Restorer
from unveil.runtime.weights import DEFAULT_MODEL
from unveil.video.ahead import ahead
from unveil.video.look import look
from unveil.video.person import Person, Task
from unveil.video.sighting import Sighting
from unveil.video.smooth import FILL_EVERY
from unveil.video.track import DELAY, Tracker

# Frames that are solved together, and those that are known beyond them.
BLOCK, LOOK_AHEAD = 8, 16
# Frames from one occluder mask of the network to the next.
MASK_EVERY = 4


@dataclass(frozen=True)
class Steadiness:
    """What of the other frames is used for a frame.

    Attributes:
        live: only those before it; each frame is given back at once.
        remember: what was really seen in them is put into the hidden part; if not, only what was
            invented is carried on, at a higher cost.
        look_ahead: so many of those after it, if not live.
    """

    live: bool = False
    remember: bool = True
    look_ahead: int = LOOK_AHEAD

    def __post_init__(self) -> None:
        if not 0 <= self.look_ahead <= 250:
            raise UsageError(f"look_ahead must be 0 to 250 frames (got {self.look_ahead})")

    @property
    def window(self) -> int:
        """Frames that wait at most before they are restored."""
        return 1 if self.live else BLOCK + self.look_ahead

    @property
    def block(self) -> int:
        """Frames restored together."""
        return 1 if self.live else BLOCK


@dataclass(frozen=True)
class TrackedFace:
    """One face of a frame.

    Attributes:
        track: the same number for the same person as long as nobody loses sight of them.
        box: left, top, right, bottom in the frame's pixels.
        points: (5, 2) float32 x, y, as `types.Face`, steady from frame to frame.
        score: the detector's last, 0..1.
        coverage: hidden pixels / all pixels of the face, 0..1.
        recalled: of the hidden pixels, the share that was seen in other frames, 0..1.
    """

    track: int
    box: tuple[float, float, float, float]
    points: NDArray[np.float32]
    score: float
    coverage: float
    recalled: float


@dataclass(frozen=True)
class RestoredFrame:
    """A restored frame and what in it is not its own.

    Attributes:
        photo: HWC uint8 RGB, equal to the frame that came in wherever `invented` is False.
        invented: HW bool: pixels made up, or taken from other frames.
        faces: the faces, from left to right.
        model: name and sha256 of the weights.
    """

    photo: Photo
    invented: Mask
    faces: tuple[TrackedFace, ...]
    model: str


def restore_video(
    frames: Iterable[Photo],
    mask: Mask | Iterable[Mask] | None = None,
    model: str | Restorer = DEFAULT_MODEL,
    steadiness: Steadiness | None = None,
) -> Iterator[RestoredFrame]:
    """Restore the faces of a clip, frame by frame, each consistent with its neighbours.

    Frames are taken as they are needed, if not live by a thread of its own, and a bounded number is
    held.

    Args:
        frames: HWC uint8 RGB, all of one size.
        mask: HW, True = hidden, for all frames; or one for each frame; None: found by the model.
        model: a name of `unveil weights`, or a Restorer that is loaded.
        steadiness: see `Steadiness`. By default a frame is given back when 40 frames after it are
            taken: 16 for steady points, 16 for what was hidden, 8 that are solved together.

    Yields:
        A RestoredFrame for each frame, in order.

    Raises:
        ImageError: a frame is none.
        MaskError: a mask is none, or of another size, or there are fewer than frames.
        UsageError: frames of several sizes.
        WeightsError: no such model.
    """
    restorer = model if isinstance(model, Restorer) else Restorer(model)
    settings = steadiness or Steadiness()
    restoring = _Restoring(restorer, settings)
    followed_frames = _follow(_with_masks(frames, mask), restorer, settings)
    if not settings.live:
        # Following the faces of later frames, and restoring these, side by side.
        followed_frames = ahead(followed_frames, 2)
    # Closed whatever happens: an error's traceback would keep the thread, and it the frames.
    with closing(followed_frames):
        for followed in followed_frames:
            yield from restoring.add(followed)
        yield from restoring.finish()


@dataclass(frozen=True)
class _Followed:
    number: int
    photo: Photo
    mask: Mask | None
    faces: tuple[Sighting, ...]


def _with_masks(
    frames: Iterable[Photo], mask: Mask | Iterable[Mask] | None
) -> Iterator[tuple[Photo, Mask | None]]:
    """Each frame with its mask, both checked."""
    size: tuple[int, int] | None = None
    fixed = mask is None or isinstance(mask, np.ndarray)
    masks = repeat(mask) if fixed else iter(mask)  # type: ignore[arg-type]
    for number, frame in enumerate(frames):
        size = size or (check_photo(frame).shape[0], frame.shape[1])
        if check_photo(frame).shape[:2] != size:
            raise UsageError(f"frame {number} is of another size than those before it")
        try:
            hidden = next(masks)
        except StopIteration:
            raise MaskError(f"there are only {number} masks, and more frames") from None
        yield frame, None if hidden is None else check_mask(np.asarray(hidden), size)


def _follow(
    frames: Iterable[tuple[Photo, Mask | None]], restorer: Restorer, settings: Steadiness
) -> Generator[_Followed, None, None]:
    """Each frame with its faces, once the frames that steady their points are seen."""
    tracker = Tracker(settings.live)
    delay = 0 if settings.live else DELAY
    waiting: deque[tuple[int, Photo, Mask | None]] = deque()
    for number, (photo, mask) in enumerate(frames):
        tracker.add(photo, partial(look, restorer, photo, mask), mask)
        waiting.append((number, photo, mask))
        if len(waiting) > delay:
            yield _Followed(*waiting[0], tracker.sightings(waiting.popleft()[0]))
    while waiting:
        yield _Followed(*waiting[0], tracker.sightings(waiting.popleft()[0]))


class _Restoring:
    """Frames on their way, and the people in them."""

    def __init__(self, restorer: Restorer, settings: Steadiness) -> None:
        self.restorer = restorer
        self.settings = settings
        self._frames: deque[_Followed] = deque()
        self._people: dict[int, Person] = {}

    def add(self, frame: _Followed) -> Iterator[RestoredFrame]:
        """Take a frame; give those that can be restored now."""
        self._frames.append(frame)
        for sighting in frame.faces:
            if sighting.track not in self._people:
                self._people[sighting.track] = Person(self.settings.window, self.settings.remember)
            person = self._people[sighting.track]
            person.add(frame.number, sighting, frame.photo, frame.mask)
        if len(self._frames) >= self.settings.window:
            yield from self._solve(self.settings.block)

    def finish(self) -> Iterator[RestoredFrame]:
        """The frames that still wait."""
        while self._frames:
            yield from self._solve(min(self.settings.block, len(self._frames)))

    def _solve(self, count: int) -> Iterator[RestoredFrame]:
        """Restore the oldest `count` frames."""
        self._find_occluders()
        block = [self._frames.popleft() for _ in range(count)]
        end = block[-1].number
        tasks: dict[int, list[tuple[Person, Task]]] = {frame.number: [] for frame in block}
        for person in self._people.values():
            due = sum(view.number <= end for view in person.views)
            if not person.views:
                continue
            person.settle(due)
            for task in person.tasks(due):
                tasks[task.view.number].append((person, task))
        proposals = self._propose([pair for frame in block for pair in tasks[frame.number]])
        for frame in block:
            filled = [
                (task, person.fill(task, proposals.get(id(task))))
                for person, task in tasks[frame.number]
            ]
            yield self._paste(frame, filled)
        # Somebody who comes back after the window gets a new memory.
        seen = {s.track for f in self._frames for s in f.faces}
        recent = {s.track for s in block[-1].faces}
        for track in list(self._people):
            if track not in seen | recent:
                del self._people[track]

    def _find_occluders(self) -> None:
        """Ask the network what hides the faces, for all views together that need it."""
        todo = []
        for person in self._people.values():
            for i, view in enumerate(person.views):
                first = i == 0 and view.motion is None
                due = first or view.number % MASK_EVERY == 0
                if view.given is None and view.found is None and due:
                    todo.append(view)
        if todo:
            masks = self.restorer.model.find(np.stack([v.face for v in todo]))
            for view, mask in zip(todo, masks, strict=True):
                # As of photos: a face seen from the side is left alone.
                side = seen_from_side(view.sighting.points)
                view.found = np.zeros_like(mask) if side else mask

    def _propose(self, tasks: list[tuple[Person, Task]]) -> dict[int, Photo]:
        """What the network would fill in, for all frames of all people together."""
        todo = []
        for person, task in tasks:
            if not task.view.hidden.any() or task.certain:
                continue
            due = task.view.number % FILL_EVERY == 0 or not person.remember
            if person.asked == 0 or due:
                person.asked += 1
                todo.append(task)
        if not todo:
            return {}
        faces, hidden = zip(*(task.input for task in todo), strict=True)
        filled = self.restorer.model.fill(np.stack(faces), np.stack(hidden))
        return {id(task): face for task, face in zip(todo, filled, strict=True)}

    def _paste(self, frame: _Followed, filled: list[tuple[Task, Photo]]) -> RestoredFrame:
        patches = [Patch(task.view.matrix, face, task.view.hidden) for task, face in filled]
        # Grain that is new in each frame flickers, and what is carried has its own: docs/log.md.
        restored, invented = paste(frame.photo, patches, frame.mask, still=False)
        faces = tuple(_describe(task) for task, _ in filled)
        return RestoredFrame(restored, invented, faces, self.restorer.model.weights.fingerprint)


def _describe(task: Task) -> TrackedFace:
    view, sighting = task.view, task.view.sighting
    return TrackedFace(
        sighting.track,
        sighting.box,
        sighting.points.astype(np.float32),
        sighting.score,
        float(view.hidden.mean()),
        float(task.trust.mean()) if task.trust.size else 0.0,
    )
