"""What is worn on the head and hides brow, hair or cheeks: beanies, caps, hats, hoods, headscarves.

Drawn with a `np.random.Generator`: unlike the shapes of `unveil.occlusion.shapes`, floats may
differ in the last bit between machines and between versions of numpy.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import (
    blend,
    bump,
    dress,
    fill,
    finish,
    jitter,
    lay_over,
    ramp,
    rounded,
    sample,
    smooth,
    volume,
)
from unveil.occlusion.objects.layer import Array, Layer

Drawer = Callable[[np.random.Generator, int], Layer]
PRINTS = ("stripes", "plaid", "flowers", "dots", "camouflage")


def _mirror(right: list[tuple[float, float]]) -> Array:
    """An outline from its right half, given from the top middle to the bottom middle."""
    inner = [(256 - x, y) for x, y in reversed(right) if x != 128]
    return smooth(right + inner)


def beanie(rng: np.random.Generator, size: int) -> Layer:
    """A knitted cap down to the brows or the hairline, mostly with a turned-up rim."""
    pose = jitter(rng, size)
    rim, half = rng.uniform(80, 106), rng.uniform(80, 92)
    crown = rng.uniform(-22, 18)
    hang = rng.uniform(8, 20)  # how much lower it sits at the ears
    turned = rng.uniform(26, 40) if rng.random() < 0.75 else 5.0
    right = [
        (128.0, crown),
        (128 + 0.55 * half, crown + 9),
        (128 + 0.9 * half, 46 + 0.3 * crown),
        (128 + half, 84),
        (128 + half + 1, rim + hang - 4),
        (128 + 0.96 * half, rim + hang + 3),
        (128 + 0.5 * half, rim + 0.35 * hang),
        (128.0, rim),
    ]
    outline = _mirror(right)
    pose = pose.around(outline)
    x, y = pose.grid()
    body = fill(pose, outline)
    u = (x - 128) * np.float32(1 / half)
    edge = rim + hang * u * u  # the lower edge at this x
    above = edge - y
    # Stitches run to the crown and crowd at the sides, as on a ball.
    around = 128 + np.float32(1.15 * half) * np.arcsin(np.clip(u, -0.99, 0.99))
    kind, fine = ("rib", "knit", "knit")[int(rng.integers(3))], rng.uniform(1.0, 1.5)
    cuff = ramp(above, turned + 1.0, turned - 0.5)
    knit = fabric.knitted(rng, around, y, kind, fine)
    if turned > 20:
        ribbed = fabric.knitted(rng, around, y + above * 0.1, "rib", fine)
        knit = knit + cuff * (ribbed - knit)
    depth = np.float32(rng.uniform(0.35, 0.8))
    shade = volume(rng, "skull", pose, 0.4) * (1 + depth * (knit - 1))
    shade *= fabric.creases(rng, pose, "drape", rng.uniform(0.1, 0.3))
    if turned > 20:  # the rim stands out: light on its roll, dark above it
        shade *= 1 + 0.1 * bump(above, turned - 7, 7) - 0.38 * bump(above, turned + 2.5, 4.5)
    shade *= 1 - 0.3 * bump(above, 0, 6)
    shade *= rounded(pose, body, 6, 0.35)
    base = fabric.dye(rng)
    colour: Array = base
    if rng.random() < 0.3:
        bands = ramp(np.sin(above * np.float32(rng.uniform(0.12, 0.3))), 0.1, 0.35)
        colour = blend(base, fabric.partner(rng, base), bands * (1 - cuff))
    if turned > 20 and rng.random() < 0.3:  # a sewn label
        label = ramp(np.abs(x - 128), 13, 12) * ramp(np.abs(above - turned * 0.5), 8, 7)
        colour = blend(colour, fabric.partner(rng, base), label)
    # Wool has no clean outline.
    fuzzy = np.clip(body * 1.6 + (knit - 1) * 1.2 - 0.35, 0, 1) * (body > 0)
    return finish(pose, dress(colour, shade), np.where(body > 0.98, body, fuzzy), 0.022)


def cap(rng: np.random.Generator, size: int) -> Layer:
    """A baseball cap: panels with seams, perhaps a sign, and a visor over the brow."""
    pose = jitter(rng, size)
    half, crown = rng.uniform(76, 88), rng.uniform(-18, 8)
    brim = rng.uniform(72, 90)  # where the visor meets the cap, in the middle
    out, dip = rng.uniform(14, 27), rng.uniform(10, 22)
    right = [
        (128.0, crown),
        (128 + 0.5 * half, crown + 7),
        (128 + 0.87 * half, 36 + 0.4 * crown),
        (128 + half, 78),
        (128 + half - 1, brim + dip + 9),
        (128 + 0.62 * half, brim + 0.5 * dip),
        (128.0, brim + 2),
    ]
    reach = half + rng.uniform(-6, 4)
    visor = [
        (128.0, brim - 8),
        (128 + 0.55 * reach, brim - 3),
        (128 + 0.9 * reach, brim + dip - 2),
        (128 + reach, brim + dip + 8),
        (128 + 0.82 * reach, brim + dip + 4),
        (128 + 0.45 * reach, brim + out + 1),
        (128.0, brim + out),
    ]
    dome, bill = _mirror(right), _mirror(visor)
    pose = pose.around(dome, bill)
    x, y = pose.grid()
    body, flap = fill(pose, dome), fill(pose, bill)
    u = (x - 128) * np.float32(1 / half)
    top = volume(rng, "skull", pose, 0.4) * fabric.cloth(rng, pose, "weave", 1.7)
    top *= fabric.creases(rng, pose, "soft", rng.uniform(0.1, 0.3))
    # Seams from the button to the rim: circles of longitude seen from the front.
    down = np.sqrt(ramp(y, crown, brim + 8))
    for seam in (0.0, 0.62):
        at = np.abs(np.abs(u) - seam * down)
        top *= 1 - 0.22 * bump(at, 0, 0.016) + 0.07 * bump(at, 0.04, 0.02)
    top *= 1 - 0.3 * ramp(y - dip * u * u, brim - 16, brim + 2)
    top *= rounded(pose, body, 6, 0.3)
    front = brim + out - 4 + dip * (x - 128) ** 2 / np.float32(reach * reach)
    away = y - front
    # The visor curves down to its front edge; rows of stitches follow it; underneath it is dark.
    bent = 1.02 + 0.12 * bump(away, -10, 12) - 0.2 * u * u
    bent *= 1 - 0.07 * ramp(np.sin(away * np.float32(1.7)), 0.6, 1) - 0.25 * bump(away, 3, 3.5)
    bent *= fabric.cloth(rng, pose, "weave", 1.7) * rounded(pose, flap, 2.5, 0.35)
    base = fabric.dye(rng)
    second = base if rng.random() < 0.6 else fabric.partner(rng, base)
    crown_colour: Array = base
    if rng.random() < 0.5:
        sign = fabric.sign(rng, (x - 128) * 0.95, y - (brim - 34), rng.uniform(2.2, 3.2))
        crown_colour = blend(base, fabric.partner(rng, base), sign * (0.9 + 0.1 * np.sign(sign)))
    elif rng.random() < 0.25:
        crown_colour = fabric.print_on(rng, str(rng.choice(PRINTS)), x, y, base)
    painted = blend(dress(crown_colour, top), dress(second, bent), flap)
    return finish(pose, painted, body + flap * (1 - body), 0.05)


def brimmed_hat(rng: np.random.Generator, size: int) -> Layer:
    """A hat with a brim all round: felt, straw or cloth, with a band."""
    pose = jitter(rng, size)
    bucket = rng.random() < 0.35
    half, crown = rng.uniform(66, 78), rng.uniform(-34, -6)
    low = rng.uniform(70, 90)  # the brim's lowest edge, in the middle
    wide, deep = (rng.uniform(88, 98), 34.0) if bucket else (rng.uniform(104, 138), 26.0)
    brim_line, sag = low - rng.uniform(8, 13), rng.uniform(-6, 14)
    pinch = 0.0 if bucket else rng.uniform(-3, 7)
    dome = _mirror(
        [
            (128.0, crown + pinch),
            (128 + 0.45 * half, crown),
            (128 + 0.8 * half, crown + 12),
            (128 + half, brim_line - 18),
            (128 + half + 3, brim_line + 5),
            (128.0, brim_line + 6),
        ]
    )
    flap = _mirror(
        [
            (128.0, brim_line - 8),
            (128 + half, brim_line - 8),
            (128 + wide, low - deep * 0.5 + sag + (24 if bucket else 0)),
            (128 + 0.93 * wide, low - 5 + sag + (18 if bucket else 0)),
            (128 + 0.55 * wide, low - 1 + 0.3 * sag),
            (128.0, low + 2),
        ]
    )
    pose = pose.around(dome, flap)
    x, y = pose.grid()
    body, brim = fill(pose, dome), fill(pose, flap)
    straw = not bucket and rng.random() < 0.35
    cloth = fabric.knitted(rng, x, y * 1.3, "knit", 1.9) if straw else None
    if cloth is None:
        cloth = fabric.cloth(rng, pose, "weave" if bucket else "felt", 1.6)
    top = volume(rng, "skull", pose, 0.38) * cloth * rounded(pose, body, 5, 0.3)
    top *= fabric.creases(rng, pose, "soft", 0.3)
    u = (x - 128) * np.float32(1 / wide)
    under = y - (low - 3 + sag * u * u)
    flat = (1.04 - 0.14 * np.abs(u) - 0.45 * ramp(under, -1, 4)) * cloth
    flat *= rounded(pose, brim, 3, 0.3) * fabric.creases(rng, pose, "across", 0.4)
    flat *= 1 - 0.35 * body * ramp(y, brim_line + 14, brim_line + 2)
    base = np.array((206, 176, 120), np.float32) if straw else fabric.dye(rng)
    colour: Array = base
    if bucket and rng.random() < 0.4:
        colour = fabric.print_on(rng, str(rng.choice(PRINTS)), x, y, base)
    brim_colour = colour
    if not bucket:
        ribbon = ramp(np.abs(y - (brim_line - 6) + 4 * u * u), 10, 9)
        colour = blend(colour, fabric.partner(rng, base), ribbon)
        top = top * (1 - 0.12 * bump(y, brim_line - 17, 2.5))
    painted, alpha = lay_over(base, dress(brim_colour, flat), brim, np.zeros_like(brim))
    front = body * ramp(y, brim_line + 6, brim_line + 4)
    painted = blend(painted, dress(colour, top), front)
    return finish(pose, painted, np.maximum(alpha, body), 0.055)


def hood_or_headscarf(rng: np.random.Generator, size: int) -> Layer:
    """Cloth around the whole face: a loose hood, or a headscarf that is wound under the chin."""
    return _hood(rng, size) if rng.random() < 0.4 else _headscarf(rng, size)


def _wrapping(
    rng: np.random.Generator, size: int, outer: Array, opening: Array, deep: float, lift: float
) -> Layer:
    """Cloth between two outlines, in folds that run around the opening; `deep`: a hood's inside."""
    pose = jitter(rng, size).around(outer)
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
    near = cv2.blur(hole, (2 * max(1, round(9 * size / 256)) + 1,) * 2)
    shade *= 1 - np.float32(0.25 + deep) * np.clip(2 * near, 0, 1) * ramp(y, 215, 60)
    base = fabric.dye(rng)
    colour: Array = base
    if rng.random() < 0.25:
        colour = fabric.print_on(rng, str(rng.choice(PRINTS)), x, y, base)
    return finish(pose, dress(colour, shade), body, lift)


