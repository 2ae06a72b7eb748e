"""How a face moves from one frame to the next: as a whole, and pixel by pixel.

The pixels under an occluder move with the face, not with what hides it: `head.py` says how.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import FACE_SIZE, Mask, Photo, grow
from unveil.video.head import CELLS, Array, under

Map = NDArray[np.float64]
Grey = NDArray[np.uint8]
Box = tuple[float, float, float, float]

SMALL = 480  # pixels: the longer side of the frames that faces are followed in
LEAST_CORNERS, IN_EACH = 8, 4
# The best corners of a face, and of a frame; and of how many parts, across and down, a few more.
OF_A_FACE, AROUND = (60, 3), (0, 6)
# Parts of a face's height. A motion that differs by more from that of the frames before is one of
# two, if so many of the corners have another; or none of a head, unless the camera's is so near.
SUDDEN, RIVAL, IMPOSSIBLE, NEAR = 0.03, 0.3, 0.06, 0.03
SPREAD = 2.0  # cells
WHOLE = (slice(None), slice(None))


def small_grey(photo: Photo) -> tuple[Grey, float]:
    """A photo in grey, at most `SMALL` pixels long, and its pixels to one of the photo."""
    grey, scale = _grey(photo), min(1.0, SMALL / max(photo.shape[:2]))
    if scale < 1:
        size = (max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return grey, scale


def follow(
    before: Grey,
    after: Grey,
    box: Box,
    others: list[Box],
    scale: float,
    hidden: Mask | None = None,
    expected: Map | None = None,
) -> Map | None:
    """The turn, scale and shift of what is in a box, from one frame to the next.

    Corners followed by Lucas and Kanade's method with pyramids (Bouguet, 2000), forwards and back;
    RANSAC finds what moves together. Where that is two things, a face and a hand before it, it is
    the one that moves as expected.

    Args:
        before, after: of `small_grey`.
        box: left, top, right, bottom of the face in the photo.
        others: boxes of other faces, whose pixels do not count.
        scale: small pixels to a pixel of the photo.
        hidden: of the size of `before`, what hides the face and moves on its own.
        expected: (2, 3), its motion so far, in the photo's pixels; None: not known.

    Returns:
        (2, 3) in the photo's pixels; None where too little is seen.
    """
    window = np.zeros(before.shape, dtype=np.uint8)
    _paint(window, box, scale, 255)
    for other in others:
        _paint(window, other, scale, 0)
    if hidden is not None:
        window[hidden] = 0
    here, there = _followed(before, after, _corners(before, window, *OF_A_FACE))
    move, inside = _together(here / scale, there / scale, 1.5 / scale)
    if move is None or inside.sum() < max(LEAST_CORNERS, 0.3 * len(here)):
        return None
    if expected is not None:
        off = _apart(move, expected, box)
        if off > SUDDEN:
            rest = ~inside
            rival, theirs = _together(here[rest] / scale, there[rest] / scale, 1.5 / scale)
            enough = theirs.sum() >= max(LEAST_CORNERS, RIVAL * len(here))
            if rival is not None and enough and _apart(rival, expected, box) < off:
                move, off = rival, _apart(rival, expected, box)
        if off > IMPOSSIBLE:
            camera = _camera(before, after, [box, *others], scale)
            if camera is None or _apart(move, camera, box) > NEAR:
                return None
    # Twice as large within a frame is no face.
    size = float(np.hypot(move[0, 0], move[1, 0]))
    return move if 0.7 < size < 1.4 else None


def _camera(before: Grey, after: Grey, faces: list[Box], scale: float) -> Map | None:
    """The motion of most of what is no face; None: too little is there to be followed."""
    window = np.full(before.shape, 255, dtype=np.uint8)
    for face in faces:
        _paint(window, face, scale, 0)
    here, there = _followed(before, after, _corners(before, window, *AROUND))
    move, inside = _together(here / scale, there / scale, 1.5 / scale)
    return move if inside.sum() > len(here) / 2 else None


def _followed(
    before: Grey, after: Grey, corners: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, 2) each: the corners that are found again, before and after."""
    if not len(corners):
        return np.zeros((0, 2), dtype=np.float32), np.zeros((0, 2), dtype=np.float32)
    settings = {"winSize": (15, 15), "maxLevel": 3}
    there, ok, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None, **settings)  # type: ignore[call-overload]
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(after, before, there, None, **settings)  # type: ignore[call-overload]
    astray = np.abs(back - corners).reshape(-1, 2).max(axis=1)
    good = (ok.ravel() > 0) & (ok_back.ravel() > 0) & (astray < 0.7)
    return corners[good].reshape(-1, 2), there[good].reshape(-1, 2)


def _corners(grey: Grey, window: Grey, best: int, across_and_down: int) -> NDArray[np.float32]:
    """(n, 1, 2): the best corners of a window, and a few of each of its parts.

    Else a thing with a pattern, before a face, had them all.
    """
    found = [np.zeros((0, 1, 2), dtype=np.float32)]
    x, y, width, height = cv2.boundingRect(window)
    across, down = (
        np.linspace(start, start + length, across_and_down + 1).astype(int)
        for start, length in ((x, width), (y, height))
    )
    parts = [(best, (y, y + height), (x, x + width))] if best else []
    parts += [(IN_EACH, rows, columns) for rows in pairwise(down) for columns in pairwise(across)]
    for most, rows, columns in parts:
        part = (slice(*rows), slice(*columns))
        if window[part].any():
            some = cv2.goodFeaturesToTrack(grey[part], most, 0.01, 4, mask=window[part])
            if some is not None:
                corner = (columns[0], rows[0])
                found.append(np.asarray(np.add(some, corner), dtype=np.float32))
    return np.concatenate(found)


