"""Masks over nose and mouth: medical, cloth, respirators.

Drawn with a `np.random.Generator`: unlike the shapes of `unveil.occlusion.shapes`, floats may
differ in the last bit between machines and between versions of numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import cv2
import numpy as np

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import (
    Field,
    Pose,
    blend,
    bump,
    dress,
    fill,
    finish,
    jitter,
    lay_over,
    line,
    look_up,
    ramp,
    rounded,
    smooth,
    volume,
)
from unveil.occlusion.objects.layer import Array, Layer

Drawer = Callable[[np.random.Generator, int], Layer]

MEDICAL = (
    ((132, 178, 208), 5.0),  # the usual blue
    ((160, 196, 216), 2.0),
    ((226, 230, 232), 3.0),  # white
    ((34, 35, 38), 3.0),  # black
    ((150, 200, 188), 2.0),  # green
    ((226, 172, 186), 1.5),  # pink
    ((120, 116, 168), 0.5),
    ((150, 152, 156), 0.7),
)

STRAPS = ((216, 192, 70), (228, 228, 222), (45, 45, 48), (206, 116, 50))


def medical(rng: np.random.Generator, size: int) -> Layer:
    """A pleated medical mask with nose wire and ear loops; one in eight worn below the nose."""
    pose = jitter(rng, size)
    low = rng.random() < 0.12
    top = rng.uniform(173, 180) if low else rng.uniform(141, 148)
    drop = rng.uniform(4, 9) if low else rng.uniform(14, 22)  # from the nose to the cheeks
    half, bottom = rng.uniform(58, 67), rng.uniform(236, 246)
    outline = [
        (128 - half, top + drop + 2),
        (128 - 0.55 * half, top + 0.72 * drop),
        (128 - 11, top + 0.5),
        (128, top - 1),
        (128 + 11, top + 0.5),
        (128 + 0.55 * half, top + 0.72 * drop),
        (128 + half, top + drop + 2),
        (128 + half + 1, 188),
        (128 + 0.86 * half, 212),
        (128 + 0.5 * half, bottom - 7),
        (128, bottom),
        (128 - 0.5 * half, bottom - 7),
        (128 - 0.86 * half, 212),
        (128 - half - 1, 188),
    ]
    pose = pose.around(outline, _ears())
    x, y = pose.grid()
    body = fill(pose, smooth(outline))

    # v runs from the upper edge to the lower: pleats hang parallel to them and spread at the chin.
    u = np.abs(x - 128) * np.float32(1 / half)
    upper = top + drop * np.minimum(u, 1.1) ** 1.5
    lower = bottom - 30 * np.minimum(u, 1.1) ** 2
    v = (y - upper) / (lower - upper)
    shade = volume(rng, "lower", pose) * fabric.cloth(rng, pose, "paper", 1.4)
    shade *= fabric.creases(rng, pose, "across", rng.uniform(0.15, 0.45))
    shade *= _pleats(rng, u, v)
    hem = ramp(v, 0.055, 0.045) + ramp(v, 0.95, 0.96)
    shade *= 1 + hem * np.float32(rng.uniform(-0.02, 0.035))
    shade *= 1 - 0.1 * (bump(v, 0.052, 0.02) + bump(v, 0.955, 0.02))
    if not low:  # the wire shows as a ridge that follows the nose
        wire = ramp(u, 0.62, 0.5)
        shade *= 1 + wire * (0.06 * bump(v, 0.022, 0.02) - 0.07 * bump(v, 0.04, 0.02))
    shade *= rounded(pose, body, 4, 0.22)

    colour = _pick(rng)
    inside = np.minimum(colour * 0.3 + np.array([170, 168, 166], np.float32), 238)
    loops = _loops(rng, pose, x, half, top + drop + 3, 205)
    cords = colour if colour.mean() < 80 else inside
    painted, alpha = lay_over(cords, dress(colour, shade), body, loops)
    return finish(pose, painted, alpha, 0.012)


def _pick(rng: np.random.Generator) -> Array:
    share = np.array([weight for _, weight in MEDICAL])
    base = MEDICAL[int(rng.choice(len(MEDICAL), p=share / share.sum()))][0]
    return cast(Array, np.clip(np.array(base) + rng.normal(0, 6, 3), 8, 240).astype(np.float32))


def _pleats(rng: np.random.Generator, u: Field, v: Field) -> Array:
    """Three folded pleats: a step down with its shadow, stronger where the side seams hold them."""
    at = np.linspace(0, 1, 512, dtype=np.float32)
    profile = np.zeros_like(at)
    first, gap = rng.uniform(0.27, 0.34), rng.uniform(0.13, 0.18)
    for k in range(3):
        middle = first + k * gap
        below = at - middle
        profile -= np.where(
            below > 0, np.exp(-np.maximum(below, 0) / 0.018), np.exp(np.minimum(below, 0) / 0.004)
        )
        profile += 0.4 * np.exp(-(((below + 0.022) / 0.02) ** 2))
    profile -= profile.mean()
    strength = np.float32(rng.uniform(0.12, 0.26)) * (0.45 + 0.55 * np.minimum(u, 1))
    return cast(Array, 1 + strength * look_up(profile, v))


def _ears() -> Array:
    """Two corners of the window that holds a mask's bands."""
    return np.array([(50, 130), (206, 170)], np.float32)


