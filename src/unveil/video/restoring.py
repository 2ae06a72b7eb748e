"""Frames on their way: masks steadied, what was seen, the rest invented, for all people at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unveil.faces.align import seen_from_side
from unveil.faces.paste import Patch, paste
from unveil.imaging import Mask, Photo
from unveil.restorer import Restorer
from unveil.runtime.model import Manner
from unveil.video.asking import between, due
from unveil.video.person import Person
from unveil.video.restored import RestoredFrame, TrackedFace
from unveil.video.sighting import Sighting
from unveil.video.smooth import FILL_EVERY
from unveil.video.steadiness import Steadiness
from unveil.video.view import Task, View


@dataclass(frozen=True)
class Followed:
    """A frame, its mask, and where its faces are."""

    number: int
    photo: Photo
    mask: Mask | None
    faces: tuple[Sighting, ...]


class Restoring:
    """Frames on their way, and the people in them."""

    def __init__(self, restorer: Restorer, settings: Steadiness, manner: Manner) -> None:
        self.restorer = restorer
        self.manner = manner
        self.settings = settings
        self._frames: deque[Followed] = deque()
        self._people: dict[int, Person] = {}

    def add(self, frame: Followed) -> Iterator[RestoredFrame]:
        """Take a frame; give those that can be restored now."""
        self._frames.append(frame)
        for sighting in frame.faces:
            person = self._people.get(sighting.track)
            if person is None or self._is_gone(person, frame.number):
                person = self._people[sighting.track] = Person(self.settings)
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
            ready = sum(view.number <= end for view in person.views)
            if not ready:
                continue  # all of it is still to come
            person.settle(ready)
            for task in person.tasks(ready):
                tasks[task.view.number].append((person, task))
        proposals = self._propose([pair for frame in block for pair in tasks[frame.number]])
        for frame in block:
            filled = [
                (task, person.fill(task, proposals.get(id(task))))
                for person, task in tasks[frame.number]
            ]
            yield self._paste(frame, filled)
        gone = [t for t, person in self._people.items() if self._is_gone(person, end + 1)]
        for track in gone:
            del self._people[track]

    def _is_gone(self, person: Person, number: int) -> bool:
        """Whether somebody who is seen in that frame is seen for the first time, as it were."""
        return number - person.seen > self.settings.window

    def _find_occluders(self) -> None:
        """Ask the network what hides the faces, for all views together that need it."""
        people = list(self._people.values())
        self._ask([view for person in people for view in person.views if due(view)])
        self._ask([view for person in people for view in between(person.views, person.told)])

    def _ask(self, views: list[View]) -> None:
        """Ask it of these views, as far as it has not said and the user does not say."""
        todo = [v for v in views if v.given is None and v.found is None]
        if todo:
            masks = self.restorer.model.find(np.stack([v.face for v in todo]))
            for view, mask in zip(todo, masks, strict=True):
                # As of photos, a face seen from the side is left alone. One out of focus is not: a
                # moving one is so now and then.
                side = seen_from_side(view.sighting.points)
                view.found = np.zeros_like(mask) if side else mask

    def _propose(self, tasks: list[tuple[Person, Task]]) -> dict[int, Photo]:
        """What the network would fill in, for all frames of all people together."""
        todo = []
        for person, task in tasks:
            if not task.view.hidden.any() or task.certain:
                continue
            turn = task.view.number % FILL_EVERY == 0 or not person.remember
            if turn or not person.asked:
                person.asked = True
                todo.append(task)
        if not todo:
            return {}
        faces, hidden = zip(*(task.input for task in todo), strict=True)
        filled = self.restorer.model.fill(np.stack(faces), np.stack(hidden), self.manner)
        return {id(task): face for task, face in zip(todo, filled, strict=True)}

    def _paste(self, frame: Followed, filled: list[tuple[Task, Photo]]) -> RestoredFrame:
        patches = [Patch(task.view.matrix, face, task.view.hidden) for task, face in filled]
        # Grain that is new in each frame flickers, and what is carried has its own: docs/log.md.
        restored, invented = paste(frame.photo, patches, frame.mask, still=False)
        faces = sorted((TrackedFace.of(task) for task, _ in filled), key=lambda face: face.box[0])
        model = self.restorer.model.weights.fingerprint
        return RestoredFrame(restored, invented, tuple(faces), model)
