"""What is worn on the head and hides brow and hair: beanies, caps, hats.

Drawn with a `np.random.Generator`: unlike the shapes of `unveil.occlusion.shapes`, floats may
differ in the last bit between machines and between versions of numpy.
"""

from __future__ import annotations

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
    volume,
)
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.outline import mirrored

PRINTS = ("stripes", "plaid", "flowers", "dots", "camouflage")


def beanie(rng: np.random.Generator, head: Head) -> Layer:
    """A knitted cap down to the brows or the hairline, mostly with a turned-up rim."""
    pose = jitter(rng, head)
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
    outline = mirrored(right, rng)
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


def cap(rng: np.random.Generator, head: Head) -> Layer:
    """A baseball cap: panels with seams, perhaps a sign, and a visor over the brow."""
    pose = jitter(rng, head)
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
    dome, bill = mirrored(right, rng), mirrored(visor, rng, 0.5)
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


def brimmed_hat(rng: np.random.Generator, head: Head) -> Layer:
    """A hat with a brim all round, stiff or hanging: felt, straw or cloth, with a band."""
    pose = jitter(rng, head)
    kind = rng.random()
    bucket, floppy = kind < 0.25, kind > 0.6
    half, crown = rng.uniform(66, 92 if floppy else 78), rng.uniform(-34, -6)
    low = rng.uniform(70, 90)  # the brim's lowest edge, in the middle
    wide, deep = (rng.uniform(88, 98), 34.0) if bucket else (rng.uniform(104, 138), 26.0)
    hang = rng.uniform(20, 130) if floppy else 0.0  # how much lower the brim reaches at the sides
    brim_line, sag = low - rng.uniform(8, 13), rng.uniform(-6, 14)
    pinch = 0.0 if bucket else rng.uniform(-3, 7)
    dome = mirrored(
        [
            (128.0, crown + pinch),
            (128 + 0.45 * half, crown),
            (128 + 0.8 * half, crown + 12),
            (128 + half, brim_line - 18),
            (128 + half + 3, brim_line + 5),
            (128.0, brim_line + 6),
        ],
        rng,
    )
    side = [
        (128 + half, brim_line - 8),
        (128 + wide, low - deep * 0.5 + sag + (24 if bucket else 0)),
        (128 + 0.93 * wide, low - 5 + sag + (18 if bucket else 0)),
        (128 + 0.55 * wide, low - 1 + 0.3 * sag),
    ]
    if floppy:  # it leaves the face free, and hides what is beside it
        free = rng.uniform(66, 86)
        side = [
            (128 + half, brim_line - 8),
            (128 + wide, low + 0.3 * hang),
            (128 + 1.02 * wide, low + 0.8 * hang),
            (128 + 0.88 * wide, low + hang),
            (128 + free + 4, low + 0.55 * hang),
            (128 + 0.85 * free, low + 0.15 * hang),
            (128 + 0.4 * free, low + 1),
        ]
    flap = mirrored([(128.0, brim_line - 8), *side, (128.0, low + 2)], rng)
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
    under = ramp(y - (low - 3 + sag * u * u), -1, 4)
    if floppy:  # beside the face one sees the brim from below
        under = ramp(np.abs(x - 128), wide, 60) * ramp(y, low - 4, low + 12)
    flat = (1.04 - 0.14 * np.abs(u) - 0.45 * under) * cloth
    flat *= rounded(pose, brim, 3, 0.3) * fabric.creases(rng, pose, "across", 0.4)
    flat *= 1 - 0.35 * body * ramp(y, brim_line + 14, brim_line + 2)
    base = np.array((206, 176, 120), np.float32) if straw else fabric.dye(rng)
    colour: Array = base
    if bucket and rng.random() < 0.4:
        colour = fabric.print_on(rng, str(rng.choice(PRINTS)), x, y, base)
    brim_colour = colour
    if not bucket:
        broad = rng.uniform(8, 22)
        ribbon = ramp(np.abs(y - (brim_line + 4 - broad) + 4 * u * u), broad, broad - 1)
        colour = blend(colour, fabric.partner(rng, base), ribbon)
        top = top * (1 - 0.12 * bump(y, brim_line + 3 - 2 * broad, 2.5))
    painted, alpha = lay_over(base, dress(brim_colour, flat), brim, np.zeros_like(brim))
    front = body * ramp(y, brim_line + 6, brim_line + 4)
    painted = blend(painted, dress(colour, top), front)
    return finish(pose, painted, np.maximum(alpha, body), 0.055)
