"""Follows faces through a clip: who is who, and where, in every frame.

The detector looks every few frames. Between, a face moves as its pixels do. Where it is not found
for a while (turned away, behind somebody) its track waits; two people who cross are told apart by
where they were going and by what they look like; a scene cut ends all tracks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.faces.align import fit, invert
from unveil.faces.detect import Detection
from unveil.imaging import Mask, Photo, grow
from unveil.video.cuts import CutFinder
from unveil.video.kalman import Step, correct, predict, smoothed
from unveil.video.likeness import shared, thumbnail
from unveil.video.motion import Box, Grey, Map, follow, small_grey
from unveil.video.sighting import Found, Look, Sighting

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
    counted: int = 0  # the last frame in which it was found or missed
    guessed: bool = False  # whether its motion was, since then
    hidden: Mask | None = None  # in the aligned face

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

    def __init__(self, live: bool = False) -> None:
        self.live = live
        self._cuts = CutFinder()
        self._tracks: list[_Track] = []
        # Since the last look, last one last; with what the user says is hidden.
        self._greys: deque[tuple[Grey, Mask | None]] = deque(maxlen=EVERY + 1)
        self._scale = 1.0
        self._frame = -1
        self._looked = 0
        self._names = 0
        self._given = -1

    def add(self, photo: Photo, look: Look, mask: Mask | None = None) -> bool:
        """Tell the next frame; whether a new scene begins with it.

        Args:
            photo: HWC uint8 RGB.
            look: finds its faces. Called when it is time.
            mask: HW bool, what is hidden, where the user says so.
        """
        self._frame += 1
        grey, self._scale = small_grey(photo)
        is_cut = self._cuts.is_cut(grey)
        if is_cut:
            for track in self._tracks:
                track.alive = False
            self._greys.clear()
        unsure = self._advance(grey)
        self._greys.append((grey, _shrunk(mask, grey)))
        since = self._frame - self._looked
        if self._frame == 0 or is_cut or since >= EVERY or (unsure and since > 2):
            self._look(photo, look)
        return is_cut

    def sightings(self, frame: int) -> tuple[Sighting, ...]:
        """The faces of a frame that was told, each frame asked for once and in order."""
        self._given = frame
        seen = []
        for track in self._tracks:
            while track.steps and track.steps[0].number < frame - RECENT:
                track.steps.popleft()
            steps = [step for step in track.steps if step.number >= frame]
            if not steps or steps[0].number != frame:
                continue
            late = frame - track.last_found
            # Live, nobody can know whether it comes back.
            patience = HIDDEN_AFTER - (self.live and track.guessed)
            if late > 0 and track.missed >= patience:
                continue  # it may be gone, and nobody saw it again so far
            points = steps[0].points if self.live else smoothed(steps)
            box = _box(track, points)
            seen.append(Sighting(track.number, points, box, track.score, steps[0].aligned))
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
            free = 1 - sum(shared(box, other) for other in others)
            move = None
            if free > FREE and self._greys:
                last, given = self._greys[-1]
                hidden = self._hidden(track, last) if given is None else given
                # Of what is told to be hidden, no corner is taken for the face's.
                expected = _drift(track) if given is None else None
                move = follow(last, grey, box, others, self._scale, hidden, expected)
            guessed = move is None
            if move is None:
                move = _drift(track)
            track.steps.append(predict(track.step, move, guessed))
            track.guessed |= guessed
            unsure |= guessed and free > FREE and track.missed == 0
        return unsure

    def _hidden(self, track: _Track, last: Grey) -> Mask | None:
        """What hides a face, in the last frame: its corners would tell another motion."""
        if track.hidden is None:
            return None
        matrix = fit(track.step.points * self._scale)
        size = (last.shape[1], last.shape[0])
        mask = track.hidden.astype(np.uint8)
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return grow(cv2.warpAffine(mask, matrix, size, flags=flags) > 0, 3)

    def _look(self, photo: Photo, look: Look) -> None:
        living = [t for t in self._tracks if t.alive]
        left = self._match(photo, living, look())
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
        looks = [thumbnail(photo, one.detection.points) for one in found]
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
                # Looks for the sake of others count once in `EVERY` frames.
                if track.guessed or self._frame - track.counted >= EVERY:
                    track.missed, track.counted = track.missed + 1, self._frame
                continue
            self._confirm(track, found[taken[i]], looks[taken[i]])
        return [one for j, one in enumerate(found) if j not in taken.values()]

    def _confirm(self, track: _Track, one: Found, looks: NDArray[np.float32] | None = None) -> None:
        detection = one.detection
        aligned = track.step.aligned = one.aligned
        track.hidden = aligned.hidden if aligned is not None and aligned.hidden.any() else None
        # An occluder draws the points with it, by about as much as at the last looks.
        off = np.asarray((detection.points - one.better) / track.scale, dtype=np.float64)
        track.bias = off if not track.measured else (track.bias + off) / 2
        track.measured = True
        correct(track.step, detection.points - track.bias * track.scale)
        left, top, right, bottom = detection.box
        width, height = track.size
        track.size = (width + (right - left - width) / 2, height + (bottom - top - height) / 2)
        track.score, track.missed = detection.score, 0
        track.last_found = track.counted = self._frame
        track.guessed = False
        if looks is not None:
            track.looks = track.looks + np.float32(0.3) * (looks - track.looks)

    def _begin(self, photo: Photo, one: Found) -> _Track:
        detection = one.detection
        left, top, right, bottom = detection.box
        points = np.asarray(detection.points, dtype=np.float64)
        # A variance so large that the first measurement is taken as it is.
        step = Step(self._frame, np.eye(2, 3), points, 1e3, 0.0)
        looks = thumbnail(photo, detection.points)
        size = (right - left, bottom - top)
        track = _Track(self._names, deque([step]), size, detection.score, looks)
        self._confirm(track, one)
        self._names += 1
        self._tracks.append(track)
        return track

    def _follow_back(self, track: _Track) -> None:
        """The frames of a new face before the detector found it, while its pixels are seen."""
        greys = list(self._greys)
        pairs = zip(reversed(greys[1:]), reversed(greys[:-1]), strict=True)
        for (after, hidden), (before, _) in pairs:
            first = track.steps[0]
            if first.number - 1 <= self._given:
                return
            box = _box(track, first.points)
            move = follow(after, before, box, [], self._scale, hidden)
            if move is None:
                return
            earlier = predict(first, move, False)
            earlier.number = first.number - 1
            first.move, first.noise = invert(move), earlier.noise
            track.steps.appendleft(earlier)

    def _inside(self, track: _Track, photo: Photo) -> bool:
        x, y = track.step.points.mean(axis=0)
        return bool(0 <= x < photo.shape[1] and 0 <= y < photo.shape[0])


def _shrunk(mask: Mask | None, grey: Grey) -> Mask | None:
    """A photo's mask at the size of its grey picture, and what a corner's window sees of it."""
    if mask is None:
        return None
    size = (grey.shape[1], grey.shape[0])
    small = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    return grow(np.asarray(small) > 0, 3)


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