def _together(
    before: NDArray[np.floating], after: NDArray[np.floating], apart: float
) -> tuple[Map | None, NDArray[np.bool_]]:
    """The motion that most of some points (n, 2) share, and which do."""
    if len(before) < LEAST_CORNERS:
        return None, np.zeros(len(before), np.bool_)
    move, inside = cv2.estimateAffinePartial2D(before, after, ransacReprojThreshold=apart)
    return (None if move is None else np.asarray(move, dtype=np.float64)), inside.ravel() > 0


def _apart(one: Map, other: Map, box: Box) -> float:
    """How far apart two motions take the middle of a box, in parts of its height."""
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 1.0)
    return float(np.linalg.norm((one - other) @ middle)) / (box[3] - box[1])


def _paint(window: Grey, box: Box, scale: float, value: int) -> None:
    left, top, right, bottom = (round(v * scale) for v in box)
    window[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = value


class Flow:
    """Dense motion between aligned faces; see Kroeger et al., DIS optical flow (ECCV 2016)."""

    def __init__(self) -> None:
        self._rough, self._fine = (
            cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST) for _ in range(2)
        )
        for dis in (self._rough, self._fine):
            # Its smoothing takes more than half of the time. A mask comes out worse by it, and the
            # face's motion is made smoother still, see `head.under`.
            dis.setVariationalRefinementIterations(0)
        # Of all pixels, in fewer rounds than usual, and with patches further apart.
        self._fine.setFinestScale(0)
        self._fine.setGradientDescentIterations(8)
        self._fine.setPatchStride(5)

    def rough(self, here: Photo, there: Photo) -> Array:
        """(256, 256, 2): where in `there` (minus where it is) each pixel of `here` lies.

        From faces of a quarter of their size: enough for an occluder's mask.
        """
        return _measured(self._rough, _grey(here), _grey(there))

    def fine(self, here: Photo, there: Photo) -> Array:
        """The same from faces of their full size, in some five times the time."""
        return _measured(self._fine, _grey(here), _grey(there))

    def of_the_face(self, here: Photo, there: Photo, hidden: Mask) -> Array:
        """The face's own motion from `here` to `there`, under the occluder too.

        What is invented is moved by it, so that each error of it is seen as a shiver.

        Args:
            here, there: (256, 256, 3) uint8.
            hidden: (256, 256), hidden in either of them.

        Returns:
            (256, 256, 2), as `head.under`.
        """
        # The edges of an occluder are strong, and DIS carries their motion far into plain skin.
        now, then = (_blank(_grey(face), hidden) for face in (here, there))
        return under(_measured(self._fine, now, then), hidden, _structure(now))


def _grey(photo: Photo) -> Grey:
    return np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _measured(dis: cv2.DISOpticalFlow, here: Grey, there: Grey) -> Array:
    return np.asarray(dis.calc(here, there, None), dtype=np.float32)  # type: ignore[call-overload]


def _blank(grey: Grey, hidden: Mask) -> Grey:
    """The hidden part as plain as can be, of the brightness around it."""
    if not hidden.any():
        return grey
    hidden = grow(hidden, 2)
    weight = cv2.resize((~hidden).astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    known = np.where(hidden, np.uint8(0), grey).astype(np.float32)
    values = cv2.resize(known, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    mean = float(values.sum()) / max(float(weight.sum()), 1e-6)
    spread = [np.asarray(cv2.GaussianBlur(v, (0, 0), SPREAD)) for v in (values, weight)]
    around = (spread[0] + 1e-3 * mean) / (spread[1] + 1e-3)
    plain = cv2.resize(np.clip(around, 0, 255), (FACE_SIZE, FACE_SIZE))
    return np.where(hidden, np.asarray(plain).astype(np.uint8), grey)


def _structure(grey: Grey) -> Array:
    """0..1: how much there is to follow; on plain skin flow is a guess."""
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *d, scale=0.125) for d in ((1, 0), (0, 1)))
    power = np.asarray(cv2.boxFilter(x * x + y * y, -1, (9, 9)), dtype=np.float32)
    return power / (power + 16) + np.float32(0.01)


def opposite(flow: Array) -> Array:
    """A smooth flow (256, 256, 2) the other way, from there to here; to first order its inverse."""
    return -warp(flow, -flow)


def warp(
    image: NDArray[np.floating],
    flow: Array,
    method: int = cv2.INTER_LINEAR,
    part: tuple[slice, slice] = WHOLE,
) -> Array:
    """`image` (256, 256[, C]) as seen from where `flow` starts; some rows and columns of it."""
    places, border = here()[part] + flow[part], cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(image, places, None, method, borderMode=border), np.float32)  # type: ignore[call-overload]


def here() -> Array:
    """(256, 256, 2): x, y of each pixel. Not to be changed."""
    return _HERE


def _grid(side: int) -> Array:
    return np.stack(np.meshgrid(*[np.arange(side, dtype=np.float32)] * 2), axis=2)


_HERE = _grid(FACE_SIZE)