def _headscarf(rng: np.random.Generator, size: int) -> Layer:
    half, top, bottom = rng.uniform(58, 66), rng.uniform(58, 84), rng.uniform(226, 240)
    opening = _mirror(
        [
            (128.0, top),
            (128 + 0.55 * half, top + 9),
            (128 + 0.93 * half, top + 42),
            (128 + half, 158),
            (128 + 0.8 * half, 200),
            (128 + 0.42 * half, bottom - 7),
            (128.0, bottom),
        ]
    )
    side = rng.uniform(84, 98)
    outer = _mirror(
        [
            (128.0, rng.uniform(2, 22)),
            (128 + 0.62 * side, 22),
            (128 + side, 84),
            (128 + side + 2, 160),
            (128 + side - 6, 215),
            (128 + side + 18, 300),
            (128.0, 320),
        ]
    )
    return _wrapping(rng, size, outer, opening, 0.0, 0.012)


def _hood(rng: np.random.Generator, size: int) -> Layer:
    half, top = rng.uniform(66, 76), rng.uniform(38, 62)
    opening = _mirror(
        [
            (128.0, top),
            (128 + 0.6 * half, top + 12),
            (128 + half, top + 62),
            (128 + half + 2, 170),
            (128 + 0.75 * half, 228),
            (128 + 0.3 * half, 262),
            (128.0, 272),
        ]
    )
    side = rng.uniform(100, 116)
    outer = _mirror(
        [
            (128.0, rng.uniform(-26, 4)),
            (128 + 0.6 * side, 12),
            (128 + side, 86),
            (128 + side + 4, 170),
            (128 + side + 6, 240),
            (128 + side + 26, 310),
            (128.0, 330),
        ]
    )
    return _wrapping(rng, size, outer, opening, 0.3, 0.04)


FAMILIES: dict[str, Drawer] = {
    "beanie": beanie,
    "cap": cap,
    "brimmed_hat": brimmed_hat,
    "hood_or_headscarf": hood_or_headscarf,
}
