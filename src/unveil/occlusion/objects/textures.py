"""Cheap textures that the families share: noise, grain, and patterns of two colours.

Patterns are drawn once into a cached sheet and then cut out of it, turned and moved, so that one
costs a fraction of a millisecond at 256x256. All lengths are fractions of `size`, the side of the
image; a texture fills it, or only a piece of the given `shape` (height, width). Cloth is in
`fabric.py`.
"""

from __future__ import annotations

import colorsys
import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from unveil.occlusion.objects.layer import Array

_PATTERNS = ("stripes", "checks", "dots", "weave", "knit", "herringbone")
_NOISE_SIDE, _CELL = 768, 32  # of the cached sheet of noise, and of its coarsest patch, in pixels
_LARGEST = 1024  # pixels: larger sheets of patterns are not kept; of 84 at 4096 each has 17 MB
_FINE = 96  # side in pixels at which one period of a pattern is drawn, before it shrinks


def value_noise(
    rng: np.random.Generator,
    size: int,
    cell: float,
    octaves: int = 1,
    shape: tuple[int, int] | None = None,
) -> Array:
    """Smooth value noise: `shape` or (size, size) float32, in about [-1, 1].

    Args:
        cell: side of a patch of the coarsest octave, as a fraction of `size` (0.3 = big clouds).
        octaves: each further one is half as large and half as strong.
    """
    # Drawn as coarsely as its finest patch allows, and enlarged.
    finest = cell * size / 2 ** (octaves - 1)
    step = 4 if finest >= 12 else 2 if finest >= 5 else 1
    h, w = shape or (size, size)
    rows, columns = -(-h // step), -(-w // step)
    turn = cv2.getRotationMatrix2D(
        (0.0, 0.0), float(rng.uniform(0, 360)), _CELL * step / (cell * size)
    )
    turn[:, 2] = rng.uniform(0, _NOISE_SIDE, 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(
        _noise_sheet(octaves), turn, (columns, rows), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(cv2.resize(cut, (columns * step, rows * step))[:h, :w], dtype=np.float32)


@lru_cache(maxsize=8)
def _noise_sheet(octaves: int) -> Array:
    rng = np.random.default_rng(43)
    total = np.zeros((_NOISE_SIDE, _NOISE_SIDE), dtype=np.float32)
    for octave in range(octaves):
        n = _NOISE_SIDE // _CELL * 2**octave
        grid = rng.random((n, n), dtype=np.float32) * 2 - 1
        total += 0.5**octave * cv2.resize(grid, total.shape, interpolation=cv2.INTER_CUBIC)
    return total


def grain(rng: np.random.Generator, size: int, shape: tuple[int, int] | None = None) -> Array:
    """White noise, mean 0 and deviation 1: `shape` or (size, size) float32, not to be changed."""
    sheet = _grain_sheet(2 * size)
    h, w = shape or (size, size)
    x, y = (int(v) for v in rng.integers(0, size, 2))
    cut = sheet[y : y + h, x : x + w]
    return cut[:, ::-1] if rng.random() < 0.5 else cut


@lru_cache(maxsize=4)
def _grain_sheet(side: int) -> Array:
    return np.random.default_rng(20240557).standard_normal((side, side), dtype=np.float32)


def pattern(
    rng: np.random.Generator,
    size: int,
    kind: str,
    pitch: float,
    angle: float = 0.0,
    shape: tuple[int, int] | None = None,
) -> Array:
    """A pattern: `shape` or (size, size) float32 in [0, 1], 1 = the second colour, or raised.

    Args:
        kind: "stripes", "checks", "dots", "weave", "knit" or "herringbone".
        pitch: length of a period as a fraction of `size`: about 0.012 for a weave, 0.03 for a knit.
        angle: in degrees.
    """
    # In steps of a quarter of an octave, so that few sheets serve all pitches.
    pixels = round(2 ** (round(4 * math.log2(max(2.0, pitch * size * 1.5))) / 4))
    sheet = (_kept_sheet if 2 * size <= _LARGEST else _sheet)(kind, pixels, 2 * size)
    scale = pixels / (pitch * size)
    turn = cv2.getRotationMatrix2D((0.0, 0.0), angle, scale)
    h, w = shape or (size, size)
    middle = turn[:, :2] @ np.array([w / 2, h / 2])
    turn[:, 2] = size - middle + rng.random(2) * pixels  # the cut lies in the sheet's middle
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(sheet, turn, (w, h), flags=flags, borderMode=cv2.BORDER_WRAP)
    return np.asarray(cut, dtype=np.float32) / np.float32(255)


def tint(value: Array, low: ArrayLike, high: ArrayLike, light: Array | None = None) -> Array:
    """A grey image coloured: `low` where it is 0, `high` where it is 1, (..., 3) float32.

    `light`, of the same shape as `value`, multiplies the result.
    """
    ends = np.stack([np.asarray(low), np.asarray(high)]).astype(np.float32)
    channels = []
    # Channel by channel: broadcasting over a last axis of 3 is several times slower.
    for start, end in ends.T:
        channel = value * (end - start)
        channel += start
        if light is not None:
            channel *= light
        channels.append(channel)
    return np.asarray(cv2.merge(channels), dtype=np.float32)


def bright_colour(
    rng: np.random.Generator,
    least_saturation: float = 0.4,
    most_saturation: float = 0.95,
    least_value: float = 0.35,
    most_value: float = 1.0,
) -> Array:
    """A colour of any hue, (3,) float32 RGB 0..255."""
    saturation = rng.uniform(least_saturation, most_saturation)
    rgb = colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(least_value, most_value))
    return np.array(rgb, dtype=np.float32) * 255


def _sheet(kind: str, pixels: int, side: int) -> NDArray[np.uint8]:
    """A pattern's period of pixels x pixels, repeated to at least side x side, uint8."""
    fine = np.asarray(_period(kind) * 255, dtype=np.uint8)
    how = cv2.INTER_AREA if pixels < _FINE else cv2.INTER_LINEAR
    tile = cv2.resize(fine, (pixels, pixels), interpolation=how)
    times = -(-side // pixels) + 1
    return np.asarray(np.tile(tile, (times, times)), dtype=np.uint8)


_kept_sheet = lru_cache(maxsize=96)(_sheet)


def _period(kind: str) -> Array:
    """One period of a pattern in [0, 1], (_FINE, _FINE) float32."""
    y, x = np.meshgrid(*2 * [(np.arange(_FINE) + 0.5) / _FINE], indexing="ij")
    if kind == "stripes":
        value = (x < 0.45).astype(np.float64)
    elif kind == "checks":
        value = 0.5 * (x < 0.5) + 0.5 * (y < 0.5)
    elif kind == "dots":
        value = (np.hypot(x - 0.5, y - 0.5) < 0.27).astype(np.float64)
    elif kind == "weave":
        # Warp and weft take turns on top, each thread rounded.
        top = (x < 0.5) ^ (y < 0.5)
        warp, weft = np.abs(np.sin(2 * np.pi * x)), np.abs(np.sin(2 * np.pi * y))
        value = np.where(top, warp, 0.8 * weft)
    elif kind == "knit":
        # Columns of V: each half of a stitch leans towards the column's middle.
        lean = np.abs(x - 0.5)
        phase = (y * 1.0 + lean * 0.9) % 1.0
        value = np.sin(np.pi * phase) ** 0.7 * np.sin(np.pi * (2 * x % 1.0)) ** 0.5
    elif kind == "herringbone":
        lean = np.where(x < 0.5, x, 1 - x)
        value = 0.5 + 0.5 * np.sin(2 * np.pi * 2 * (y + lean))
    else:
        raise ValueError(f"no pattern {kind!r}: one of {', '.join(_PATTERNS)}")
    return np.asarray(value, dtype=np.float32)
