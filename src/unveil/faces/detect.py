"""Finds the faces of a photo: small and large, turned by any angle, partly hidden.

The whole photo at three scales, and a large one in tiles, gives candidates; a second look at each,
from near and upright, gives the points. The second look is what makes a turned face come out right:
the detector finds it as it is, but guesses its points. See docs/log.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.cancel import checkpoint
from unveil.errors import UsageError
from unveil.faces.align import CANONICAL_POINTS, invert, shifted, similarity, smaller, turn_of
from unveil.faces.exposure import brightened
from unveil.imaging import FACE_SIZE, Photo
from unveil.runtime.detector import Array, DetectorNetwork, distinct

SCORE = 0.3  # for a candidate; a second look must then be surer
SURE_SCORE = 0.8
MIN_SIZE = 40
# Sides in pixels: of the whole photo in the coarse pass; the least that a photo is enlarged to; of
# a tile and of what neighbours share, which is the largest face that only the tiles have to find.
COARSE, LEAST, TILE, SHARED = 640, 320, 1024, 192
# What the fine pass looks at without being asked: half a second on two cores.
FINE_PIXELS = 2_000_000
LARGEST_PIXELS = 160_000_000
# A face that the network is to find behind a mask must be about as tall as this.
SEEN = 40
# The second look: a square of this side, this many times as large as the face.
LOOK, AROUND = 256, 1.7
# The same for a face that is aligned already.
FACE_MIDDLE, FACE_SIDE = (128.0, 150.0), 280.0
# Faces of which one covers this share of the smaller are one face.
COVERED = 0.6


# Compared by identity: arrays have no one answer to ==.
@dataclass(frozen=True, eq=False)
class Detection:
    """A face of a photo.

    Attributes:
        box: left, top, right, bottom in the photo's pixels; upright, whatever the face is.
        points: (5, 2) x, y in the photo's pixels: eyes, nose tip, mouth corners, the left ones
            first as one sees them with the face upright.
        score: 0..1.
    """

    box: tuple[float, float, float, float]
    points: NDArray[np.float32]
    score: float

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def quarters(self) -> int:
        """How many quarter turns, counterclockwise, bring it nearest to upright: 0 to 3."""
        across, down = self.points[3:].mean(axis=0) - self.points[:2].mean(axis=0)
        return round(float(np.arctan2(-across, down)) / (np.pi / 2)) % 4


class FaceDetector:
    """Finds faces; its network stays loaded."""

    def __init__(self, threads: int = 0, device: str = "cpu") -> None:
        """Args: threads of one run, 0 = all cores; "cpu" or "cuda"."""
        self.network = DetectorNetwork(threads, device)

    def find(self, photo: Photo, min_size: int | None = None) -> tuple[Detection, ...]:
        """The faces of a photo, from left to right.

        Args:
            photo: HWC uint8 RGB of any size.
            min_size: the smallest face in pixels, and the photo is searched finely enough to find
                it, as far as it is not enlarged to more than LARGEST_PIXELS: of 12 megapixels 11 px
                are the least, of 96 megapixels 31. None: about 40 pixels, in photos of over 2
                megapixels about a fiftieth of the longer side.

        Raises:
            UsageError: `min_size` is under 8.
        """
        if min_size is not None and min_size < 8:
            raise UsageError(f"a face of under 8 pixels cannot be found (got {min_size})")
        found = self._found(photo, min_size)
        lit = brightened(photo)
        if lit is not None:  # too, for a face may be lit where all around it is dark
            found += self._found(lit, min_size)
        large = [d for d in _merge(found) if d.size >= (min_size or MIN_SIZE * 0.75)]
        return tuple(sorted(large, key=lambda d: (d.box[0] + d.box[2], d.box[1])))

    def _found(self, photo: Photo, min_size: int | None) -> list[Detection]:
        boxes = self._candidates(photo, min_size)
        found = self._seen_twice(photo, boxes)
        ways = {face.quarters for face in found} if boxes else {1, 2, 3}
        if 0 not in ways:
            # The photo stands on its side or its head: as it is, not all of its faces are seen.
            for quarters in sorted(ways):
                turned = np.ascontiguousarray(np.rot90(photo, quarters))
                again = self._candidates(turned, min_size)
                boxes = [_turn_back(box, turned.shape[:2], quarters) for box in again]
                new = [b for b in boxes if all(_share(tuple(b), f.box) < COVERED for f in found)]
                found += self._seen_twice(photo, new)
        return found

    def points(self, face: Photo) -> NDArray[np.float32] | None:
        """The five points of an aligned face, (5, 2) in its 256x256 frame; None: none seen."""
        view = self._views(face, FACE_MIDDLE, FACE_SIDE, [0.0])
        return view.detection.points if view is not None and view.plain else None

    def turn(self, face: Photo) -> float | None:
        """How far the head of an aligned face of any size is turned (`align.turn_of`), radians."""
        points = self.points(_resized(face, (FACE_SIZE, FACE_SIZE)))
        return None if points is None else turn_of(points)

    def _candidates(self, photo: Photo, min_size: int | None) -> list[Array]:
        """Boxes in the photo's pixels, surest first, each face about once."""
        boxes, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
        for scale, box in _windows(photo.shape[:2], min_size):
            checkpoint()
            left, top, right, bottom = box
            part = photo[top:bottom, left:right]
            size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
            found = self.network.run(_resized(part, size)[None], SCORE)[0]
            # A face cut by a tile's edge is whole in the tile beside it, or in the coarse pass.
            edges = np.array([left > 0, top > 0, right < photo.shape[1], bottom < photo.shape[0]])
            gaps = np.abs(found.boxes - [0, 0, *size])
            whole = ~((gaps < 3) & edges).any(axis=1)
            boxes.append(
                found.boxes[whole] / np.float32(scale) + np.array([left, top] * 2, np.float32)
            )
            scores.append(1 - found.doubts[whole])
        every, sure = np.concatenate(boxes), np.concatenate(scores)
        return [every[i] for i in distinct(every, sure, 0.5)]

    def _seen_twice(self, photo: Photo, boxes: list[Array]) -> list[Detection]:
        """Of candidates those that a second look is sure of."""
        looked = [self._look(photo, box) for box in boxes]
        return [d for d in looked if d is not None and d.score >= SURE_SCORE]

    def _look(self, photo: Photo, box: Array) -> Detection | None:
        """One candidate from near: as it stands; if in doubt turned by quarters; then upright."""
        checkpoint()
        side = float(max(box[2] - box[0], box[3] - box[1])) * AROUND
        middle = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
        best = self._views(photo, middle, side, [0.0])
        if best is None or not best.plain:
            others = self._views(photo, middle, side, [90.0, 180.0, 270.0])
            best = max((v for v in (best, others) if v is not None), key=_belief, default=None)
        if best is None:
            return None
        if abs(best.tilt) > 12:
            upright = self._views(photo, middle, side, [best.turned + best.tilt])
            if upright is not None and _belief(upright) > _belief(best) - 0.5:
                best = upright
        return best.detection

    def _views(
        self, photo: Photo, middle: tuple[float, float], side: float, angles: list[float]
    ) -> _View | None:
        """The likeliest face in the middle of squares cut at these angles, or None."""
        maps = [_square(middle, side, angle) for angle in angles]
        found = self.network.run(np.stack([_view(photo, m, LOOK / side) for m in maps]), 0.3)
        views = []
        for angle, matrix, candidates in zip(angles, maps, found, strict=True):
            centres = (candidates.boxes[:, :2] + candidates.boxes[:, 2:]) / 2
            near = np.abs(centres - LOOK / 2).max(axis=1, initial=0) < LOOK / 6
            box, points, doubt = (
                of[near][:1] for of in (candidates.boxes, candidates.points, candidates.doubts)
            )
            if len(box):
                views.append(_View.of(matrix, angle, box[0], points[0], float(doubt[0])))
        return max(views, key=_belief, default=None)


