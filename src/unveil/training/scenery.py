"""What lies around a face and hides none of it: clothes, ears, plain walls and borders.

Aligned faces of CelebA show hardly any of it, and a segmenter that never saw a white shirt takes it
for a part of the white mask above it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.faces.afar import FAR
from unveil.imaging import Photo, to_uint8

# Middle and half axes of a head without its hair, as shares of the frame's side.
HEAD, AXES = (0.5, 0.53), (0.3, 0.41)
AFAR = float(FAR[0, 0])  # a face as large as that, with more of what is below it
WHITE, BLACK, STRIPED, PRINTED = 0.3, 0.15, 0.2, 0.2  # shares of the clothes
# Where an ear's root may be, beside the middle and from the top, and how far the ear reaches.
ROOT, HEIGHT, REACH = (0.23, 0.27), (0.54, 0.6), (0.09, 0.13)
# What differs less from a point at the rim, in grey levels, is the same wall; how much of the frame
# it is at least, and of the head at most: else it is a cheek or hair.
SAME, WALL, ASTRAY = 20, 0.02, 0.02


def dressed(photo: Photo, other: Photo, rng: np.random.Generator) -> Photo:
    """A face with clothes on neck and shoulders; the head itself stays uncovered.

    Args:
        photo: (S, S, 3) uint8, an aligned face that nothing hides yet.
        other: another photo of that size, of which some clothes are made.
    """
    return _dressed(photo, other, rng, 1.0)[0]


def from_afar(
    photo: Photo, mask: NDArray[np.float32], other: Photo, rng: np.random.Generator
) -> tuple[Photo, NDArray[np.float32]]:
    """An occluded face in the frame of `faces.afar.FAR`: smaller, and with clothes below it.

    Args:
        photo, other: as `dressed`'s, but for what hides the face.
        mask: (S, S) float32 in [0, 1], what hides it; nothing where there are clothes.
    """
    side = len(photo)
    matrix = FAR * np.array([[1, 1, side / 256]])
    border = cv2.BORDER_REPLICATE  # as `faces.align.cut`
    small = cv2.warpAffine(photo, matrix, (side, side), flags=cv2.INTER_AREA, borderMode=border)
    hidden = cv2.warpAffine(mask, matrix, (side, side), borderMode=border)
    photo, alpha = _dressed(np.asarray(small, np.uint8), other, rng, AFAR)
    return photo, np.asarray(hidden * (1 - alpha), np.float32)


def bordered(
    photo: Photo, mask: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Photo, NDArray[np.float32]]:
    """A picture with a plain border at one side, of up to a quarter of it; arguments as above."""
    photo, mask = photo.copy(), mask.copy()
    wide, turns = int(rng.integers(1, len(photo) // 4)), int(rng.integers(4))
    np.rot90(photo, turns)[:wide] = _plain(rng)
    np.rot90(mask, turns)[:wide] = 0
    return photo, mask


def ears_out(photo: Photo, rng: np.random.Generator) -> Photo:
    """A face with large ears that stand out, as the loops of a mask pull them.

    Celebrities' hair hides theirs, and a segmenter that hardly saw one takes it for a thing that
    hangs on the loop.

    Args:
        photo: (S, S, 3) uint8, an aligned face that nothing hides yet.
    """
    side = len(photo)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    from_x, from_y = x.copy(), y.copy()
    height, reach = side * rng.uniform(*HEIGHT), side * rng.uniform(*REACH)
    root, larger, outwards = rng.uniform(*ROOT), rng.uniform(0.1, 0.7), rng.uniform(0, 0.5)
    for way in (-1, 1):
        across, down = x - side * (0.5 + way * root), y - height
        near = np.clip(1 - np.hypot(across, down) / reach, 0, None) ** 2
        further = across - way * reach / 2  # the rim moves most, the root stays
        pull = np.clip(1 - np.hypot(further, down) / reach, 0, None)
        from_x -= larger * near * across + way * outwards * reach * pull * pull
        from_y -= larger * near * down
    border = cv2.BORDER_REPLICATE  # as `faces.align.cut`
    pulled = cv2.remap(photo, from_x, from_y, cv2.INTER_CUBIC, borderMode=border)
    return np.asarray(pulled, np.uint8)


def on_plain(photo: Photo, rng: np.random.Generator) -> Photo:
    """A face before another wall, where its own is plain on either side; else the same face.

    Args:
        photo: (S, S, 3) uint8, an aligned face that nothing hides yet.
    """
    side = len(photo)
    wall = np.zeros((side + 2, side + 2), np.uint8)
    smooth = cv2.blur(photo, (3, 3))
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (255 << 8)
    for seed in [(x, round(y * side)) for x in (1, side - 2) for y in (0.2, 0.4, 0.6)]:
        cv2.floodFill(smooth, wall, seed, 0, (SAME,) * 3, (SAME,) * 3, flags)
    found = wall[1:-1, 1:-1] > 0
    y, x = np.mgrid[:side, :side].astype(np.float32) / np.float32(side)
    head = _head(x - HEAD[0], y, 1.0)
    if found.mean() < WALL or found[head].mean() > ASTRAY:
        return photo
    whole = cv2.morphologyEx(found.view(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5)))
    alpha = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), side / 256)[..., None]
    shade = 1 + rng.uniform(-0.15, 0.15) * (x - 0.5)[..., None]
    return to_uint8(photo + alpha * (_plain(rng) * shade - photo))


def _dressed(
    photo: Photo, other: Photo, rng: np.random.Generator, scale: float
) -> tuple[Photo, NDArray[np.float32]]:
    """A photo with clothes, and how much of each pixel they are."""
    alpha = _garment(len(photo), scale, rng)
    cloth = _lit(_cloth(len(photo), other, rng), photo, rng)
    return to_uint8(photo.astype(np.float32) + alpha[..., None] * (cloth - photo)), alpha


def _garment(side: int, scale: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """How much of each pixel is clothes: below a neckline, and not before the head."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / np.float32(side)
    x = (x - 0.5) / scale  # 0 in the middle of the face
    y = y / scale
    neck, opening = rng.uniform(0.18, 0.34), rng.uniform(0.0, 0.3)
    beside = np.abs(x) - neck
    # Shoulders fall away from the neck, collars rise; none comes near the mouth, as masks do.
    falling = rng.uniform(-0.25, 0.4)
    top = rng.uniform(0.88, 1.04) + rng.normal(0, 0.15) * x
    top = top + np.where(beside > 0, falling * beside, -opening * beside / neck)
    alpha = ((y > top) & ~_head(x, y, rng.uniform(1.0, 1.2))).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), side / 256), np.float32)


