"""Gives a face a clear contour where it was invented before a plain background.

Where a hidden part reaches over the edge of a face, nothing tells just where that edge was, and a
fill that is a mean of all faces is a haze between skin and background there. The haze is drawn
together to an edge where it is half: each pixel is taken from a little further out on its own side
of the edge (Arad and Gotsman, 1999, "Enhancement by image-dependent warping", sharpen whole images
so). Only before what is known and plain: before hair and leaves an edge in the wrong place looks
worse than a haze, and within a face soft shades belong there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Mask, Photo, paint, ramp

Array = NDArray[np.float32]

# Lengths are pixels of an aligned face; colours 0..255 steps, a channel; of two numbers, what is
# below the first counts for nothing, and what is above the second for all there is, or the reverse.

# What is finer than this is no haze; both sides of an edge are looked at so far away from it.
SOFTNESS = 4.0
BESIDE = 12

# How much the two sides must differ.
STEP = (30.0, 45.0)

# A ray goes so far for a known pixel, in strides; the background is judged so far behind it.
LONGEST = 72
STRIDE = 3
BEHIND = 5

# A background may be so uneven, and differ from the edge's outer side by so much of the step; it
# must differ from the face's own colour by so much, which is read off some pixels of its middle.
UNEVEN = (2.5, 7.0)
DIFFERENT = (0.3, 0.5)
FOREIGN = (45.0, 65.0)
MIDDLE = (slice(100, 190, 3), slice(96, 160, 3))

# A pixel is taken from so far away at most, and the less the nearer it is to the edge.
REACH = 10.0
TURN = 0.15

# More than anything of the above looks beyond what is hidden.
MARGIN = 32


def sharpen_contour(face: Photo, hidden: Mask) -> Photo:
    """The face with a clear contour before a plain background.

    Args:
        face: (256, 256, 3) uint8, its hidden part invented.
        hidden: (256, 256), True = invented.

    Returns:
        (256, 256, 3) uint8, equal to `face` in every known pixel.
    """
    made = face.copy()
    if hidden.any():
        rows, columns = (np.flatnonzero(hidden.any(axis=axis)) for axis in (1, 0))
        part = tuple(slice(max(0, n[0] - MARGIN), n[-1] + MARGIN + 1) for n in (rows, columns))
        own = np.median(face[MIDDLE].reshape(-1, 3), axis=0).astype(np.float32)
        paint(made[part], _drawn_together(face[part], hidden[part], own), hidden[part])
    return made


def _drawn_together(face: Photo, hidden: Mask, own: Array) -> Photo:
    """`sharpen_contour` of a part of a face of a known colour; known pixels are changed, too."""
    colours = face.astype(np.float32)
    grey: Array = np.asarray(cv2.transform(colours, np.full((1, 3), 1 / 3)), np.float32)
    right, down = _slopes(_blurred(grey, SOFTNESS))
    steep: Array = np.asarray(np.hypot(right, down), np.float32)
    weight = np.zeros_like(steep)
    rows, columns = np.nonzero(hidden & (steep > 1))
    height = steep[rows, columns]
    ways = (np.asarray(slope[rows, columns] / height) for slope in (right, down))
    rays = _Rays(rows, columns, *ways)
    soft = _blurred(colours, SOFTNESS)
    sides = rays.at(soft, BESIDE), rays.at(soft, -BESIDE)
    high = np.flatnonzero(_apart(*sides) > STEP[0])
    if not len(high):
        return face
    rays, sides = rays.of(high), (sides[0][high], sides[1][high])
    weight[rays.rows, rays.columns] = _before_plain(grey, soft, hidden, rays, sides, own)
    if not weight.any():
        return face
    weight *= np.minimum(steep - 1, 1)
    inside = np.clip(2 * _blurred(hidden.astype(np.float32), 3) - 1, 0, 1)
    weight = _blurred(weight, 2.5) * inside

    hill = _blurred(steep, 1.5)  # highest on the edge, so that its slope leads away from there
    right, down = _slopes(hill)
    slope = np.maximum(np.hypot(right, down), 1e-6)
    far = -REACH * weight * np.tanh(slope / np.maximum(hill, 0.3) / TURN) / slope
    y, x = np.indices(hidden.shape, dtype=np.float32)
    sources = x + far * right, y + far * down
    return np.asarray(cv2.remap(face, *sources, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


@dataclass(frozen=True)
class _Rays:
    """Pixels (n,) of an image, and a direction at each: (n,) and (n,), together of length 1."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    right: Array
    down: Array

    def of(self, some: NDArray[np.intp]) -> _Rays:
        """Those of some pixels alone."""
        return _Rays(self.rows[some], self.columns[some], self.right[some], self.down[some])

    def at(self, plane: NDArray[Any], distance: int | NDArray[np.intp]) -> NDArray[Any]:
        """What stands so far away, (n[, channels]): the nearest pixel, within the image."""
        rows = np.rint(self.rows + distance * self.down).astype(np.intp)
        columns = np.rint(self.columns + distance * self.right).astype(np.intp)
        rows, columns = rows.clip(0, len(plane) - 1), columns.clip(0, plane.shape[1] - 1)
        return np.asarray(plane[rows, columns])


def _before_plain(
    grey: Array,
    soft: Array,
    hidden: Mask,
    rays: _Rays,
    sides: tuple[Array, Array],
    own: Array,
) -> Array:
    """(n,) how surely a pixel lies between the face and a background that is known and plain."""
    spread = _blurred(np.square(grey), 3) - np.square(_blurred(grey, 3))
    uneven = np.sqrt(np.maximum(spread, 0))
    step = _apart(*sides)
    likely = np.zeros_like(step)
    for sign, side in zip((1, -1), sides, strict=True):
        reached = np.zeros(len(step), np.intp)
        for distance in range(STRIDE, LONGEST, STRIDE):
            reached[(reached == 0) & ~rays.at(hidden, sign * distance)] = distance
        there = sign * (reached + BEHIND)
        colour = rays.at(soft, there)
        plain = (
            (reached > 0)
            * (1 - ramp(rays.at(uneven, there), UNEVEN))
            * (1 - ramp(_apart(colour, side) / step, DIFFERENT))
            * ramp(_apart(colour, own), FOREIGN)
        )
        likely = np.maximum(likely, plain)
    return np.asarray(likely * ramp(step, STEP), np.float32)


def _apart(a: Array, b: Array) -> Array:
    """(..., 3) colours -> root of their mean squared difference."""
    return np.asarray(np.sqrt(np.square(a - b).mean(axis=-1)))


def _blurred(plane: Array, deviation: float) -> Array:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE))


def _slopes(plane: Array) -> tuple[Array, Array]:
    """The change a pixel, to the right and downwards."""
    right = cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(right), np.asarray(down)
