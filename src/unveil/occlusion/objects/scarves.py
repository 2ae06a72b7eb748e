"""Cloth over the lower face: scarves, neck gaiters, balaclavas.

Drawn with a `np.random.Generator`: unlike the shapes of `unveil.occlusion.shapes`, floats may
differ in the last bit between machines and between versions of numpy.
"""

from __future__ import annotations

import numpy as np

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import (
    bump,
    dress,
    fill,
    finish,
    jitter,
    ramp,
    rounded,
    smooth,
    volume,
)
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.outline import wobble


def _lower_face(
    top: float, drop: float, half: float, neck: float, lean: float
) -> list[tuple[float, float]]:
    """From an edge across the nose (or the mouth) to below the image."""
    return [
        (128.0, top),
        (128 + 0.3 * half, top + 0.25 * drop + 0.3 * lean),
        (128 + 0.72 * half, top + 0.8 * drop + 0.7 * lean),
        (128 + 0.94 * half, top + drop + lean),
        (128 + half, top + drop + lean + 12),
        (128 + half, 200),
        (128 + neck, 248),
        (128 + neck + 12, 310),
        (128 - neck - 12, 310),
        (128 - neck, 248),
        (128 - half, 200),
        (128 - half, top + drop - lean + 12),
        (128 - 0.94 * half, top + drop - lean),
        (128 - 0.72 * half, top + 0.8 * drop - 0.7 * lean),
        (128 - 0.3 * half, top + 0.25 * drop - 0.3 * lean),
    ]


def scarf(rng: np.random.Generator, head: Head) -> Layer:
    """A thick scarf in rolls around the neck, pulled up over the chin, the mouth or the nose."""
    pose = jitter(rng, head)
    top = float(rng.choice([rng.uniform(150, 166), rng.uniform(172, 186), rng.uniform(178, 196)]))
    half, lean = rng.uniform(78, 98), rng.uniform(-9, 9)
    neck = half + rng.uniform(2, 16)
    outline = smooth(wobble(rng, _lower_face(top, rng.uniform(0, 12), half, neck, lean), 2.5))
    pose = pose.around(outline)
    x, y = pose.grid()
    body = fill(pose, outline)
    u = (x - 128) * np.float32(1 / half)
    # Rolls hang in curves between the shoulders; each casts a shadow on the next.
    t = y - lean * u - np.float32(rng.uniform(10, 22)) * (1 - u * u)
    rolls = np.float32(rng.uniform(24, 40))
    phase = (t - np.float32(top - 18)) / rolls + 0.35 * np.sin(u * np.float32(rng.uniform(1, 2.6)))
    part = phase - np.floor(phase)
    shade = 0.35 + 0.65 * volume(rng, "lower", pose, 0.5)
    shade *= (
        1.08 - 0.5 * (part - 0.32) ** 2 - 0.34 * bump(part, 1.0, 0.16) - 0.2 * ramp(part, 0.09, 0)
    )
    shade *= fabric.creases(rng, pose, "drape", rng.uniform(0.2, 0.45))
    kind = ("knit", "rib", "felt", "fleece")[int(rng.integers(4))]
    if kind in ("knit", "rib"):
        depth = np.float32(rng.uniform(0.3, 0.7))
        knit = fabric.knitted(rng, t, x * 1.1, kind, rng.uniform(0.9, 1.4))
        shade *= 1 + depth * (knit - 1)
    else:
        shade *= fabric.cloth(rng, pose, kind, 1.3)
    shade *= rounded(pose, body, 7, 0.3)
    base = fabric.dye(rng)
    colour: Array = base
    if rng.random() < 0.4:
        prints = ("plaid", "stripes", "plaid", "checks", "flowers", "dots")
        colour = fabric.print_on(rng, prints[int(rng.integers(6))], x, t, base)
    return finish(pose, dress(colour, shade), body, 0.02)