def _head(x: NDArray[np.float32], y: NDArray[np.float32], larger: float) -> NDArray[np.bool_]:
    """Where a head is, without its hair: `x` from its middle and `y` from the frame's top."""
    across, down = AXES[0] * larger, AXES[1] * larger
    return np.asarray((x / across) ** 2 + ((y - HEAD[1]) / down) ** 2 <= 1)


def _cloth(side: int, other: Photo, rng: np.random.Generator) -> NDArray[np.float32]:
    """Plain, striped, or made of another photo: (side, side, 3) in 0..255."""
    kind = rng.random()
    if kind < PRINTED:
        piece = other[: side // int(rng.integers(1, 5)), : side // int(rng.integers(1, 5))]
        return cv2.resize(piece, (side, side)).astype(np.float32)
    cloth = np.broadcast_to(_plain(rng), (side, side, 3)).astype(np.float32)
    if kind < PRINTED + STRIPED:
        turn, wave = rng.uniform(0, np.pi), rng.uniform(0.02, 0.15) * side
        y, x = np.mgrid[:side, :side]
        along = (x * np.cos(turn) + y * np.sin(turn)) / wave % 1 < rng.uniform(0.2, 0.8)
        cloth = np.where(along[..., None], cloth, _plain(rng)).astype(np.float32)
    return cloth


def _lit(cloth: NDArray[np.float32], photo: Photo, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cloth in the photo's light, with folds."""
    side = len(photo)
    rough = rng.normal(0, 1, (6, 6)).astype(np.float32)
    folds = cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC)
    light = float(np.clip(photo.mean() / 120, 0.4, 1.3)) * rng.uniform(0.8, 1.2)
    return np.asarray(np.clip(cloth * light * (1 + rng.uniform(0, 0.2) * folds[..., None]), 0, 255))


def _plain(rng: np.random.Generator) -> NDArray[np.uint8]:
    """One colour: often white, sometimes black."""
    kind = rng.random()
    if kind < WHITE:
        return np.asarray(rng.integers(215, 256) - rng.integers(0, 12, 3), np.uint8)
    if kind < WHITE + BLACK:
        return np.asarray(rng.integers(8, 40) - rng.integers(0, 8, 3), np.uint8)
    hue = np.array([[[rng.integers(180), rng.integers(0, 230), rng.integers(50, 256)]]], np.uint8)
    return np.asarray(cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0])
