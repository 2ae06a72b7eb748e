"""Cloth around the whole face: hoods and headscarves.

Drawn with a `np.random.Generator`: unlike the shapes of `unveil.occlusion.shapes`, floats may
differ in the last bit between machines and between versions of numpy.
"""

from __future__ import annotations

import cv2
import numpy as np

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import dress, fill, finish, jitter, ramp, sample, volume
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.outline import mirrored

PRINTS = ("stripes", "plaid", "flowers", "dots")


def hood_or_headscarf(rng: np.random.Generator, head: Head) -> Layer:
    """Cloth around the whole face: a loose hood, or a headscarf that is wound under the chin."""
    return _hood(rng, head) if rng.random() < 0.4 else _headscarf(rng, head)


def _wrapping(
    rng: np.random.Generator, head: Head, outer: Array, opening: Array, deep: float, lift: float
) -> Layer:
    """Cloth between two outlines, in folds that run around the opening; `deep`: a hood's inside."""
    pose = jitter(rng, head).around(outer)
    x, y = pose.grid()
    body = fill(pose, outer, opening)
    hole = fill(pose, opening)
    dx, dy = x - 128, (y - 150) * np.float32(0.78)
    r = np.sqrt(dx * dx + dy * dy)
    angle = cv2.phase(dx, dy) * np.float32(256 / (2 * np.pi))
    shade = 0.55 + 0.5 * volume(rng, "skull", pose, 0.4)
    # Long folds: the tile's short axis runs outwards, its long one around the face.
    f = np.float32(rng.uniform(0.9, 1.5))
    tile = fabric.folds("drape")
    depth = np.float32(rng.uniform(0.25, 0.5))
    shade *= 1 + depth * (sample(tile, angle + 7 * f, f * r + 31) - 1)
    shade *= fabric.creases(rng, pose, "soft", 0.3)
    shade *= fabric.cloth(rng, pose, "felt" if deep == 0 else "fleece", 1.2)
    near = cv2.blur(hole, (2 * max(1, round(9 * head.size / 256)) + 1,) * 2)
    shade *= 1 - np.float32(0.25 + deep) * np.clip(2 * near, 0, 1) * ramp(y, 215, 60)
    base = fabric.dye(rng)
    colour: Array = base
    if rng.random() < 0.25:
        colour = fabric.print_on(rng, str(rng.choice(PRINTS)), x, y, base)
    return finish(pose, dress(colour, shade), body, lift)


def _headscarf(rng: np.random.Generator, head: Head) -> Layer:
    half, top, bottom = rng.uniform(58, 66), rng.uniform(58, 84), rng.uniform(226, 240)
    opening = mirrored(
        [
            (128.0, top),
            (128 + 0.55 * half, top + 9),
            (128 + 0.93 * half, top + 42),
            (128 + half, 158),
            (128 + 0.8 * half, 200),
            (128 + 0.42 * half, bottom - 7),
            (128.0, bottom),
        ],
        rng,
        2.0,
    )
    side = rng.uniform(84, 98)
    outer = mirrored(
        [
            (128.0, rng.uniform(2, 22)),
            (128 + 0.62 * side, 22),
            (128 + side, 84),
            (128 + side + 2, 160),
            (128 + side - 6, 215),
            (128 + side + 18, 300),
            (128.0, 320),
        ],
        rng,
        3.0,
    )
    return _wrapping(rng, head, outer, opening, 0.0, 0.012)


def _hood(rng: np.random.Generator, head: Head) -> Layer:
    half, top = rng.uniform(66, 76), rng.uniform(38, 62)
    opening = mirrored(
        [
            (128.0, top),
            (128 + 0.6 * half, top + 12),
            (128 + half, top + 62),
            (128 + half + 2, 170),
            (128 + 0.75 * half, 228),
            (128 + 0.3 * half, 262),
            (128.0, 272),
        ],
        rng,
        2.5,
    )
    side = rng.uniform(100, 116)
    outer = mirrored(
        [
            (128.0, rng.uniform(-26, 4)),
            (128 + 0.6 * side, 12),
            (128 + side, 86),
            (128 + side + 4, 170),
            (128 + side + 6, 240),
            (128 + side + 26, 310),
            (128.0, 330),
        ],
        rng,
        3.0,
    )
    return _wrapping(rng, head, outer, opening, 0.3, 0.04)
