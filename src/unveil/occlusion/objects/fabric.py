"""Cloth, worn or carried: tiles of weave, knit and folds, prints, and the colours of clothes.

Tiles are made once, from fixed seeds, and repeat; draws only choose among them and place them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np

from unveil.occlusion.objects.drawing import UNIT, Field, Pose, dress, sample
from unveil.occlusion.objects.layer import Array
from unveil.occlusion.objects.raster import Patch

TILE = 256
LARGEST = 512  # pixels a side of a photo whose cloth is drawn in full
TEXTURES = ("paper", "weave", "knit", "rib", "felt", "fleece", "herringbone")
PATTERNS = ("checks", "stripes", "dots", "flowers", "plaid", "camouflage", "zigzag")


def _noise(seed: int, sigma_x: float, sigma_y: float) -> Array:
    """Smooth noise of mean 0 and deviation 1 that repeats: (TILE, TILE) float32."""
    rng = np.random.Generator(np.random.PCG64(seed))
    white = rng.standard_normal((TILE, TILE))
    fx, fy = np.fft.fftfreq(TILE)[None, :], np.fft.fftfreq(TILE)[:, None]
    low = np.exp(-2 * np.pi**2 * ((fx * sigma_x) ** 2 + (fy * sigma_y) ** 2))
    soft = np.fft.ifft2(np.fft.fft2(white) * low).real
    return cast(Array, ((soft - soft.mean()) / soft.std()).astype(np.float32))


@lru_cache
def texture(kind: str) -> Array:
    """A factor around 1, (256, 256) float32; one of `TEXTURES`."""
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32)
    turn = np.float32(2 * np.pi / TILE)
    grain = _noise(1, 0.6, 0.6)
    if kind == "paper":  # the embossed, unwoven cloth of medical masks
        emboss = np.cos(turn * 64 * x) * np.cos(turn * 64 * y)
        tile = 1 + 0.012 * emboss + 0.014 * _noise(2, 1.5, 1.5) + 0.01 * grain
    elif kind == "weave":
        threads = np.cos(turn * 85 * x) + np.cos(turn * 85 * y)
        slubs = _noise(3, 7, 0.7) + _noise(4, 0.7, 7)
        tile = 1 + 0.016 * threads + 0.011 * slubs + 0.015 * grain
    elif kind == "knit":  # columns of V-shaped stitches
        across = (x % 8) / 8
        v = ((y + 7 * np.abs(across - 0.5)) % 6) / 6
        stitch = np.sin(np.pi * v) ** 0.7 * (0.45 + 0.55 * np.sin(np.pi * 2 * across) ** 2)
        tile = 0.68 + 0.5 * stitch + 0.035 * _noise(5, 1, 1)
    elif kind == "rib":  # two stitches up, two in a groove
        ribs = 0.5 + 0.5 * np.cos(turn * 21 * x)
        rows = np.abs(np.sin(turn * 21 * y + 2.2 * np.cos(turn * 42 * x)))
        tile = 0.55 + 0.45 * ribs**0.7 + 0.12 * (rows - 0.6) * ribs + 0.03 * _noise(6, 1, 1)
    elif kind == "felt":
        tile = 1 + 0.02 * _noise(7, 2, 2) + 0.02 * grain
    elif kind == "herringbone":  # diagonals that turn back every 8 units
        lean = np.abs(x % 16 - 8)
        tile = 1 + 0.03 * np.sin(turn * 32 * (y + lean)) + 0.012 * grain
    elif kind == "fleece":
        tile = 1 + 0.05 * _noise(8, 2.2, 2.2) + 0.03 * _noise(9, 1, 1)
    else:
        raise KeyError(kind)
    return cast(Array, tile.astype(np.float32))


@lru_cache
def folds(kind: str) -> Array:
    """Creases as a factor around 1, (256, 256) float32: "soft", "across" or "drape"."""
    if kind == "soft":
        height = 5 * _noise(11, 22, 16) + 1.3 * _noise(12, 9, 7)
    elif kind == "across":  # tension from ear to ear
        height = 4 * _noise(13, 44, 9) + 1.2 * _noise(14, 24, 4)
    elif kind == "drape":  # sharp ridges between soft valleys
        height = 11 * np.abs(_noise(15, 42, 11)) + 3 * np.abs(_noise(16, 26, 6))
        height += 2 * _noise(17, 12, 12)
    else:
        raise KeyError(kind)
    wrapped = np.pad(height, 2, mode="wrap").astype(np.float32)
    padded = cv2.GaussianBlur(wrapped, (0, 0), 1)
    gx = cv2.Sobel(padded, cv2.CV_32F, 1, 0)[2:-2, 2:-2] / 8
    gy = cv2.Sobel(padded, cv2.CV_32F, 0, 1)[2:-2, 2:-2] / 8
    lit = (1 - 0.35 * gx - 0.85 * gy) / np.sqrt(1 + gx * gx + gy * gy)
    return cast(Array, np.clip(lit / lit.mean(), 0.15, 1.9).astype(np.float32))


@lru_cache
def pattern(kind: str) -> Array:
    """How much of a second and a third colour: (256, 256, 2) float32 in [0, 1]; of `PATTERNS`."""
    big = 2 * TILE  # drawn twice as large: its edges are soft
    y, x = np.mgrid[0:big, 0:big].astype(np.float32) / big
    second, third = np.zeros((big, big), np.float32), np.zeros((big, big), np.float32)
    rng = np.random.Generator(np.random.PCG64(40))
    if kind == "checks":
        second = 0.5 * (((x * 16) % 1) < 0.5) + 0.5 * (((y * 16) % 1) < 0.5)
    elif kind == "stripes":
        second = np.float32(1) * (((y * 12) % 1) < 0.45)
    elif kind == "plaid":
        second = 0.6 * (((x * 5) % 1) < 0.4) + 0.4 * (((y * 5) % 1) < 0.4)
        third = 0.8 * np.maximum(((x * 5 + 0.3) % 1) < 0.05, ((y * 5 + 0.3) % 1) < 0.05)
    elif kind == "zigzag":
        second = np.float32(1) * (((y * 10 + 0.5 * np.abs((x * 20) % 2 - 1)) % 1) < 0.45)
    elif kind == "dots":
        for row in range(12):
            shift = 0.5 * (row % 2)
            for column in range(13):
                where = (int((column + shift) * big / 12), int((row + 0.5) * big / 12))
                cv2.circle(second, where, big // 46, 1.0, -1)
    elif kind == "flowers":
        for _ in range(46):
            spot, r = rng.uniform(0, big, 2), rng.uniform(9, 20)
            which = second if rng.random() < 0.6 else third
            for corner in ((0, 0), (big, 0), (0, big), (big, big)):
                for petal in np.arange(5) * 2 * np.pi / 5 + r:
                    cx, cy = spot - corner + 0.95 * r * np.array([np.cos(petal), np.sin(petal)])
                    cv2.circle(which, (int(cx), int(cy)), int(r * 0.62), 1.0, -1)
                    cv2.circle(which, (int(cx), int(cy)), int(r * 0.3), 0.8, -1)
                cx, cy = spot - corner
                cv2.circle(which, (int(cx), int(cy)), int(r * 0.4), 0.2, -1)
    elif kind == "camouflage":

        def large(seed: int) -> Array:
            return cast(Array, cv2.resize(_noise(seed, 11, 8), (big, big)))

        second, third = np.float32(1) * (large(31) > 0.3), np.float32(1) * (large(32) > 0.9)
    else:
        raise KeyError(kind)
    second = second * (1 - third)  # the third is printed over it
    both = np.stack([second, third], axis=-1).astype(np.float32)
    return cast(Array, cv2.resize(both, (TILE, TILE), interpolation=cv2.INTER_AREA))


def print_on(rng: np.random.Generator, kind: str, x: Field, y: Field, base: Field) -> Array:
    """`base` (3,) printed with a pattern of matching colours: (H, W, 3) float32 RGB."""
    scale = rng.uniform(0.8, 2.0)
    turned = (0.0, 0.0, 0.7854, 1.5708, rng.uniform(0, 3.1))[int(rng.integers(5))]
    c, s = np.float32(scale * np.cos(turned)), np.float32(scale * np.sin(turned))
    weights = sample(pattern(kind), c * x + s * y, c * y - s * x)
    mix = np.stack([partner(rng, base) - base for _ in range(2)], axis=1)
    affine = np.concatenate([mix, base[:, None]], axis=1).astype(np.float32)  # (3, 2 + 1)
    return cast(Array, cv2.transform(weights, affine))


def sign(rng: np.random.Generator, x: Field, y: Field, scale: float) -> Array:
    """A printed word, ring, star or stroke around x = y = 0, about 40 units wide: (H, W) 0..1."""
    drawn = np.zeros((96, 192), np.uint8)
    kind = int(rng.integers(4))
    if kind == 0:
        word = "".join(rng.choice(list("ABCDEFHKLMNOPRSTUVXYZ"), int(rng.integers(3, 7))))
        font = int(rng.choice([cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
        cv2.putText(drawn, word, (6, 62), font, 1.3, 255, 4, cv2.LINE_AA)
    elif kind == 1:
        cv2.circle(drawn, (96, 48), 40, 255, int(rng.choice([-1, 8])), cv2.LINE_AA)
        cv2.circle(drawn, (96, 48), 18, 0, -1, cv2.LINE_AA)
    elif kind == 2:
        tips = np.arange(10) * np.pi / 5
        radius = np.where(np.arange(10) % 2, 18, 44)
        star = np.stack([96 + radius * np.sin(tips), 48 - radius * np.cos(tips)], axis=1)
        cv2.fillPoly(drawn, [star.astype(np.int32)], 255, cv2.LINE_AA)
    else:
        cv2.ellipse(drawn, (90, 20), (80, 52), 0, 25, 150, 255, 14, cv2.LINE_AA)
    s = np.float32(scale)
    return sample(drawn / np.float32(255), x * s + 96, y * s + 48, wrap=False)


def dye(rng: np.random.Generator) -> Array:
    """A colour as clothes have it: (3,) float32 RGB, blacks, greys, navy and whites most often."""
    kind = rng.random()
    if kind < 0.28:
        return cast(
            Array, np.float32(rng.uniform(18, 60)) + rng.uniform(-5, 5, 3).astype(np.float32)
        )
    if kind < 0.42:
        level = np.float32(rng.uniform(85, 190))
        return cast(Array, level + rng.uniform(-8, 8, 3).astype(np.float32))
    if kind < 0.55:
        return cast(Array, rng.uniform((205, 200, 190), (242, 238, 232)).astype(np.float32))
    if kind < 0.70:
        return cast(Array, rng.uniform((18, 25, 50), (50, 70, 115)).astype(np.float32))
    hue = rng.uniform(0, 180)
    hsv = np.array(
        [[[hue, rng.triangular(25, 90, 190), rng.triangular(45, 120, 205)]]], dtype=np.uint8
    )
    return cast(Array, cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32))


def partner(rng: np.random.Generator, base: Array) -> Array:
    """A colour that stands out from `base` in a print: (3,) float32 RGB."""
    for _ in range(4):
        other = dye(rng)
        if abs(float(other.mean() - base.mean())) > 45:
            return other
    return cast(Array, np.full(3, 235 if base.mean() < 128 else 35, np.float32))


@lru_cache(maxsize=32)
def _sheet(kind: str, period: int, times: int) -> Array:
    """A texture or fold tile whose 256 units are `period` pixels, `times` in each direction."""
    tile = texture(kind) if kind in TEXTURES else folds(kind)
    method = cv2.INTER_AREA if period < TILE else cv2.INTER_LINEAR
    return np.tile(cv2.resize(tile, (period, period), interpolation=method), (times, times))


def _cut(
    rng: np.random.Generator,
    size: int,
    shape: tuple[int, int],
    kind: str,
    fineness: float,
    tilt: float = 0.0,
) -> Array:
    """A piece (height, width) at a random place of a tile, for an image of `size` pixels a side."""
    # A bend of the cloth is not seen in its threads, so a straight cut does, and is fast.
    shrunk = -(-size // LARGEST)  # large sheets would only cost memory: threads are blurred
    period = max(16, round(size / shrunk / fineness / 16) * 16)
    height, width = (-(-side // shrunk) for side in shape)
    # Cached for the largest window, so that all windows share it.
    sheet = _sheet(kind, period, 1 + -(-size // (shrunk * period)) + (shrunk > 1))
    left, top = (int(v) for v in rng.integers(0, period, 2))
    if tilt:
        turn = cv2.getRotationMatrix2D((0.0, 0.0), tilt, 1.0)
        turn[:, 2] = left, top
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = cast(
            Array,
            cv2.warpAffine(sheet, turn, (width, height), flags=flags, borderMode=cv2.BORDER_WRAP),
        )
    else:
        cut = sheet[top : top + height, left : left + width]
    return cut if shrunk == 1 else cast(Array, cv2.resize(cut, shape[::-1]))


def cloth(rng: np.random.Generator, pose: Pose, kind: str, fineness: float = 1.0) -> Array:
    """The texture `kind` at a random place of the window: a factor around 1, (height, width)."""
    _, _, width, height = pose.window
    return _cut(rng, pose.size, (height, width), kind, fineness)


def threads(
    rng: np.random.Generator, size: int, shape: tuple[int, int], depth: float = 1.0
) -> Array:
    """Woven or knitted cloth that lies anyhow: a factor around 1, `shape` (height, width) float32.

    Args:
        size: side of the whole image, pixels.
        depth: how much its threads stand out, 1 = as those of `cloth`.
    """
    kind = ("weave", "knit", "herringbone")[int(rng.integers(3))]
    # The loops of a knit stand out several times as far as threads, but not in fine jersey.
    depth *= rng.uniform(0.15, 0.6) if kind == "knit" else 1.0
    cut = _cut(rng, size, shape, kind, rng.uniform(0.8, 1.4), rng.uniform(-20, 20))
    return cast(Array, np.float32(1 - depth) + np.float32(depth) * cut)


def piece(rng: np.random.Generator, size: int, patch: Patch, plain: float = 0.6) -> Array:
    """A plain or printed cloth in even light, on a patch: (height, width, 3) float32, 0..255 RGB.

    Args:
        size: side of the whole image, pixels.
        patch: where it lies.
        plain: the share of cloths with no print.
    """
    colour, shade = dye(rng), threads(rng, size, patch.shape)
    if rng.random() >= plain:
        x, y = (at * np.float32(UNIT / size) for at in patch.grid())
        colour = print_on(rng, str(rng.choice(PATTERNS)), x, y, colour)
    return dress(colour, shade)


def knitted(
    rng: np.random.Generator, x: Field, y: Field, kind: str, fineness: float = 1.0
) -> Array:
    """As `cloth`, but it follows the units x, y (H, W): for stitches that can be seen."""
    f = np.float32(fineness)
    dx, dy = rng.uniform(0, TILE, 2).astype(np.float32)
    return sample(texture(kind), f * x + dx, f * y + dy)


def creases(rng: np.random.Generator, pose: Pose, kind: str, depth: float) -> Array:
    """The folds `kind` at a random place, `depth` times as deep: a factor around 1, as `cloth`."""
    _, _, width, height = pose.window
    fineness = (0.8, 1.0, 1.3)[int(rng.integers(3))]
    cut = _cut(rng, pose.size, (height, width), kind, fineness)
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    return cast(Array, np.float32(1 - depth) + np.float32(depth) * cut)
