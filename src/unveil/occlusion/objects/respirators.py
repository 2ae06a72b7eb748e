"""Respirators: round cups with straps, and those that fold flat.

Drawn with a `np.random.Generator`: unlike the shapes of `unveil.occlusion.shapes`, floats may
differ in the last bit between machines and between versions of numpy.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.bands import loops
from unveil.occlusion.objects.drawing import (
    Field,
    blend,
    bump,
    dress,
    fill,
    finish,
    jitter,
    lay_over,
    line,
    ramp,
    rounded,
    smooth,
    volume,
)
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer

HAIR = 76  # units from the middle, where straps vanish in the hair or behind the head
STRAPS = ((216, 192, 70), (228, 228, 222), (45, 45, 48), (206, 116, 50))


def respirator(rng: np.random.Generator, head: Head) -> Layer:
    """A respirator: a round cup with straps over the cheeks, or folded flat; some with a valve."""
    return _cup(rng, head) if rng.random() < 0.45 else _fold_flat(rng, head)


def _shell(rng: np.random.Generator) -> Array:
    if rng.random() < 0.75:
        return cast(Array, rng.uniform((208, 208, 204), (240, 240, 236)).astype(np.float32))
    if rng.random() < 0.6:
        return cast(Array, np.full(3, rng.uniform(28, 55), np.float32))
    return fabric.dye(rng)


def _cup(rng: np.random.Generator, head: Head) -> Layer:
    pose = jitter(rng, head)
    top, half = rng.uniform(139, 145), rng.uniform(50, 55)
    outline = [
        (128, top),
        (128 + 17, top + 7),
        (128 + 0.75 * half, 165),
        (128 + half, 190),
        (128 + 0.88 * half, 216),
        (128 + 0.5 * half, 235),
        (128, 241),
        (128 - 0.5 * half, 235),
        (128 - 0.88 * half, 216),
        (128 - half, 190),
        (128 - 0.75 * half, 165),
        (128 - 17, top + 7),
    ]
    bands = [
        np.array([(128 + side * (half - 4), start), (128 + side * HAIR, over)])
        for side in (-1, 1)
        for start, over in ((180, rng.uniform(112, 140)), (206, rng.uniform(180, 200)))
    ]
    pose = pose.around(outline, *bands)
    x, y = pose.grid()
    body = fill(pose, smooth(outline))
    shade = volume(rng, "cup", pose, 0.4) * fabric.cloth(rng, pose, "felt", 1.5)
    # A pressed ring, and the flat rim where it is welded.
    r = np.sqrt(((x - 128) / np.float32(half)) ** 2 + ((y - 192) / 48) ** 2)
    shade *= 1 - 0.09 * bump(r, 0.72, 0.04) + 0.05 * bump(r, 0.66, 0.05)
    shade *= 1 - 0.12 * bump(r, 0.93, 0.03)
    shade *= rounded(pose, body, 4, 0.2)
    colour: Array = _shell(rng)
    if rng.random() < 0.5:
        metal = bump(y, top + 7, 4) * ramp(np.abs(x - 128), 22, 19)
        colour = blend(colour, np.array([168, 170, 172], np.float32), 0.9 * metal)
    colour, shade = _valve(rng, x, y, colour, shade)
    straps = line(pose, bands, rng.uniform(2.2, 3.5)) * ramp(np.abs(x - 128), HAIR, HAIR - 5)
    tint = STRAPS[int(rng.integers(len(STRAPS)))]
    painted, alpha = lay_over(np.array(tint, np.float32), dress(colour, shade), body, straps)
    return finish(pose, painted, alpha, 0.02)


def _fold_flat(rng: np.random.Generator, head: Head) -> Layer:
    pose = jitter(rng, head)
    top, half, bottom = rng.uniform(139, 145), rng.uniform(58, 66), rng.uniform(238, 247)
    outline = [
        (128 - half, 174),
        (128 - 0.5 * half, top + 15),
        (128 - 12, top + 3),
        (128, top - 1),
        (128 + 12, top + 3),
        (128 + 0.5 * half, top + 15),
        (128 + half, 174),
        (128 + half + 1, 197),
        (128 + 0.6 * half, 226),
        (128 + 0.15 * half, bottom - 1),
        (128, bottom),
        (128 - 0.15 * half, bottom - 1),
        (128 - 0.6 * half, 226),
        (128 - half - 1, 197),
    ]
    bands = loops(rng, pose, half, 176, 200)
    pose = pose.around(outline, *bands.curves)
    x, y = pose.grid()
    body = fill(pose, smooth(outline))
    u = np.abs(x - 128)
    shade = volume(rng, "lower", pose) * fabric.cloth(rng, pose, "paper", 1.4)
    shade *= fabric.creases(rng, pose, "soft", rng.uniform(0.1, 0.3))
    # A keel down the middle: one half turns from the light; welded lines run along it and the rim.
    shade *= 1 + np.float32(rng.uniform(-0.13, 0.13)) * np.tanh((x - 128) * np.float32(0.3))
    shade *= 1 - 0.16 * bump(u, 0, 1.6) + 0.06 * bump(u, 3, 2)
    weld = bump(u + 0.35 * np.abs(y - 195), 50, 1.4) + bump(y - 0.25 * u, 222, 1.3)
    stitched = 0.5 + 0.5 * np.sign(np.sin(y * np.float32(2.6)))
    shade *= 1 - 0.1 * weld * stitched
    shade *= rounded(pose, body, 4, 0.25)
    colour = _shell(rng)
    tint = np.full(3, 222 if colour.mean() > 90 else 40, np.float32)
    colour, shade = _valve(rng, x, y, colour, shade)
    cords = bands.drawn(pose, x, y)
    return finish(pose, *lay_over(tint, dress(colour, shade), body, cords), 0.018)


def _valve(
    rng: np.random.Generator, x: Field, y: Field, colour: Field, shade: Field
) -> tuple[Array, Array]:
    """Sometimes an exhalation valve: a raised disc with slots, on one side or below the nose."""
    if rng.random() > 0.4:
        return colour, shade
    cx, cy = (104, 128, 152)[int(rng.integers(3))], rng.uniform(194, 206)
    radius = np.float32(rng.uniform(12, 15))
    dx, dy = (x - np.float32(cx)) / radius, (y - np.float32(cy)) / radius
    r = np.sqrt(dx * dx + dy * dy)
    disc = ramp(r, 1.02, 0.96)
    slots = ramp(r, 0.72, 0.66) * ramp(np.sin(dy * np.float32(14)), 0.1, 0.6)
    relief = 1 - 0.14 * (dy * bump(r, 0.92, 0.16)) - 0.25 * slots + 0.05 * bump(r, 0.8, 0.1)
    fallen = ramp(np.sqrt(dx * dx + (dy - 0.2) ** 2), 1.25, 0.9) * (1 - disc)
    shade = shade * (1 - disc + disc * relief) * (1 - 0.22 * fallen)
    plastic = np.full(3, (232, 205, 60)[int(rng.integers(3))], np.float32)
    return blend(colour, plastic, 0.9 * disc), cast(Array, shade)
