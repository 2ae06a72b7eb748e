"""A face as the vector of entries that the prior is about.

Luma at r x r pixels and the two chroma channels at c x c, for faces have little detail in colour:
D = r r + 2 c c entries, luma first, in 0..255 steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Mask, Photo, from_luma_chroma, resize, to_luma_chroma

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Known:
    """A face at the prior's size, averaged over its known pixels alone.

    Attributes:
        colour: (r, r, 3) float32 RGB, 0..255; anything where nothing is known.
        weight: (r, r) float32, the known fraction.
    """

    colour: Array
    weight: Array

    def mirrored(self) -> Known:
        """As a mirror shows it."""
        return Known(self.colour[:, ::-1].copy(), self.weight[:, ::-1].copy())


def pack(face: Photo, size: int, chroma: int) -> Array:
    """(S, S, 3) RGB -> (D,) entries; chroma weighs as many pixels as it stands for."""
    whole = np.ones((size, size), np.float32)
    return entries(Known(resize(face, size).astype(np.float32), whole), chroma)[0]


def unpack(vector: Array, size: int, chroma: int) -> Array:
    """(D,) entries -> (r, r, 3) RGB, float32 about 0..255."""
    luma = vector[: size * size].reshape(size, size, 1)
    colour = vector[size * size :].reshape(chroma, chroma, 2) * np.float32(chroma / size)
    return from_luma_chroma(np.concatenate([luma, enlarge(colour, size)], axis=2))


def entries(known: Known, chroma: int) -> tuple[Array, Array]:
    """(D,) entries and (D,) known fraction of each."""
    size = len(known.weight)
    planes = to_luma_chroma(known.colour)
    weight = resize(known.weight, chroma)
    colour = resize(planes[..., 1:] * known.weight[..., None], chroma)
    colour *= np.float32(size / chroma) / np.maximum(weight, 1e-6)[..., None]
    values = np.concatenate([planes[..., 0].reshape(-1), colour.reshape(-1)])
    return values, np.concatenate([known.weight.reshape(-1), np.repeat(weight.reshape(-1), 2)])


def mirror(size: int, chroma: int) -> NDArray[np.int64]:
    """(D,) the entry that stands at the mirrored place of each entry."""
    luma = np.arange(size * size).reshape(size, size)
    colour = np.arange(2 * chroma * chroma).reshape(chroma, chroma, 2) + size * size
    return np.concatenate([luma[:, ::-1].reshape(-1), colour[:, ::-1].reshape(-1)])


def average_known(face: Photo, hidden: Mask, size: int) -> Known:
    """What is known of a face (S, S, 3) whose pixels `hidden` (S, S) are not, at (r, r)."""
    known = 1 - hidden.astype(np.float32)
    weight = resize(known, size)
    total = resize(face * known[..., None], size)
    return Known(total / np.maximum(weight, 1e-6)[..., None], weight)


def widen(plane: Array, side: int) -> Array:
    """(c, c[, channels]) -> (side, side[, channels]), linear: never beyond its own values."""
    wide = cv2.resize(plane, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, dtype=np.float32)


def enlarge(plane: Array, side: int) -> Array:
    """(r, r[, channels]) -> (side, side[, channels]), cubic: as the prior's fill is enlarged."""
    large = cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, dtype=np.float32)
