"""Painting many small pieces, each only within its own bounding box, into one layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from unveil.occlusion.objects.layer import Array, Layer


@dataclass(frozen=True)
class Patch:
    """A piece of an image: its alpha and where its upper left corner lies, in pixels."""

    x: int
    y: int
    alpha: Array  # (h, w) float32 in [0, 1]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, pixels."""
        h, w = self.alpha.shape
        return h, w

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns in the whole image."""
        h, w = self.alpha.shape
        return slice(self.y, self.y + h), slice(self.x, self.x + w)

    def grid(self) -> tuple[Array, Array]:
        """x (1, w) and y (h, 1) of its pixels in the whole image, float32."""
        h, w = self.alpha.shape
        x = np.arange(self.x, self.x + w, dtype=np.float32)[None, :]
        return x, np.arange(self.y, self.y + h, dtype=np.float32)[:, None]


def outlined(size: int, *outlines: ArrayLike, margin: int = 2) -> Patch:
    """The inside of closed outlines, (N, 2) in pixels; an outline within another is a hole."""
    fixed = [_sixteenths(outline) for outline in outlines]
    box = _box(size, np.concatenate(fixed) / 16, margin)
    canvas, offset = _canvas(box)
    cv2.fillPoly(canvas, [o - offset for o in fixed], 255, cv2.LINE_AA, shift=4)
    return Patch(box[0], box[1], _unit(canvas))


def lined(size: int, curve: ArrayLike, width: float, closed: bool = False) -> Patch:
    """A curve, (N, 2) in pixels, `width` pixels thick (a fraction under 1 is drawn fainter)."""
    fixed, thick = _sixteenths(curve), max(1, round(width))
    box = _box(size, fixed / 16, thick + 2)
    canvas, offset = _canvas(box)
    cv2.polylines(canvas, [fixed - offset], closed, 255, thick, cv2.LINE_AA, shift=4)
    return Patch(box[0], box[1], _unit(canvas) * np.float32(min(1.0, width)))


def offset(x: float, y: float) -> Array:
    """A vector to add to (N, 2) points, (2,) float32."""
    return np.array((x, y), dtype=np.float32)


def _sixteenths(points: ArrayLike) -> NDArray[np.int32]:
    at = np.clip(np.asarray(points, dtype=np.float64), -4000, 8000)
    return np.asarray(np.rint(at * 16), dtype=np.int32)


def _box(size: int, points: NDArray[np.floating], margin: int) -> tuple[int, int, int, int]:
    low = np.clip(np.floor(points.min(axis=0)) - margin, 0, size - 1).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + margin + 1, low + 1, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _canvas(box: tuple[int, int, int, int]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    canvas = np.zeros((box[3] - box[1], box[2] - box[0]), dtype=np.uint8)
    return canvas, np.array([box[0] * 16, box[1] * 16], dtype=np.int32)


def _unit(canvas: NDArray[np.uint8]) -> Array:
    return canvas.astype(np.float32) * np.float32(1 / 255)


def blurred(patch: Patch, sigma: float) -> Patch:
    """A patch with a softer edge; draw it with a margin of 3 sigma, or it is cut."""
    return Patch(patch.x, patch.y, blur(patch.alpha, sigma))


def blur(values: Array, sigma: float) -> Array:
    """Gaussian blur that takes what lies outside as 0, (h, w) float32."""
    soft = cv2.GaussianBlur(values, (0, 0), max(sigma, 0.1), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(soft, dtype=np.float32)


class Marks:
    """Thin lines and small spots, drawn many at a time into one map: (S, S) uint8, 255 = full."""

    def __init__(self, size: int) -> None:
        self.map = np.zeros((size, size), dtype=np.uint8)

    def lines(
        self, curves: ArrayLike, width: float, strength: float = 1.0, closed: bool = False
    ) -> None:
        """Curves of equal length, (M, N, 2) in pixels."""
        value, thick = round(255 * strength * min(1.0, width)), max(1, round(width))
        for curve in _sixteenths(curves):  # one by one: together they would blend only once
            cv2.polylines(self.map, [curve], closed, value, thick, cv2.LINE_AA, shift=4)

    def spots(self, outlines: ArrayLike) -> None:
        """The insides of outlines of equal length, (M, N, 2) in pixels."""
        for outline in _sixteenths(outlines):
            cv2.fillPoly(self.map, [outline], 255, cv2.LINE_AA, shift=4)

    def patch(self, strength: float = 1.0) -> Patch:
        """All of them, times `strength`."""
        x, y, w, h = cv2.boundingRect(self.map)
        part = self.map[y : y + max(h, 1), x : x + max(w, 1)]
        return Patch(x, y, part.astype(np.float32) * np.float32(strength / 255))


class Canvas:
    """A layer that is painted piece by piece, back to front.

    The colour is kept multiplied by alpha and channel by channel: then "over" is one and the same
    step for all four planes, soft edges mix rightly, and boxes stay contiguous enough to be fast.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._planes = [np.zeros((size, size), dtype=np.float32) for _ in range(4)]

    def paint(
        self, patch: Patch, colour: Sequence[float] | Array | Sequence[Array], opacity: float = 1.0
    ) -> None:
        """Lay a piece over what is there.

        Args:
            patch: where, and how much.
            colour: RGB 0..255: three numbers, or three planes (h, w) of the patch's shape.
            opacity: multiplies the patch's alpha.
        """
        cover = patch.alpha if opacity == 1 else patch.alpha * np.float32(opacity)
        for plane, value in zip(self._planes, (*colour, 1.0), strict=True):
            part = plane[patch.box]
            part += cover * (np.float32(value) - part)

    def shade(self, patch: Patch, factor: float | Array) -> None:
        """Multiply the colour under a piece by `factor` (a number or (h, w)); alpha stays."""
        change = 1 + patch.alpha * (np.float32(factor) - 1)
        for plane in self._planes[:3]:
            plane[patch.box] *= change

    def light(self, patch: Patch, colour: Sequence[float] | Array, strength: float | Array) -> None:
        """Add light to what is painted already; alpha stays."""
        added = patch.alpha * self._planes[3][patch.box] * np.float32(strength)
        for plane, value in zip(self._planes[:3], colour, strict=True):
            plane[patch.box] += added * np.float32(value)

    def over(self, upper: Canvas) -> None:
        """Lay another canvas over this one."""
        box = _filled(upper.alpha)
        left = 1 - upper.alpha[box]
        for plane, above in zip(self._planes, upper._planes, strict=True):
            part = plane[box]
            part *= left
            part += above[box]

    @property
    def alpha(self) -> Array:
        """(S, S) float32 in [0, 1], so far."""
        return self._planes[3]

    def layer(self, lift: float, clear: bool = False) -> Layer:
        """The finished layer, with straight (not premultiplied) colour."""
        alpha = self._planes[3]
        colour = np.zeros((self.size, self.size, 3), dtype=np.float32)
        box = _filled(alpha)
        whole = 1 / np.maximum(alpha[box], np.float32(1e-3))
        planes = [np.clip(plane[box] * whole, 0, 255) for plane in self._planes[:3]]
        colour[box] = cv2.merge(planes)
        return Layer(colour, alpha, lift, clear)


def _filled(alpha: Array) -> tuple[slice, slice]:
    """The rows and columns that hold something; one pixel where nothing does."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
