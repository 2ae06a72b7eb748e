"""Gives an enlarged, soft part the grain of the skin beside it.

Octave by octave of a Laplacian pyramid (Burt and Adelson, 1983): what the known skin has more
of than the fill is added as normal noise of that octave, correlated between the colours as it is
there.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Mask, Photo, to_uint8
from unveil.noise import normal

Array = NDArray[np.float32]

# One octave for each halving between the photo and the canonical frame, within which detail is the
# model's; but it makes no noise, so the finest octave is looked at in a smaller face as well. One
# smaller than half the frame has not enough skin to measure. See docs/log.md.
MOST_OCTAVES, SMALLEST = 5, 2.0
# So many pixels tell the strength of an octave; more cost time and tell nothing new.
LEAST_PIXELS, MOST_PIXELS = 100, 20_000
# Of a normal distribution, the deviation is this many medians of the absolute value.
DEVIATIONS = 1.4826
# Measured are squares of so many pixels: of those whose colour is nearest to the fill's, a sixth of
# all, the calmer half. Skin is the calm part of what has its colour; the rest is hair. In a small
# face, whose features are as fine as noise, the calmest sixth of half of all. docs/log.md.
SQUARE, LEAST_ALIKE, LEAST_CALM = 8, 4, 2
ALIKE, CALM = 6, 2
SMALL_ALIKE, SMALL_CALM = 2, 6
TILE = 512
# What is measured and filled begins at multiples of this in the photo. So each octave's pixels lie
# where they did, and the grain stays the same, when a face or its mask is found a pixel off.
GRID = 2**MOST_OCTAVES


def grain(
    photo: Photo,
    skin: Mask,
    fill: Photo,
    new: Mask,
    scale: float,
    start: tuple[int, int] = (0, 0),
) -> Photo:
    """`fill` with the grain of the photo.

    The strength is a median, so that eyes and edges do not count, over known pixels that are calm
    and have the fill's colour: under hat, hair and glasses, little is skin. Where less than a
    hundred pixels are known, nothing is added.

    Args:
        photo: (H, W, 3) uint8.
        skin: (H, W) bool, the known pixels to measure.
        fill: (h, w, 3) uint8, what will stand in `new`, at the photo's scale.
        new: (h, w) bool, the invented pixels.
        scale: canonical pixels to a pixel of the photo, over 0.
        start: the photo's row and column at which the fill begins, multiples of `GRID`.

    Returns:
        (h, w, 3) uint8, grainy in `new` and around it.
    """
    octaves = int(np.clip(np.ceil(-np.log2(scale)), 1, MOST_OCTAVES))
    if scale > SMALLEST or not skin.any() or not new.any():
        return fill
    measured = _alike(photo, skin, fill[new], small=scale >= 1)
    if not measured.any():
        return fill
    wanted = _strengths(photo, measured, octaves)
    given = _strengths(fill, new, octaves)
    sizes = [new.shape]
    for _ in wanted:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    noise = np.zeros((*sizes[len(wanted)], 3), dtype=np.float32)
    for octave in reversed(range(len(wanted))):
        height, width = sizes[octave]
        noise = np.asarray(cv2.pyrUp(noise, dstsize=(width, height)), dtype=np.float32)
        missing = wanted[octave] - (given[octave] if octave < len(given) else 0)
        noise += cv2.transform(_noise(octave, height, width, start), _root(missing))
    return to_uint8(fill.astype(np.float32) + noise)


def around(mask: Mask) -> tuple[slice, slice]:
    """The rows and columns that hold all of a mask that is not empty, out to the grid."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    spans = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return on_grid(spans, (mask.shape[0], mask.shape[1]))


