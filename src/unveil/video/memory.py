"""What was really seen of a face: under an occluder, pixels of other frames beat invented ones.

Each pixel of the 256x256 frame remembers in which frame, and where in it, it was last seen. The
motion of the face moves these places, not the pixels, so that nothing blurs however far it is
carried.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.faces.grain import around
from unveil.imaging import FACE_SIZE, Mask, Photo, paint, resize
from unveil.video.head import HEAD, Array
from unveil.video.motion import here

# Frames: what was seen longer ago is not used; from the first number on, it is trusted less.
FADES_FROM, FORGOTTEN = 40, 80
NEVER = -1
# Multiples of the numbers that fractions come least near to fall evenly between whole ones.
RATIOS = np.array([5**0.5 / 2 - 0.5, 2**0.5 - 1])
CELLS, LEAST_CELLS = 16, 24  # a thumbnail's side, for the light of a frame; fewer do not tell it
LEAST_LIGHT, MOST_LIGHT = 8.0, 25.0  # grey levels; a smaller change is the head's motion


class Sources:
    """The last aligned faces of a track; older ones are overwritten.

    Args:
        capacity: how many.
    """

    def __init__(self, capacity: int) -> None:
        # Zeros are not touched until they are needed, so that a short track takes little.
        self._faces = np.zeros((capacity, FACE_SIZE, FACE_SIZE, 3), dtype=np.uint8)
        self._lights = np.zeros((capacity, CELLS, CELLS, 3), dtype=np.float32)
        self._seen = np.zeros((capacity, CELLS, CELLS), dtype=np.bool_)
        self._changes: dict[tuple[int, int], Array] = {}  # of light, as far as asked for
        self.capacity = capacity

    def add(self, number: int, face: Photo) -> None:
        """Keep the face of a frame, (256, 256, 3) uint8."""
        slot = number % self.capacity
        self._faces[slot] = face
        self._lights[slot] = cv2.resize(face, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        self._seen[slot] = False
        self._changes.clear()

    def show(self, number: int, known: Mask) -> None:
        """Say which pixels of a frame are known, (256, 256) bool: its light is measured on them."""
        share = resize(known.astype(np.float32), CELLS)
        self._seen[number % self.capacity] = (share > 0.9) & _head()
        self._changes.clear()

    def sample(self, numbers: NDArray[np.int32], places: Array, now: int) -> Array:
        """Colours of remembered places, in the light of frame `now`.

        Args:
            numbers: (n,) frames, all still kept.
            places: (n, 2) x, y in them; bilinear between pixels.

        Returns:
            (n, 3) float32.
        """
        x, y = np.clip(places, 0, FACE_SIZE - 1.001).T
        left, top = x.astype(np.int32), y.astype(np.int32)
        across, down = (x - left)[:, None], (y - top)[:, None]
        flat = self._faces.reshape(-1, 3)
        slots = (numbers % self.capacity).astype(np.int64)
        first = (slots * FACE_SIZE + top) * FACE_SIZE + left
        below = first + FACE_SIZE
        upper, lower = (
            flat.take(row, axis=0) * (1 - across) + flat.take(row + 1, axis=0) * across
            for row in (first, below)
        )
        colours = upper * (1 - down) + lower * down
        return np.asarray(colours + self._light(slots, now), dtype=np.float32)

    def _light(self, slots: NDArray[np.int64], now: int) -> Array:
        """(n, 3): how much brighter the known skin is now than it was in those frames."""
        table = np.zeros((self.capacity, 3), dtype=np.float32)
        for then in np.flatnonzero(np.bincount(slots, minlength=self.capacity)).tolist():
            table[then] = self._change(then, now % self.capacity)
        return table[slots]

    def _change(self, then: int, slot: int) -> Array:
        """(3,): how much brighter one kept frame is than another.

        The median of all places: a head that nods has other things in them, brighter and darker.
        """
        known = self._changes.get((then, slot))
        if known is not None:
            return known
        change = np.zeros(3, dtype=np.float32)
        both = self._seen[then] & self._seen[slot]
        if np.count_nonzero(both) >= LEAST_CELLS:
            # The median: numpy's own takes ten times as long as sorting so few.
            ranked = np.sort(self._lights[slot][both] - self._lights[then][both], axis=0)
            change[:] = (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2
        change *= np.square(change) / (np.square(change) + LEAST_LIGHT**2)
        self._changes[then, slot] = change = np.clip(change, -MOST_LIGHT, MOST_LIGHT)
        return change


@dataclass(frozen=True)
class Seen:
    """Where each pixel of one frame was last seen, or will be seen next.

    Attributes:
        state: (256, 256, 4) float32: from each pixel to its place x, y, the frame of that place,
            and how many pixels long the way there is.
        elsewhere: as if of this frame nothing had been seen, where that was asked for.
    """

    state: Array
    elsewhere: Array

    def at(self, points: Array) -> tuple[NDArray[np.int32], Array, Array]:
        """Frames (n,), or `NEVER`, places (n, 2) x, y in them and ways (n,) of points (n, 2)."""
        column, row = np.clip(np.rint(points), 0, FACE_SIZE - 1).astype(np.intp).T
        found = self.state.reshape(-1, 4).take(row * FACE_SIZE + column, axis=0)
        return found[:, 2].astype(np.int32), found[:, :2] + points, found[:, 3]

    @property
    def away(self) -> Seen:
        """Where it was seen in other frames than its own."""
        return Seen(self.elsewhere, self.elsewhere)


class Trail:
    """Where each pixel was last seen, going through the frames one way.

    Args:
        undone: of so many frames, what was seen may be taken back later.
    """

    def __init__(self, undone: int = 0) -> None:
        # All in one array, to be warped.
        self._state = np.zeros((FACE_SIZE, FACE_SIZE, 4), dtype=np.float32)
        self._state[..., 2] = NEVER
        # The steps, and the state before each.
        self._steps: deque[tuple[Array, int, Array, Mask]] = deque(maxlen=undone)

    def unsee(self, doubts: Sequence[Mask], flows: Sequence[Array | None]) -> None:
        """Some pixels of the last frames were no face.

        Args:
            doubts: (256, 256) of each, the last one first.
            flows: as `step` was told, measured anew; None: as it was told.
        """
        count = min(len(doubts), len(self._steps))
        again = [self._steps.pop() for _ in range(count)]
        if not count or not any((s[3] & d).any() for s, d in zip(again, doubts, strict=False)):
            self._steps.extend(reversed(again))
            return
        self._state = again[-1][0]
        for (_, number, flow, known), doubt, new in reversed(
            list(zip(again, doubts, flows, strict=False))
        ):
            self.step(number, flow if new is None else new, known & ~doubt)

    def branch(self) -> Trail:
        """Another one that goes on from here."""
        other = Trail()
        other._state = self._state
        return other

    def step(self, number: int, flow: Array, known: Mask, asked: Mask | None = None) -> Seen:
        """Go on to frame `number`.

        Args:
            flow: (256, 256, 2), from its pixels to those of the frame that the trail comes from.
            known: (256, 256), which of its pixels are really seen.
            asked: (256, 256), where `elsewhere` is wanted.
        """
        self._steps.append((self._state, number, flow, known))
        state = np.zeros_like(self._state)
        state[..., 2] = number
        hidden, elsewhere = ~known, state
        wanted = hidden if asked is None else hidden | asked
        if wanted.any():
            rows, columns = around(wanted)
            moves = flow[rows, columns]
            # Nearest, for all: between two frames of the past there is nothing to interpolate, and
            # a place keeps its fractions, because the flow is added to it. Rounded up as often as
            # their fractions say: else what moves by less than half a pixel a frame would never
            # leave the pixel where it was last seen, however far it has come.
            places = cv2.add(here()[rows, columns] + moves, _dither(number))  # type: ignore[call-overload]
            border = cv2.BORDER_REPLICATE
            moved = cv2.remap(self._state, places, None, cv2.INTER_NEAREST, borderMode=border)  # type: ignore[call-overload]
            # Channel by channel: numpy takes four times as long for all of them in one array.
            dx, dy = (moves[..., i].copy() for i in (0, 1))
            moved[..., 0] += dx
            moved[..., 1] += dy
            frame = moved[..., 2]
            frame[np.abs(frame - number) >= FORGOTTEN] = NEVER
            moved[..., 3] += cv2.magnitude(dx, dy)
            if asked is not None:
                elsewhere = state.copy()
                elsewhere[rows, columns] = moved
            paint(state[rows, columns], moved, hidden[rows, columns])
        self._state = state
        return Seen(state, elsewhere)


def _dither(number: int) -> tuple[float, ...]:
    """x, y in (-0.5, 0.5), for each frame others, and evenly spread over few of them; as OpenCV
    adds them to each pixel.
    """
    shift = np.asarray((number * RATIOS + 0.5) % 1 - 0.5, np.float32) * np.float32(0.998)
    return (*(float(v) for v in shift), 0.0, 0.0)


@dataclass(frozen=True)
class Memory:
    """What one direction in time says of n hidden pixels of a frame.

    Attributes:
        colours: (n, 3) float32, 0 where nothing was seen.
        age: (n,) frames.
        seen: (n,) bool.
        way: (n,) pixels that the face has moved since.
    """

    colours: Array
    age: Array
    seen: NDArray[np.bool_]
    way: Array


def look_up(now: int, seen: Seen, points: Array, sources: Sources) -> Memory:
    """What is remembered of points (n, 2) of frame `now`."""
    numbers, places, way = seen.at(points)
    age = np.abs(numbers - now).astype(np.float32)
    kept = (numbers != NEVER) & (age < min(FORGOTTEN, sources.capacity))
    colours = np.zeros((len(points), 3), dtype=np.float32)
    where = np.flatnonzero(kept)
    if len(where):
        colours[where] = sources.sample(numbers[where], places.take(where, axis=0), now)
    return Memory(colours, age, kept, way)


def blended(memories: Sequence[Memory]) -> tuple[Array, Array]:
    """The colours of hidden pixels as they were or will be seen.

    Where both are known, the nearer one in time counts more, so that what is shown goes over from
    one to the other.

    Returns:
        (n, 3) colours and (n,) trust in them, 0..1.
    """
    colours = np.zeros_like(memories[0].colours)
    weights = np.zeros(len(colours), dtype=np.float32)
    nearest = np.full(len(colours), FORGOTTEN, dtype=np.float32)
    for memory in memories:
        weight = memory.seen / np.square(np.maximum(memory.age, 1))
        colours += weight[:, None] * memory.colours
        weights += weight
        nearest[memory.seen] = np.minimum(nearest, memory.age)[memory.seen]
    colours /= np.maximum(weights, 1e-9)[:, None]
    trust = np.clip((FORGOTTEN - nearest) / (FORGOTTEN - FADES_FROM), 0, 1)
    return colours, np.asarray(trust, dtype=np.float32)


@lru_cache
def _head() -> Mask:
    head = np.zeros((FACE_SIZE, FACE_SIZE), dtype=np.float32)
    cv2.ellipse(head, HEAD[0], HEAD[1], 0, 0, 360, 1.0, -1)
    return resize(head, CELLS) > 0.5
