"""Frames on their way: what is hidden in each, and what of it was seen in others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from unveil.imaging import Mask, Photo
from unveil.runtime.model import FaceModel
from unveil.video.asking import between, due
from unveil.video.cutter import Cutter
from unveil.video.person import Person
from unveil.video.sighting import Sighting
from unveil.video.steadiness import Steadiness
from unveil.video.view import Task, View


@dataclass(frozen=True)
class Followed:
    """A frame, its mask, and where its faces are."""

    number: int
    photo: Photo
    mask: Mask | None
    faces: tuple[Sighting, ...]


@dataclass(frozen=True)
class Settled:
    """A frame, its mask, and what is to fill in in its faces."""

    photo: Photo
    mask: Mask | None
    tasks: tuple[Task, ...]


class Settling:
    """The people of a clip.

    Args:
        model: says what hides them.
        settings: how many frames wait, and how many are settled together.
    """

    def __init__(self, model: FaceModel, settings: Steadiness) -> None:
        self.model = model
        self.settings = settings
        self._cutter = Cutter()
        self._frames: deque[Followed] = deque()
        self._people: dict[int, Person] = {}

    def blocks(self, frames: Iterable[Followed]) -> Iterator[list[Settled]]:
        """All frames in their order, those together that are settled together."""
        for frame in frames:
            self._frames.append(frame)
            self._see(frame)
            if len(self._frames) >= self.settings.window:
                yield self._settle(self.settings.block)
        while self._frames:
            yield self._settle(min(self.settings.block, len(self._frames)))

    def _see(self, frame: Followed) -> None:
        """Take in the faces of the newest frame; who was not seen for long begins anew."""
        for sighting in frame.faces:
            person = self._people.get(sighting.track)
            before = None if person is None else person.newest
            if before is not None and frame.number - before.number > self.settings.window:
                before = None
            if person is None or before is None:
                person = self._people[sighting.track] = Person(self.settings)
            what = (frame.number, frame.photo, frame.mask, sighting)
            person.add(self._cutter.view(*what, before))

    def _settle(self, count: int) -> list[Settled]:
        """The oldest `count` frames."""
        self._find_occluders()
        block = [self._frames.popleft() for _ in range(count)]
        end = block[-1].number
        tasks: dict[int, list[Task]] = {frame.number: [] for frame in block}
        for person in self._people.values():
            ready = sum(view.number <= end for view in person.views)
            if not ready:
                continue  # all of it is still to come
            person.settle(ready)
            for task in person.tasks(ready):
                tasks[task.view.number].append(task)
        for track, person in list(self._people.items()):
            if person.newest is None or end - person.newest.number >= self.settings.window:
                del self._people[track]
        return [Settled(f.photo, f.mask, tuple(tasks[f.number])) for f in block]

    def _find_occluders(self) -> None:
        """Ask the network what hides the faces, for all views together that need it."""
        people = list(self._people.values())
        self._ask([view for person in people for view in person.views if due(view)])
        self._ask([view for person in people for view in between(person.views, person.told)])

    def _ask(self, views: list[View]) -> None:
        """Ask it of these views, as far as it has not said and the user does not say."""
        todo = [v for v in views if v.given is None and v.found is None]
        if todo:
            masks = self.model.find(np.stack([view.face for view in todo]))
            for view, mask in zip(todo, masks, strict=True):
                view.found = mask