def _loops(
    rng: np.random.Generator, pose: Pose, x: Array, half: float, high: float, low: float
) -> Array:
    """Elastic bands from the mask's corners to the ears, where they vanish behind them."""
    ear, bands = rng.uniform(72, 77), []
    for side in (-1, 1):
        for start, over in ((high, rng.uniform(141, 150)), (low, rng.uniform(160, 170))):
            first, last = (
                np.array([128 + side * (half - 2), start]),
                np.array([128 + side * ear, over]),
            )
            middle = 0.5 * (first + last) + (side * rng.uniform(0, 2), rng.uniform(0, 3))
            bands.append(smooth(np.stack([first, middle, last]), closed=False))
    fade = ramp(np.abs(x - 128), ear - 1, ear - 12)
    return cast(Array, line(pose, bands, rng.uniform(1.1, 2.2)) * fade)


def cloth(rng: np.random.Generator, size: int) -> Layer:
    """A cloth mask: any colour, plain or printed, with one panel or two, sometimes with a logo."""
    pose = jitter(rng, size)
    top, drop = rng.uniform(141, 150), rng.uniform(16, 26)
    half, bottom = rng.uniform(58, 67), rng.uniform(236, 245)
    point = rng.uniform(0, 4)  # how far a sewn nose stands up
    outline = [
        (128 - half, top + drop),
        (128 - 0.5 * half, top + 0.72 * drop),
        (128 - 10, top + 1),
        (128, top - point),
        (128 + 10, top + 1),
        (128 + 0.5 * half, top + 0.72 * drop),
        (128 + half, top + drop),
        (128 + half - 1, 194),
        (128 + 0.68 * half, 219),
        (128 + 0.3 * half, bottom - 2),
        (128, bottom),
        (128 - 0.3 * half, bottom - 2),
        (128 - 0.68 * half, 219),
        (128 - half + 1, 194),
    ]
    pose = pose.around(outline, _ears())
    x, y = pose.grid()
    body = fill(pose, smooth(outline))
    u = np.abs(x - 128)
    shade = volume(rng, "lower", pose) * fabric.creases(rng, pose, "soft", rng.uniform(0.15, 0.45))
    shade *= fabric.creases(rng, pose, "across", rng.uniform(0.1, 0.5))
    shade *= fabric.cloth(rng, pose, rng.choice(["weave", "felt", "weave"]), 1.3)
    if rng.random() < 0.55:  # two panels: a ridge with a seam down the middle
        shade *= 1 + 0.09 * np.tanh((x - 128) * np.float32(0.12)) * np.float32(rng.choice([-1, 1]))
        shade *= 1 - 0.22 * bump(u, 0, 1.8)
    rim = rounded(pose, body, 3, 0.3)
    near = cv2.blur(body, (2 * (size // 40) + 1,) * 2)
    shade *= rim * (1 - 0.12 * bump(near, 0.82, 0.05))  # the stitched hem

    base = fabric.dye(rng)
    colour: Array = base
    kind = rng.random()
    if kind < 0.45:
        # The print bends around the face like the cloth itself.
        bend = x - 128
        bend = 128 + bend * (1 + 0.22 * (bend * np.float32(1 / 70)) ** 2)
        colour = fabric.print_on(rng, str(rng.choice(fabric.PATTERNS)), bend, y, base)
    elif kind < 0.65:
        colour = _logo(rng, x, y, base)
    loops = _loops(rng, pose, x, half, top + drop + 3, 203)
    return finish(pose, *lay_over(0.85 * base, dress(colour, shade), body, loops), 0.01)


def _logo(rng: np.random.Generator, x: Field, y: Field, base: Field) -> Array:
    """A printed word or sign on one side or in the middle: (S, S, 3) float32."""
    cx, cy = (102, 128, 154)[int(rng.integers(3))], np.float32(rng.uniform(184, 210))
    weight = fabric.sign(rng, x - cx, y - cy, rng.uniform(2.2, 4.5))
    return blend(base, fabric.partner(rng, base), weight)


def respirator(rng: np.random.Generator, size: int) -> Layer:
    """A respirator: a round cup with straps over the cheeks, or folded flat; some with a valve."""
    return _cup(rng, size) if rng.random() < 0.45 else _fold_flat(rng, size)


def _shell(rng: np.random.Generator) -> Array:
    if rng.random() < 0.75:
        return cast(Array, rng.uniform((208, 208, 204), (240, 240, 236)).astype(np.float32))
    if rng.random() < 0.6:
        return cast(Array, np.full(3, rng.uniform(28, 55), np.float32))
    return fabric.dye(rng)


def _cup(rng: np.random.Generator, size: int) -> Layer:
    pose = jitter(rng, size)
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
    pose = pose.around(outline, _ears())
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
    bands = []
    for side in (-1, 1):
        for start, over in ((180, rng.uniform(128, 140)), (206, rng.uniform(190, 200))):
            bands.append(np.array([(128 + side * (half - 4), start), (128 + side * 74, over)]))
    straps = line(pose, bands, rng.uniform(2.2, 3.5)) * ramp(np.abs(x - 128), 73, 62)
    tint = STRAPS[int(rng.integers(len(STRAPS)))]
    painted, alpha = lay_over(np.array(tint, np.float32), dress(colour, shade), body, straps)
    return finish(pose, painted, alpha, 0.02)


def _fold_flat(rng: np.random.Generator, size: int) -> Layer:
    pose = jitter(rng, size)
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
    pose = pose.around(outline, _ears())
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
    cords = np.full(3, 222 if colour.mean() > 90 else 40, np.float32)
    colour, shade = _valve(rng, x, y, colour, shade)
    loops = _loops(rng, pose, x, half, 176, 200)
    return finish(pose, *lay_over(cords, dress(colour, shade), body, loops), 0.018)


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


FAMILIES: dict[str, Drawer] = {"medical": medical, "cloth": cloth, "respirator": respirator}
