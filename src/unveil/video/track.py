"""Follows faces through a clip: who is who, and where, in every frame.

The detector looks every few frames. Between, a face moves as its pixels do. Where it is not found
for a while (turned away, behind somebody) its track waits; two people who cross are told apart by
where they were going and by what they look like; a scene cut ends all tracks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.faces.align import cut, fit, invert
from unveil.faces.detect import Detection
from unveil.imaging import Photo
from unveil.video.cuts import CutFinder
from unveil.video.kalman import Step, correct, predict, smoothed
from unveil.video.motion import Box, Grey, Map, follow, small_grey

EVERY = 8  # frames from one look of the detector to the next
DELAY = 2 * EVERY  # frames that must be told before one is asked for, or its points are not steady
# Looks without the face: after so many it is not restored any more, then forgotten.
HIDDEN_AFTER, LOST_AFTER = 3, 6
# A detection further away than this, in face sizes, is somebody else; so is one this much larger.
NEAR, LARGER = 0.6, 1.7
# What the mean difference of two thumbnails (grey levels) weighs against distance in face sizes.
LOOKS = 1 / 50
FREE = 0.35  # of a face's box, not covered by others: then its own pixels tell its motion
RECENT = 6  # frames whose mean motion goes on where none is seen


@dataclass(frozen=True)
class Sighting:
    """A face in one frame.

    Attributes:
        track: the number of the person's track, from 0; new after a scene cut.
        points: (5, 2) float64 x, y in the photo, steady.
        box: left, top, right, bottom in the photo.
        score: the detector's last.
    """

    track: int
    points: Map
    box: Box
    score: float


@dataclass(frozen=True)
class Found:
    """What the detector says of a face, and where its points are once it is restored.

    Attributes:
        detection: the face as it is.
        better: (5, 2); None where not asked for.
    """

    detection: Detection
    better: NDArray[np.float32] | None = None


Look = Callable[[bool], list[Found]]


@dataclass
class _Track:
    number: int
    steps: deque[Step]
    size: tuple[float, float]  # width and height of the box
    score: float
    looks: NDArray[np.float32]
    bias: Map = field(default_factory=lambda: np.zeros((5, 2)))
    measured: bool = False  # whether `bias` was
    missed: int = 0
    alive: bool = True
    last_found: int = 0
    guessed: bool = False  # whether its motion was, since then

    @property
    def step(self) -> Step:
        return self.steps[-1]

    @property
    def scale(self) -> float:
        return max(self.size)


class Tracker:
    """Told each frame in turn; asked for a frame once the frames of the look-ahead were told.

    Args:
        live: no frame is corrected by later ones, and faces are not followed back in time.
    """

    def __init__(self, live: bool = False, every: int = EVERY) -> None:
        self.live, self.every = live, every
        self._cuts = CutFinder()
        self._tracks: list[_Track] = []
        self._greys: deque[Grey] = deque(maxlen=every + 1)  # since the last look, last one last
        self._scale = 1.0
        self._frame = -1
        self._looked = 0
        self._looks = 0
        self._names = 0
        self._given = -1

    def add(self, photo: Photo, look: Look) -> bool:
        """Tell the next frame; whether a new scene begins with it.

        Args:
            photo: HWC uint8 RGB.
            look: finds its faces; if asked for, with better points. Called when it is time.
        """
        self._frame += 1
        grey, self._scale = small_grey(photo)
        is_cut = self._cuts.is_cut(grey)
        if is_cut:
            for track in self._tracks:
                track.alive = False
            self._greys.clear()
        unsure = self._advance(grey)
        self._greys.append(grey)
        since = self._frame - self._looked
        if self._frame == 0 or is_cut or since >= self.every or (unsure and since > 2):
            self._look(photo, look)
        return is_cut

    def sightings(self, frame: int) -> tuple[Sighting, ...]:
        """The faces of a frame that was told, each frame asked for once and in order."""
        self._given = frame
        seen = []
        for track in self._tracks:
            while track.steps and track.steps[0].number < frame:
                track.steps.popleft()
            if not track.steps or track.steps[0].number != frame:
                continue
            late = frame - track.last_found
            if late > 0 and (track.missed >= HIDDEN_AFTER or track.guessed):
                continue  # it may be gone, and nobody saw it again so far
            points = track.step.points if self.live else smoothed(list(track.steps))
            seen.append(Sighting(track.number, points, _box(track, points), track.score))
        self._tracks = [t for t in self._tracks if t.alive or t.steps]
        return tuple(sorted(seen, key=lambda s: s.box[0]))

    def _advance(self, grey: Grey) -> bool:
        """Move all tracks on by a frame; whether one of them was only guessed."""
        unsure = False
        living = [t for t in self._tracks if t.alive]
        boxes = {t.number: _box(t, t.step.points) for t in living}
        for track in living:
            box = boxes[track.number]
            others = [b for n, b in boxes.items() if n != track.number]
            free = 1 - sum(_shared(box, other) for other in others)
            move = None
            if free > FREE and self._greys:
                move = follow(self._greys[-1], grey, box, others, self._scale)
            guessed = move is None
            if move is None:
                move = _drift(track)
            track.steps.append(predict(track.step, move, guessed))
            track.guessed |= guessed
            unsure |= guessed and free > FREE and track.missed == 0
        return unsure

    def _look(self, photo: Photo, look: Look) -> None:
        living = [t for t in self._tracks if t.alive]
        self._looks += 1
        found = look(self._looks % 3 == 1)
        left = self._match(photo, living, found)
        if any(f.better is None for f in left):
            # Somebody new: where the points really are, matters from the start.
            left = [f for f in look(True) if any(_same(f, other) for other in left)]
        born = [self._begin(photo, one) for one in left]
        for track in living:
            track.alive = track.missed < LOST_AFTER and self._inside(track, photo)
        if not self.live:
            for track in born:
                self._follow_back(track)
        self._looked = self._frame
        last = self._greys[-1]
        self._greys.clear()
        self._greys.append(last)

    def _match(self, photo: Photo, tracks: list[_Track], found: list[Found]) -> list[Found]:
        """Give each detection to the track it fits best; those that are left."""
        looks = [_thumbnail(photo, one.detection.points) for one in found]
        pairs = []
        for i, track in enumerate(tracks):
            for j, one in enumerate(found):
                distance = _distance(track, one.detection)
                if distance is not None:
                    unlike = float(np.abs(track.looks - looks[j]).mean()) * LOOKS
                    pairs.append((distance + unlike, i, j))
        taken: dict[int, int] = {}
        for _, i, j in sorted(pairs):
            if i not in taken and j not in taken.values():
                taken[i] = j
        for i, track in enumerate(tracks):
            if i not in taken:
                track.missed += 1
                continue
            self._confirm(track, found[taken[i]], looks[taken[i]])
        return [one for j, one in enumerate(found) if j not in taken.values()]

    def _confirm(self, track: _Track, one: Found, looks: NDArray[np.float32] | None = None) -> None:
        detection = one.detection
        if one.better is not None:
            # An occluder draws the points with it, by about as much until the next such look.
            off = np.asarray((detection.points - one.better) / track.scale, dtype=np.float64)
            track.bias = off if not track.measured else (track.bias + off) / 2
            track.measured = True
        correct(track.step, detection.points - track.bias * track.scale)
        left, top, right, bottom = detection.box
        width, height = track.size
        track.size = (width + (right - left - width) / 2, height + (bottom - top - height) / 2)
        track.score, track.missed, track.last_found = detection.score, 0, self._frame
        track.guessed = False
        if looks is not None:
            track.looks = track.looks + np.float32(0.3) * (looks - track.looks)

    def _begin(self, photo: Photo, one: Found) -> _Track:
        detection = one.detection
        left, top, right, bottom = detection.box
        points = np.asarray(detection.points, dtype=np.float64)
        # A variance so large that the first measurement is taken as it is.
        step = Step(self._frame, np.eye(2, 3), points, 1e3, 0.0, True)
        looks = _thumbnail(photo, detection.points)
        size = (right - left, bottom - top)
        track = _Track(self._names, deque([step]), size, detection.score, looks)
        self._confirm(track, one)
        self._names += 1
        self._tracks.append(track)
        return track

    def _follow_back(self, track: _Track) -> None:
        """The frames of a new face before the detector found it, while its pixels are seen."""
        greys = list(self._greys)
        for after, before in zip(reversed(greys[1:]), reversed(greys[:-1]), strict=True):
            first = track.steps[0]
            if first.number - 1 <= self._given:
                return
            box = _box(track, first.points)
            move = follow(after, before, box, [], self._scale)
            if move is None:
                return
            earlier = predict(first, move, False)
            earlier.number = first.number - 1
            first.move, first.noise = invert(move), earlier.noise
            track.steps.appendleft(earlier)

    def _inside(self, track: _Track, photo: Photo) -> bool:
        x, y = track.step.points.mean(axis=0)
        return bool(0 <= x < photo.shape[1] and 0 <= y < photo.shape[0])


def _box(track: _Track, points: Map) -> Box:
    """The box around the points: they lie a little below its middle."""
    (x, y), (width, height) = points.mean(axis=0), track.size
    return (
        float(x - width / 2),
        float(y - height * 0.55),
        float(x + width / 2),
        float(y + height * 0.45),
    )


def _drift(track: _Track) -> Map:
    """The mean shift of the last frames, for one in which no motion is seen."""
    recent = list(track.steps)[-RECENT:]
    if len(recent) < 2:
        return np.eye(2, 3)
    whole = recent[-1].points.mean(axis=0) - recent[0].points.mean(axis=0)
    move = np.eye(2, 3)
    move[:, 2] = whole / (recent[-1].number - recent[0].number)
    return move


def _distance(track: _Track, detection: Detection) -> float | None:
    """How far a detection lies from a track's place, in face sizes; None: too far."""
    points = track.step.points + track.bias * track.scale
    gap = float(np.hypot(*(detection.points.mean(axis=0) - points.mean(axis=0)))) / track.scale
    # The longer nobody saw it, the less is known.
    near = NEAR * (1 + 0.5 * track.missed)
    larger = max(detection.size / track.scale, track.scale / detection.size)
    return gap + 0.5 * (larger - 1) if gap < near and larger < LARGER else None


def _same(one: Found, other: Found) -> bool:
    a, b = one.detection, other.detection
    return bool(np.hypot(*(a.points - b.points).mean(axis=0)) < 0.3 * b.size)


def _thumbnail(photo: Photo, points: NDArray[np.floating]) -> NDArray[np.float32]:
    """(16, 16, 3): what a face looks like, its own brightness taken out."""
    face = cut(photo, fit(points))
    small = np.asarray(cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA), dtype=np.float32)
    return np.asarray(small - small.mean(), dtype=np.float32)


def _shared(box: Box, other: Box) -> float:
    """The part of a box that another one covers."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max((box[2] - box[0]) * (box[3] - box[1]), 1e-6)
