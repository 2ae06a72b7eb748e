"""What light, cameras and detectors do to faces that a network must still see through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Photo, through_jpeg, to_uint8, without_colour
from unveil.training.scenery import on_plain

Pixels = NDArray[Any]

POORER = 0.3  # of the faces that are elsewhere
AT_EDGE = 0.15  # of the faces that are roughed up, or elsewhere
HAZY = 0.2  # of the photos in another light: behind haze, or with a lamp in the lens


def dye(photo: Photo, mask: NDArray[np.float32], rng: np.random.Generator) -> Photo:
    """The occluder in a colour as strong as cloth can have, with its own light and shade.

    Drawn occluders are as colourful as their photo, which real ones need not be.

    Args:
        photo: (S, S, 3) uint8.
        mask: (S, S) float32 in [0, 1].
    """
    hue = np.array([[[rng.integers(180), rng.integers(90, 256), 255]]], dtype=np.uint8)
    colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB).astype(np.float32) / 255
    shade = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    shade *= np.float32(rng.uniform(0.8, 1.6))
    dyed = shade[..., None] * colour / np.float32(0.6 + 0.4 * colour.mean())
    return to_uint8(photo + mask[..., None] * (np.clip(dyed, 0, 255) - photo))


def printed(
    photo: Photo, mask: NDArray[np.float32], other: Photo, rng: np.random.Generator
) -> Photo:
    """The occluder with a piece of another photo all over it, in its own light and shade.

    So its place and its edges must tell it, not the cloth it is known by: leather, lace and prints
    are not drawn.

    Args:
        photo, other: (S, S, 3) uint8.
        mask: (S, S) float32 in [0, 1].
    """
    side = len(photo)
    size = int(rng.integers(side // 8, side // 2))
    row, column = rng.integers(0, side - size, 2)
    piece = np.rot90(other[row : row + size, column : column + size], int(rng.integers(4)))
    cloth = cv2.resize(np.ascontiguousarray(piece), (side, side), interpolation=cv2.INTER_CUBIC)
    shade = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    hidden = mask > 0.5
    middle = max(float(np.median(shade[hidden])), 8.0) if hidden.any() else 128.0
    lit = cloth * np.clip(shade / middle, 0.3, 1.6)[..., None]
    return to_uint8(photo + mask[..., None] * (np.clip(lit, 0, 255) - photo))


def rough_up(
    photo: Photo, mask: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Photo, NDArray[np.float32]]:
    """Misalign, cut off and `worsen` an occluded face, each only sometimes.

    Args:
        photo: (S, S, 3) uint8.
        mask: (S, S) float32, moves with the photo.
    """
    if rng.random() < 0.7:
        photo, mask = misalign([photo, mask], rng)
    photo, mask = at_edge([photo, mask], rng)
    return worsen(photo, rng), mask


def elsewhere(photo: Photo, rng: np.random.Generator) -> Photo:
    """A face in another light, before another wall, by a poorer camera, each only sometimes.

    Those of one collection are alike: taken by good cameras, with much light, before dark walls.

    Args:
        photo: (S, S, 3) uint8, an aligned face that nothing hides yet.
    """
    photo = on_plain(photo, rng)
    return worsen(photo, rng) if rng.random() < POORER else relight(photo, rng)


def at_edge(images: Sequence[Pixels], rng: np.random.Generator) -> list[Pixels]:
    """Square images alike, now and then `cut_off`."""
    return cut_off(images, rng) if rng.random() < AT_EDGE else list(images)


def worsen(photo: Photo, rng: np.random.Generator) -> Photo:
    """`relight`, blur and compress a face, each only sometimes."""
    photo = relight(photo, rng)
    if rng.random() < 0.3:
        photo = _shrunk(photo, rng.uniform(0.25, 0.9))
    if rng.random() < 0.4:
        photo = through_jpeg(photo, int(rng.integers(25, 95)))
    return photo


def relight(photo: Photo, rng: np.random.Generator) -> Photo:
    """Dim or brighten, tint and grey a face, each only sometimes."""
    if rng.random() < 0.5:
        gain = rng.uniform(0.45, 1.35) * rng.uniform(0.9, 1.1, 3)
        gamma = rng.uniform(0.75, 1.35)
        ramp = np.linspace(0, 1, 256)[:, None] ** gamma * gain * 255
        if rng.random() < HAZY:
            ramp += rng.uniform(0.1, 0.5) * (rng.uniform(140, 230) - ramp)
        photo = np.asarray(cv2.LUT(photo, to_uint8(ramp)[None]), np.uint8)
    if rng.random() < 0.08:
        photo = without_colour(photo)
    return photo


def cut_off(images: Sequence[Pixels], rng: np.random.Generator) -> list[Pixels]:
    """Square images alike as `faces.align.cut` gives a face at the photo's edge: pixels drawn out.

    One side loses up to a quarter, and half of the time the next one too.
    """
    turns = int(rng.integers(4))
    depths = rng.integers(1, len(images[0]) // 4, 2)
    count = 1 + int(rng.random() < 0.5)

    def shortened(image: Pixels) -> Pixels:
        image = np.rot90(image, turns).copy()
        for depth in depths[:count]:
            image[:depth] = image[depth]
            image = np.rot90(image)
        return np.ascontiguousarray(np.rot90(image, -turns - count))

    return [shortened(image) for image in images]


def _shrunk(photo: Photo, share: float) -> Photo:
    """What a face of fewer pixels looks like when it is enlarged."""
    side = len(photo)
    small = cv2.resize(photo, (round(side * share),) * 2)  # `fx` would sample past it
    large = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.uint8)


def misalign(images: Sequence[Pixels], rng: np.random.Generator, much: float = 1.0) -> list[Pixels]:
    """Turn, scale and shift images alike, as a detector with wrong points would.

    Args:
        images: (S, S) or (S, S, C) arrays of any type that OpenCV warps.
        much: 1 for a standard deviation of 6 degrees, scales of 0.85 to 1.15 and shifts of 3 %.
    """
    side = len(images[0])
    turn = rng.normal(0, 6 * much)
    scale = rng.uniform(1 - 0.15 * much, 1 + 0.15 * much)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn, scale)
    matrix = matrix + np.array([[0, 0, rng.normal(0, 0.03 * much * side)] for _ in range(2)])

    def moved(image: Pixels) -> Pixels:
        # Linear interpolation would teach a generator that faces are a little blurred.
        kernel = cv2.INTER_CUBIC if image.dtype == np.uint8 else cv2.INTER_LINEAR
        border = cv2.BORDER_REPLICATE  # as `faces.align.cut`
        warped = cv2.warpAffine(image, matrix, (side, side), flags=kernel, borderMode=border)
        return np.asarray(warped, image.dtype)

    return [moved(image) for image in images]
