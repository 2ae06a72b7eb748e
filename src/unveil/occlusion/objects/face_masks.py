"""Masks over nose and mouth: medical, cloth, respirators.

Drawn with a `np.random.Generator`: unlike the shapes of `unveil.occlusion.shapes`, floats may
differ in the last bit between machines and between versions of numpy.
"""

from __future__ import annotations

from typing import cast

import cv2
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
    look_up,
    ramp,
    rounded,
    smooth,
    volume,
)
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.outline import wobble

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

# How far the upper edge has fallen from the nose (0) to the ear (1), as parts of the whole drop.
_AT = np.linspace(0, 1, 65)
NOSE_TO_EAR = np.interp(_AT, [0, 0.1, 0.2, 0.38, 0.55, 0.8, 1], [0, 0.02, 0.1, 0.45, 0.72, 0.92, 1])
NOSE_TO_EAR = NOSE_TO_EAR.astype(np.float32)


def medical(rng: np.random.Generator, head: Head) -> Layer:
    """A pleated medical mask with nose wire and ear loops; one in eight worn below the nose."""
    pose = jitter(rng, head)
    low = rng.random() < 0.12
    top = rng.uniform(173, 180) if low else rng.uniform(141, 148)
    drop = rng.uniform(4, 9) if low else rng.uniform(14, 22)  # from the nose to the cheeks
    half, bottom = rng.uniform(50, 66), rng.uniform(232, 246)
    corner, chin = rng.uniform(201, 211), rng.uniform(0.3, 0.5)
    right = [
        (128 + 11, top + 0.5),
        (128 + 0.55 * half, top + 0.72 * drop),
        (128 + half, top + drop + 1),
        (128 + half + 0.5, top + drop + 3),  # close together: a corner
        (128 + half, 0.5 * (top + drop + corner)),
        (128 + 0.95 * half, corner - 1),
        (128 + 0.93 * half, corner + 1),
        (128 + 0.66 * half, corner + 0.62 * (bottom - corner)),
        (128 + chin * half, bottom - 3),
    ]
    left = [(256 - x, y) for x, y in reversed(right)]
    outline = wobble(rng, [(128, top - 1), *right, (128, bottom), *left], 0.5)
    bands = loops(rng, pose, half, top + drop + 3, corner - 2)
    pose = pose.around(outline, *bands.curves)
    x, y = pose.grid()
    body = fill(pose, smooth(outline))

    # v runs from the upper edge to the lower: pleats hang parallel to them and spread at the chin.
    u = np.abs(x - 128) * np.float32(1 / half)
    upper = top + drop * look_up(NOSE_TO_EAR, u)
    lower = bottom - 34 * np.minimum(u, 1.1) ** 2
    v = (y - upper) / (lower - upper)
    shade = volume(rng, "lower", pose) * fabric.cloth(rng, pose, "paper", 1.4)
    shade *= fabric.creases(rng, pose, "across", rng.uniform(0.1, 0.4))
    shade *= fabric.creases(rng, pose, "drape", rng.uniform(0.08, 0.3))
    shade *= _pleats(rng, u, v)
    hem = ramp(v, 0.075, 0.06) + ramp(v, 0.95, 0.96)
    side = ramp(u, 0.92, 0.94)
    shade *= 1 + np.maximum(hem, side) * np.float32(rng.uniform(-0.03, 0.045))
    # A row of welded dots holds the hem.
    dots = ramp(np.cos(x * np.float32(2.1)), -0.2, 0.5)
    shade *= 1 - 0.16 * dots * (bump(v, 0.07, 0.016) + bump(v, 0.955, 0.016) + bump(u, 0.925, 0.02))
    if not low:  # the wire shows as a ridge that follows the nose
        wire = ramp(u, 0.62, 0.5)
        shade *= 1 + wire * (0.07 * bump(v, 0.026, 0.02) - 0.09 * bump(v, 0.046, 0.02))
    shade *= rounded(pose, body, 4, 0.22)

    colour = _pick(rng)
    inside = np.minimum(colour * 0.3 + np.array([170, 168, 166], np.float32), 238)
    cords = bands.drawn(pose, x, y)
    tint = colour if colour.mean() < 80 else inside
    if colour.mean() > 80 and rng.random() < 0.4:  # the inner layer, turned over the upper edge
        colour = blend(colour, inside, ramp(v, 0.075, 0.06))
    painted, alpha = lay_over(tint, dress(colour, shade), body, cords)
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
    strength = np.float32(rng.uniform(0.16, 0.34)) * (0.45 + 0.55 * np.minimum(u, 1))
    return cast(Array, 1 + strength * look_up(profile, v))


def cloth(rng: np.random.Generator, head: Head) -> Layer:
    """A cloth mask: any colour, plain or printed, with one panel or two, sometimes with a logo.

    One in six is worn over another mask, or has a lining: a pale rim shows above it.
    """
    pose = jitter(rng, head)
    top, drop = rng.uniform(141, 150), rng.uniform(16, 26)
    half, bottom = rng.uniform(52, 67), rng.uniform(232, 245)
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
    peek = rng.uniform(4, 14) if rng.random() < 1 / 6 else 0.0
    rim_outline = [(px, py - peek if py < 180 else py) for px, py in outline]
    bands = loops(rng, pose, half, top + drop + 3, 203)
    pose = pose.around(rim_outline, *bands.curves)
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
    near = cv2.blur(body, (2 * (head.size // 40) + 1,) * 2)
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
    cords = bands.drawn(pose, x, y)
    painted, alpha = lay_over(_cord(rng, base), dress(colour, shade), body, cords)
    if peek:
        pale = np.clip(rng.normal(225, 12) + rng.normal(0, 5, 3), 150, 245).astype(np.float32)
        under = fill(pose, smooth(rim_outline))
        painted = blend(dress(pale, volume(rng, "lower", pose)), painted, alpha)
        alpha = np.maximum(alpha, under)
    return finish(pose, painted, alpha, 0.01)


def _cord(rng: np.random.Generator, base: Field) -> Array:
    """The colour of what holds a cloth mask, (3,): mostly its own, else black, white or any."""
    kind = rng.random()
    if kind < 0.6:
        return cast(Array, np.float32(0.85) * base)
    if kind < 0.85:
        return np.full(3, rng.choice([rng.uniform(18, 45), rng.uniform(200, 238)]), np.float32)
    return fabric.dye(rng)


def _logo(rng: np.random.Generator, x: Field, y: Field, base: Field) -> Array:
    """A printed word or sign on one side or in the middle: (S, S, 3) float32."""
    cx, cy = (102, 128, 154)[int(rng.integers(3))], np.float32(rng.uniform(184, 210))
    weight = fabric.sign(rng, x - cx, y - cy, rng.uniform(2.2, 4.5))
    return blend(base, fabric.partner(rng, base), weight)