def gaiter(rng: np.random.Generator, head: Head) -> Layer:
    """A thin tube of stretch cloth over nose and mouth down to the neck, or a bandana."""
    pose = jitter(rng, head)
    top, half = rng.uniform(143, 164), rng.uniform(66, 76)
    drop = rng.uniform(8, 20)
    neck, lean = rng.uniform(54, 68), rng.uniform(-3, 3)
    outline = smooth(wobble(rng, _lower_face(top, drop, half, neck, lean), 1.2))
    pose = pose.around(outline)
    x, y = pose.grid()
    body = fill(pose, outline)
    shade = volume(rng, "lower", pose)
    # Tension from the nose to the jaw, slack folds on the neck.
    shade *= fabric.creases(rng, pose, "across", rng.uniform(0.2, 0.5))
    slack = fabric.creases(rng, pose, "drape", rng.uniform(0.3, 0.6))
    shade *= 1 + ramp(y, 205, 240) * (slack - 1)
    shade *= fabric.cloth(rng, pose, ("felt", "weave")[int(rng.integers(2))], 1.7)
    shade *= rounded(pose, body, 3, 0.25) * _jaw(x, y)
    base = fabric.dye(rng)
    colour: Array = base
    if rng.random() < 0.45:
        bend = (x - 128) * np.float32(1 / 80)
        around = 128 + (x - 128) * (1 + 0.2 * bend * bend)
        colour = fabric.print_on(rng, str(rng.choice(fabric.PATTERNS)), around, y, base)
    return finish(pose, dress(colour, shade), body, 0.008)


def _jaw(x: Array, y: Array) -> Array:
    """The neck lies in the shadow of the chin: a factor 0.6..1."""
    below = y - (236 - ((x - 128) * np.float32(1 / 14)) ** 2)
    return np.float32(1) - np.float32(0.4) * ramp(below, -5, 12)


def balaclava(rng: np.random.Generator, head: Head) -> Layer:
    """A knitted mask over the whole head, with one opening for the eyes, or for the face."""
    pose = jitter(rng, head)
    side = rng.uniform(74, 84)
    right = [
        (128.0, rng.uniform(-4, 18)),
        (128 + 0.62 * side, 22),
        (128 + 0.97 * side, 74),
        (128 + side, 140),
        (128 + 0.86 * side, 205),
        (128 + 0.8 * side, 250),
        (128 + 1.2 * side, 310),
    ]
    outer = smooth(right + [(256 - a, b) for a, b in reversed(right) if a != 128])
    wide, up, down = rng.uniform(46, 60), rng.uniform(100, 116), rng.uniform(146, 160)
    if rng.random() < 0.25:
        up, down, wide = rng.uniform(84, 96), rng.uniform(206, 222), rng.uniform(50, 58)
    middle = 0.5 * (up + down)
    opening = smooth(
        [
            (128, up + 3),
            (128 + 0.6 * wide, up),
            (128 + wide, middle - 4),
            (128 + 0.72 * wide, down - 2),
            (128, down),
            (128 - 0.72 * wide, down - 2),
            (128 - wide, middle - 4),
            (128 - 0.6 * wide, up),
        ]
    )
    pose = pose.around(outer)
    x, y = pose.grid()
    body = fill(pose, outer, opening)
    u = (x - 128) * np.float32(1 / side)
    around = 128 + np.float32(side) * np.arcsin(np.clip(u, -0.98, 0.98))
    shade = np.minimum(volume(rng, "skull", pose, 0.4), 1.1) * volume(rng, "lower", pose, 0.7)
    kind = ("knit", "rib", "felt")[int(rng.integers(3))]
    if kind == "felt":
        shade *= fabric.cloth(rng, pose, kind, 1.5)
    else:
        depth = np.float32(rng.uniform(0.25, 0.6))
        shade *= 1 + depth * (fabric.knitted(rng, around, y, kind, rng.uniform(1.2, 1.7)) - 1)
    shade *= fabric.creases(rng, pose, "soft", 0.3) * _jaw(x, y)
    shade *= rounded(pose, body, 4, 0.35)
    base = fabric.dye(rng) if rng.random() < 0.5 else np.full(3, rng.uniform(20, 50), np.float32)
    return finish(pose, dress(base, shade), body, 0.01)