@dataclass(frozen=True)
class _View:
    """What one look showed: the detection, how sure, how tilted (degrees), how oddly its points."""

    detection: Detection
    turned: float
    certainty: float
    tilt: float
    oddness: float

    @classmethod
    def of(cls, matrix: Array, angle: float, box: Array, points: Array, doubt: float) -> _View:
        face = similarity(points, CANONICAL_POINTS)
        scale = float(np.hypot(face[0, 0], face[1, 0]))
        off = points @ face[:, :2].T + face[:, 2] - CANONICAL_POINTS
        back = invert(np.asarray(matrix, dtype=np.float64))
        # The head is about an ellipse; the upright box around it after turning it back.
        a, b = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
        reach = np.hypot(back[:, 0] * a, back[:, 1] * b)
        centre = back[:, :2] @ ((box[:2] + box[2:]) / 2) + back[:, 2]
        left, top, right, bottom = (float(v) for v in (*(centre - reach), *(centre + reach)))
        return cls(
            Detection(
                (left, top, right, bottom),
                (points @ back[:, :2].T + back[:, 2]).astype(np.float32),
                1 - doubt,
            ),
            angle,
            -np.log10(max(doubt, 1e-8)),
            float(np.degrees(np.arctan2(-face[1, 0], face[0, 0]))) if scale > 0 else 0.0,
            float(np.hypot(*off.T).mean()),
        )

    @property
    def plain(self) -> bool:
        """Upright beyond doubt: no quarter turn of a real face was ever seen like this."""
        return self.certainty > 2.3 and abs(self.tilt) < 35 and self.oddness < 17