def on_grid(spans: tuple[slice, slice], size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns, widened to multiples of `GRID` within (height, width)."""
    rows, columns = (
        slice(int(s.start) // GRID * GRID, min(-(-int(s.stop) // GRID) * GRID, length))
        for s, length in zip(spans, size, strict=True)
    )
    return rows, columns


def _alike(photo: Photo, skin: Mask, fill: NDArray[np.uint8], small: bool) -> Mask:
    """What of `skin` is calm and has the colour of `fill` (n, 3), square by square.

    Noise must not choose, so squares are compared and not pixels; in whole numbers, which are the
    same in the page.
    """
    height, width = (length // SQUARE * SQUARE for length in skin.shape)
    shape = (height // SQUARE, SQUARE, width // SQUARE, SQUARE)
    whole = skin[:height, :width].reshape(shape).all(axis=(1, 3))
    places = np.flatnonzero(whole)
    alike, calm = (SMALL_ALIKE, SMALL_CALM) if small else (ALIKE, CALM)
    if len(places) < LEAST_ALIKE:
        return np.zeros_like(skin) if small else skin
    squares = photo[:height, :width].reshape(*shape, 3).swapaxes(1, 2)[whole].astype(np.int32)
    colour = np.array([_middle(channel) for channel in fill.T], np.int32)
    off = np.abs(squares.sum(axis=(1, 2)) - colour * SQUARE**2).sum(axis=1)
    near = np.argsort(off, kind="stable")[: max(-(-len(places) // alike), LEAST_ALIKE)]
    order = np.argsort(_unrest(squares[near]), kind="stable")
    chosen = np.zeros(whole.size, np.bool_)
    chosen[places[near[order[: max(-(-len(near) // calm), LEAST_CALM)]]]] = True
    found = np.zeros_like(skin)
    kept = chosen.reshape(whole.shape)
    found[:height, :width] = kept.repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)
    return found


def _middle(values: NDArray[np.uint8]) -> int:
    """The lower median; counted, as there may be millions."""
    below = np.cumsum(np.bincount(values, minlength=256))
    return int(np.searchsorted(below, (len(values) - 1) // 2, side="right"))


def _unrest(squares: NDArray[np.int32]) -> NDArray[np.int64]:
    """(n, SQUARE, SQUARE, 3) -> how much each bends from pixel to pixel; slopes are no unrest."""
    bends = [np.abs(np.diff(squares, 2, axis=axis)).sum(axis=(1, 2, 3)) for axis in (1, 2)]
    return np.asarray(bends[0] + bends[1], np.int64)


def _strengths(image: NDArray[np.number], where: Mask, octaves: int) -> list[NDArray[np.float64]]:
    """The 3x3 covariance of each octave, finest first, as long as enough pixels are left."""
    rows, columns = around(where)
    level = np.ascontiguousarray(image[rows, columns], dtype=np.float32)
    part = where[rows, columns]
    found = []
    for _ in range(octaves):
        height, width = level.shape[:2]
        places = np.flatnonzero(part)
        if len(places) < LEAST_PIXELS:
            break
        coarse = np.asarray(cv2.pyrDown(level), dtype=np.float32)
        band = level - cv2.pyrUp(coarse, dstsize=(width, height))
        chosen = places[:: max(1, len(places) // MOST_PIXELS)]
        found.append(_covariance(band.reshape(-1, 3)[chosen].T.copy()))
        level, part = coarse, part[::2, ::2]
    return found


def _covariance(band: NDArray[np.number]) -> NDArray[np.float64]:
    """(3, N) -> the 3x3 covariance of what is not detail."""
    size = np.abs(band)
    deviation = np.median(size, axis=1).astype(np.float64) * DEVIATIONS
    calm = band[:, (size <= 2.5 * deviation[:, None] + 1e-6).all(axis=0)]
    varies = calm.shape[1] >= LEAST_PIXELS // 4 and np.ptp(calm, axis=1).min() > 0
    if not varies or deviation.min() <= 0:
        return np.diag(deviation**2)
    return np.asarray(np.corrcoef(calm) * np.outer(deviation, deviation), np.float64)


def _root(covariance: NDArray[np.float64]) -> Array:
    """The symmetric matrix that gives independent noise this covariance; what is negative is 0."""
    values, vectors = np.linalg.eigh(np.nan_to_num(covariance))
    roots = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(roots @ vectors.T, dtype=np.float32)


@lru_cache(maxsize=1)
def _tile() -> Array:
    """(TILE, TILE, 3) noise of one octave, of deviation 1, the same each time, without seams."""
    white = normal(0, TILE, TILE, 3)
    wide = np.pad(white, ((16, 16), (16, 16), (0, 0)), mode="wrap")
    smooth = cv2.pyrUp(cv2.pyrDown(wide), dstsize=(TILE + 32, TILE + 32))
    band = np.asarray((wide - smooth)[16:-16, 16:-16], dtype=np.float32)
    return np.asarray(band / band.std())


def _noise(octave: int, height: int, width: int, start: tuple[int, int]) -> Array:
    """(height, width, 3) of the tile, another part of it for each octave."""
    rows = (np.arange(height) + (start[0] >> octave) + octave * 97) % TILE
    columns = (np.arange(width) + (start[1] >> octave) + octave * 97) % TILE
    return np.asarray(_tile().take(rows, axis=0).take(columns, axis=1))
