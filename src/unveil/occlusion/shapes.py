"""Occluder masks of plain shapes: the paper's rectangles, rectangles by coverage, strokes.

Every function returns an HW bool array, True = hidden. Coverage is hidden pixels / all pixels.
"""

from __future__ import annotations

import math

import numpy as np

from unveil.errors import UsageError
from unveil.imaging import FACE_SIZE, Mask
from unveil.occlusion.seeded import Seeded

PAPER_CORNER = (0, 156)
PAPER_SIDE = (50, 100)


def box_mask(x: int, y: int, width: int, height: int, size: int = FACE_SIZE) -> Mask:
    """The mask (size, size) of one rectangle with its upper left corner at (x, y), in pixels.

    >>> int(box_mask(2, 1, 3, 4, size=8).sum())
    12
    """
    mask = np.zeros((size, size), dtype=np.bool_)
    mask[y : y + height, x : x + width] = True
    return mask


def paper_rectangle(rng: Seeded, size: int = FACE_SIZE) -> Mask:
    """The paper's occluder (section 3.3): corner from 0..156, width and height from 50..100 px.

    The numbers are for 256x256 and scale with `size`; the rectangle never leaves the image.

    Returns:
        (size, size) bool, True = hidden.
    """
    low, high = (v * size // FACE_SIZE for v in PAPER_CORNER)
    short, long = (v * size // FACE_SIZE for v in PAPER_SIDE)
    x, y = rng.integer(low, high), rng.integer(low, high)
    return box_mask(x, y, rng.integer(short, long), rng.integer(short, long), size)


def parse_coverage(text: str) -> tuple[float, float]:
    """'0.10-0.15' -> (0.10, 0.15).

    Raises:
        UsageError: if it is not two numbers with 0 < low < high <= 0.6.
    """
    try:
        low, high = (float(part) for part in text.split("-"))
    except ValueError:
        raise UsageError(f"coverage must look like 0.10-0.15, not {text!r}") from None
    check_coverage(low, high)
    return low, high


def check_coverage(low: float, high: float) -> None:
    """Raise UsageError unless 0 < low < high <= 0.6."""
    if not 0 < low < high <= 0.6:
        raise UsageError(f"coverage must be 0 < low < high <= 0.6, not {low:g}-{high:g}")


def rectangle(rng: Seeded, low: float, high: float, size: int = FACE_SIZE) -> Mask:
    """One rectangle whose coverage lies in [low, high], sides at most 2:1, anywhere in the image.

    A square of the paper's largest size covers 15 %, so bins above that are reached with one larger
    rectangle (not with more of them).

    Args:
        low, high: hidden pixels / all pixels.

    Returns:
        (size, size) bool, True = hidden.

    Raises:
        UsageError: no rectangle of whole pixels has that coverage.
    """
    least, most = _pixels(low, high, size)
    for _ in range(1000):
        area = rng.integer(least, most)
        narrow, wide = math.isqrt(area // 2), math.isqrt(area * 2)
        width = rng.integer(max(1, narrow), min(size, wide))
        height = round(area / width)
        # Rounding, or a side cut at the image's edge, can push a rectangle out of its bounds.
        slim = max(width, height) > 2 * min(width, height)
        if not slim and height <= size and least <= width * height <= most:
            x, y = rng.integer(0, size - width), rng.integer(0, size - height)
            return box_mask(x, y, width, height, size)
    raise UsageError(f"no rectangle of {size}x{size} pixels covers {low:g}-{high:g}")


def _pixels(low: float, high: float, size: int) -> tuple[int, int]:
    """The least and the most hidden pixels of a coverage bin; UsageError if it holds no number."""
    check_coverage(low, high)
    least, most = math.ceil(low * size * size), math.floor(high * size * size)
    if least > most:
        raise UsageError(f"coverage {low:g}-{high:g} is narrower than a pixel of {size}x{size}")
    return least, most


def _capsule(mask: Mask, x0: int, y0: int, x1: int, y1: int, radius: int) -> None:
    """Hide all pixels within `radius` of the segment, in place, in exact integer arithmetic."""
    size = mask.shape[0]
    top, left = max(0, min(y0, y1) - radius), max(0, min(x0, x1) - radius)
    bottom, right = min(size, max(y0, y1) + radius + 1), min(size, max(x0, x1) + radius + 1)
    y, x = np.ogrid[top:bottom, left:right]
    dx, dy = x1 - x0, y1 - y0
    length2 = dx * dx + dy * dy
    along = (x - x0) * dx + (y - y0) * dy  # projection on the segment, times its length
    across = (x - x0) * dy - (y - y0) * dx  # distance from its line, times its length
    beside = (along > 0) & (along < length2) & (across * across <= radius * radius * length2)
    ends = np.minimum((x - x0) ** 2 + (y - y0) ** 2, (x - x1) ** 2 + (y - y1) ** 2)
    mask[top:bottom, left:right] |= beside | (ends <= radius * radius)


def strokes(rng: Seeded, low: float, high: float, size: int = FACE_SIZE) -> Mask:
    """Free-form brush strokes whose coverage lies in [low, high], evenly.

    Brushes of 2 to 9 % of the image's width wander in 3 to 10 turns; a turn that would pass `high`
    ends its stroke, and the next ones are drawn with finer, then shorter brushes, down to a pixel.
    Arguments and result are those of `rectangle`.
    """
    least, most = _pixels(low, high, size)
    enough = rng.integer(least, most)
    thin, thick, reach = max(1, size // 100), max(2, size // 22), size // 5
    mask = np.zeros((size, size), dtype=np.bool_)
    while mask.sum() < enough:
        radius = rng.integer(thin, thick)
        x, y = rng.integer(0, size - 1), rng.integer(0, size - 1)
        for _ in range(rng.integer(3, 10)):
            to_x = min(size - 1, max(0, x + rng.integer(-reach, reach)))
            to_y = min(size - 1, max(0, y + rng.integer(-reach, reach)))
            trial = mask.copy()
            _capsule(trial, x, y, to_x, to_y, radius)
            if trial.sum() > most:
                # Come nearer; a dot of one pixel fits into any bin, so this ends.
                if thick == 0:
                    reach //= 2
                thick = max(0, thick - 1)
                thin = min(thin, thick)
                break
            mask, x, y = trial, to_x, to_y
            if mask.sum() >= enough:
                break
    return mask