def _belief(view: _View) -> float:
    """How likely the face stands upright in this view; from 43 photos, each turned four ways."""
    return view.certainty - abs(view.tilt) / 45


def _windows(
    size: tuple[int, int], min_size: int | None
) -> Iterator[tuple[float, tuple[int, int, int, int]]]:
    """What the network is to see: (scale, (left, top, right, bottom)) of the photo."""
    height, width = size
    longest = max(height, width)
    fine = SEEN / (min_size or MIN_SIZE)
    if min_size is None:
        fine = min(fine, float(np.sqrt(FINE_PIXELS / (height * width))))
    fine = min(max(fine, LEAST / longest), float(np.sqrt(LARGEST_PIXELS / (height * width))))
    tiled = longest * fine > TILE * 1.2
    coarse = COARSE / longest if tiled else fine
    # Half and a quarter of it: a face of which much is hidden is seen better from further away.
    for scale in (coarse, coarse / 2, coarse / 4):
        if scale == coarse or longest * scale >= LEAST / 2:
            yield scale, (0, 0, width, height)
    if not tiled:
        return
    for top, bottom in _spans(height, fine):
        for left, right in _spans(width, fine):
            yield fine, (left, top, right, bottom)


def _spans(length: int, scale: float) -> list[tuple[int, int]]:
    """Equal parts of a side, overlapping, each at most a tile long at this scale."""
    tile, shared = TILE / scale, SHARED / scale
    parts = max(1, int(np.ceil((length - shared) / (tile - shared))))
    each = (length - shared) / parts + shared
    starts = [round(i * (each - shared)) for i in range(parts)]
    return [(start, min(length, round(start + each))) for start in starts]


def _resized(part: Photo, size: tuple[int, int]) -> Photo:
    shrinks = size[0] < part.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size, interpolation=method), dtype=np.uint8)


def _square(middle: tuple[float, float], side: float, angle: float) -> Array:
    """The map that turns the photo counterclockwise and puts this square on LOOK x LOOK."""
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, angle, LOOK / side), dtype=np.float64)
    matrix[:, 2] += (LOOK - 1) / 2 - np.array(middle, np.float64)
    return np.asarray(matrix, dtype=np.float32)


def _view(photo: Photo, matrix: Array, scale: float) -> Photo:
    """The square of a photo under such a map, each pixel the mean of those it covers."""
    exact = np.asarray(matrix, dtype=np.float64)
    back = invert(exact)
    corners = np.array([[0, 0], [LOOK, 0], [0, LOOK], [LOOK, LOOK]]) @ back[:, :2].T + back[:, 2]
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.maximum(np.ceil(corners.max(axis=0)).astype(int) + 1, 0)
    part = photo[top:bottom, left:right]
    moved = shifted(exact, left, top)
    grey = (123, 117, 104)
    if not part.size:
        return np.full((LOOK, LOOK, 3), grey, dtype=np.uint8)
    if scale < 1:
        small, moved = smaller(part, moved, scale)
        part = _resized(part, small)
    return np.asarray(cv2.warpAffine(part, moved, (LOOK, LOOK), borderValue=grey), dtype=np.uint8)


def _turn_back(box: Array, size: tuple[int, int], turns: int) -> Array:
    """A box of a photo that was turned counterclockwise by quarters and then had this size."""
    height, width = size
    left, top, right, bottom = box
    for _ in range(turns):
        left, top, right, bottom = height - bottom, left, height - top, right
        height, width = width, height
    return np.array([left, top, right, bottom], dtype=np.float32)


def _merge(detections: list[Detection]) -> list[Detection]:
    """Each face once: where one covers most of another, the surer one stays."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda d: -d.score):
        if all(_share(one.box, other.box) < COVERED for other in kept):
            kept.append(one)
    return kept


def _share(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """What two boxes share, in parts of the smaller."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return width * height / max(smaller, 1e-6)
