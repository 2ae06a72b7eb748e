"""Glasses: sunglasses of many shapes and clear ones; goggles and the like are in `goggles.py`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unveil.occlusion.objects.drawing import Pose, jitter, smooth
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.raster import Canvas, Patch, blur, lined, offset, outlined
from unveil.occlusion.objects.reflections import reflect
from unveil.occlusion.objects.textures import bright_colour, value_noise

MIDDLE, EYES = 127.5, 132.0  # where the bridge sits, and the height of the eyes, in units
LENS_TINTS = ((16, 16, 18), (26, 20, 15), (44, 26, 14), (18, 28, 20), (22, 26, 38), (50, 48, 50))


@dataclass(frozen=True)
class Shape:
    """A lens: the viewer's right one, about its middle, x outward, y down, in units of its halves.

    Attributes:
        outline: control points of a closed spline.
        width, height: half sides in the canonical frame's units.
        gap: from the bridge's middle to the lens' middle.
        drop: how far its middle lies under the eyes.
    """

    outline: tuple[tuple[float, float], ...]
    width: float
    height: float
    gap: float
    drop: float


def _rounded(power: float) -> tuple[tuple[float, float], ...]:
    t = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    x, y = np.cos(t), np.sin(t)
    x, y = (np.sign(v) * np.abs(v) ** (2 / power) for v in (x, y))
    return tuple(zip(x.tolist(), y.tolist(), strict=True))


_WAYFARER = (
    (-0.98, -0.7), (-0.5, -0.93), (0.4, -1.0), (1.0, -0.97), (1.08, -0.6),
    (0.98, 0.1), (0.72, 0.78), (0.15, 1.0), (-0.45, 0.95), (-0.85, 0.5), (-0.98, -0.1),
)  # fmt: skip
_AVIATOR = (
    (-0.95, -0.62), (-0.5, -0.92), (0.3, -0.98), (0.9, -0.75), (1.06, -0.1),
    (0.9, 0.65), (0.4, 1.05), (-0.15, 0.98), (-0.6, 0.45), (-0.88, -0.1),
)  # fmt: skip
_CAT_EYE = (
    (-1.0, -0.4), (-0.5, -0.72), (0.3, -0.9), (1.1, -1.2), (1.2, -0.75),
    (1.0, 0.05), (0.65, 0.68), (0.0, 0.92), (-0.6, 0.75), (-0.95, 0.2),
)  # fmt: skip
_BUTTERFLY = (
    (-0.9, -0.6), (-0.3, -0.9), (0.5, -1.0), (1.05, -0.85), (1.1, -0.1),
    (1.05, 0.7), (0.5, 1.0), (-0.2, 0.9), (-0.75, 0.5), (-0.95, 0.0),
)  # fmt: skip

SHAPES = (
    Shape(_WAYFARER, 25, 19, 32, 3),
    Shape(_WAYFARER, 23, 16, 31, 2),
    Shape(_AVIATOR, 27, 24, 31, 7),
    Shape(_rounded(2.0), 21, 21, 30, 3),
    Shape(_rounded(2.4), 23, 20, 31, 3),
    Shape(_rounded(4.5), 26, 15, 32, 2),
    Shape(_CAT_EYE, 25, 18, 31, 3),
    Shape(_BUTTERFLY, 29, 25, 33, 6),
    Shape(_rounded(2.7), 30, 27, 33, 6),
)
_NARROW = (0, 1, 3, 4, 5, 6)  # the shapes in which clear glasses come


def sunglasses(rng: np.random.Generator, head: Head) -> Layer:
    """Sunglasses with two lenses: any shape, frame, tint, gradient and reflection.

    Lens alpha is 0.75 to 1, often clearer towards the bottom.
    """
    return _glasses(rng, head, SHAPES[int(rng.integers(len(SHAPES)))], clear=False)


def clear_glasses(rng: np.random.Generator, head: Head) -> Layer:
    """Glasses to see through: `clear`, with alpha on the frame and on faint reflections only."""
    return _glasses(rng, head, SHAPES[_NARROW[int(rng.integers(len(_NARROW)))]], clear=True)


def shield(rng: np.random.Generator, head: Head) -> Layer:
    """Wraparound sports glasses: one curved lens over both eyes."""
    size = head.size
    pose, canvas = jitter(rng, head), Canvas(size)
    half, high, low = rng.uniform(62, 70), rng.uniform(15, 20), rng.uniform(14, 22)
    bow = rng.uniform(0, 6)
    side = np.array(
        [[0, -high + 3], [22, -high], [44, -high], [half - 6, -high * 0.8 + bow / 2],
         [half, -2 + bow], [half - 8, low * 0.65 + bow], [40, low], [20, low * 0.85],
         [7, low * 0.2]]
    )  # fmt: skip
    outline = np.concatenate([side, side[:0:-1] * (-1, 1)]) + offset(MIDDLE, EYES)
    curve = smooth(outline)
    colour = _frame_colour(rng)
    for sign in (-1, 1):
        _temple(
            canvas, pose, (MIDDLE + sign * (half - 4), EYES - 4), sign, rng.uniform(6, 9), colour
        )
    lens = outlined(size, pose.points(curve), margin=4)
    reflect(rng, canvas, lens, _tint(rng), mirror=rng.random() < 0.4, opacity=rng.uniform(0.88, 1))
    top = curve[(curve[:, 1] < EYES - high * 0.55)]
    top = top[np.argsort(top[:, 0])]
    bar = lined(size, pose.points(top), rng.uniform(2, 5) * size / 256)
    canvas.paint(bar, colour)
    _gloss(canvas, bar, size)
    return canvas.layer(0.03)


def _glasses(rng: np.random.Generator, head: Head, shape: Shape, clear: bool) -> Layer:
    size = head.size
    pose, canvas, unit = jitter(rng, head), Canvas(size), size / 256
    grow = rng.uniform(0.92, 1.1)
    width, height = shape.width * grow, shape.height * grow * rng.uniform(0.92, 1.08)
    gap = max(shape.gap * (1 + (grow - 1) * 0.6), width + 6)
    drop = shape.drop + rng.uniform(-2, 3)
    form = np.array(shape.outline) * (1 + rng.uniform(-0.035, 0.035, (len(shape.outline), 2)))
    metal = rng.random() < (0.45 if clear or shape.outline is _AVIATOR else 0.25)
    thick = rng.uniform(0.9, 2.0) if metal else rng.uniform(2.2, 6.0 if not clear else 4.0)
    colour, shell = _frame_colour(rng, metal), not metal and rng.random() < 0.15
    opacity = 1 - 0.25 * rng.random() ** 2
    tint, mirror, seed = _tint(rng), rng.random() < 0.2, int(rng.integers(2**31))

    lenses = [smooth(form * (sign * width, height)) + offset(MIDDLE + sign * gap, EYES + drop)
              for sign in (-1, 1)]  # fmt: skip
    for sign in (-1, 1):
        at = (MIDDLE + sign * (gap + width * 0.98), EYES + drop - height * 0.6)
        _temple(canvas, pose, at, sign, max(2.5, thick * 1.1), colour)
    for lens in lenses:
        patch = outlined(size, pose.points(lens), margin=4)
        # Both lenses mirror the same surroundings, so both see the same random numbers.
        twin = np.random.default_rng(seed)
        if clear:
            _glint(twin, canvas, patch)
        else:
            reflect(twin, canvas, patch, tint, mirror=mirror, opacity=opacity)
    rims = [_rim(size, pose, lens, sign, thick) for lens, sign in zip(lenses, (-1, 1), strict=True)]
    bridge = _bridge(rng, size, pose, gap - width, EYES + drop - height * 0.45, thick, metal)
    patches = [*rims, *bridge]
    texture = value_noise(rng, size, 0.05, 2) if shell else None
    for patch in patches:
        if texture is None:
            canvas.paint(patch, colour)
        else:
            spots = np.clip(texture[patch.box] * 2 + 0.5, 0, 1)
            canvas.paint(
                patch, [lo + spots * (hi - lo) for lo, hi in ((38, 150), (22, 86), (14, 30))]
            )
    for patch in patches:
        _gloss(canvas, patch, size, 90 if metal else 45)
    if not metal and rng.random() < 0.4:  # rivets
        for sign in (-1, 1):
            x, y = MIDDLE + sign * (gap + width * 0.95), EYES + drop - height * 0.72
            dot = lined(size, pose.points([[x, y], [x + sign * 3, y]]), 1.6 * unit)
            canvas.paint(dot, (200, 200, 200), 0.8)
    return canvas.layer(0.02, clear)


def _rim(size: int, pose: Pose, lens: Array, sign: int, thick: float) -> Patch:
    """The frame around one lens, thicker above and outside for thick ones."""
    if thick < 2.1:
        return lined(size, pose.points(lens), thick * size / 256, closed=True)
    middle = lens.mean(axis=0)
    away = lens - middle
    outward = away / np.linalg.norm(away, axis=1, keepdims=True)
    above = np.clip(-outward[:, 1], 0, 1) + 0.3 * np.clip(sign * outward[:, 0], 0, 1)
    outer = lens + outward * (thick * (0.65 + 0.6 * above))[:, None]
    return outlined(size, pose.points(outer), pose.points(lens))


def _bridge(
    rng: np.random.Generator,
    size: int,
    pose: Pose,
    half: float,
    y: float,
    thick: float,
    metal: bool,
) -> list[Patch]:
    """What joins the lenses: a saddle, or one or two bars."""
    half = max(half, 3.0) + 1.5
    t = np.linspace(-1, 1, 13)
    rise = rng.uniform(2, 5)
    arc = np.stack([MIDDLE + t * half, y - rise * (1 - t * t)], axis=1)
    if not metal:
        under = arc[::-1] + offset(0, thick * 1.25)
        under[:, 1] += (2.2 * np.abs(t) ** 3)[::-1]
        return [outlined(size, pose.points(np.concatenate([arc, under])))]
    width = max(1.0, thick) * size / 256
    bars = [lined(size, pose.points(arc + offset(0, 2)), width)]
    if rng.random() < 0.5:
        bars.append(lined(size, pose.points(arc * (1, 0) + offset(0, y - 6 - rise)), width))
    return bars


def _temple(
    canvas: Canvas, pose: Pose, at: tuple[float, float], sign: int, wide: float, colour: Array
) -> None:
    """The arm back to the ear; seen from the front it is short, and darker as it goes."""
    x, y = at
    ear = MIDDLE + sign * max(68, abs(x - MIDDLE) + 5)
    bar = [[x - sign * 3, y - wide / 2], [ear, y - wide * 0.3 + 1], [ear, y + wide * 0.5 + 2],
           [x - sign * 3, y + wide / 2]]  # fmt: skip
    patch = outlined(canvas.size, pose.points(bar))
    canvas.paint(patch, colour * np.float32(0.6))


def _gloss(canvas: Canvas, patch: Patch, size: int, strength: float = 45) -> None:
    """Light along upper edges and shade under lower ones, as on a rounded bar."""
    soft = blur(patch.alpha, 1.1 * size / 256)
    slope = np.zeros_like(soft)
    slope[1:-1] = soft[2:] - soft[:-2]
    canvas.light(patch, (1, 1, 1), slope * np.float32(strength))


def _glint(rng: np.random.Generator, canvas: Canvas, lens: Patch) -> None:
    """A faint streak of a reflection on a clear lens."""
    x, y = lens.grid()
    w = lens.alpha.shape[1]
    at = (x - lens.x - rng.uniform(-0.3, 1.2) * w) + (y - lens.y) * np.float32(rng.uniform(0.4, 1))
    streak = np.exp(-((at / (rng.uniform(0.05, 0.2) * w)) ** 2)) * np.float32(rng.uniform(0, 0.25))
    canvas.paint(Patch(lens.x, lens.y, lens.alpha * streak), (235, 240, 250))


def _frame_colour(rng: np.random.Generator, metal: bool = False) -> Array:
    kind = rng.random()
    if metal:
        metals = ((196, 160, 92), (170, 172, 176), (60, 60, 64), (150, 100, 70), (24, 24, 26))
        return np.array(metals[int(rng.integers(len(metals)))], dtype=np.float32)
    if kind < 0.55:
        return np.full(3, rng.uniform(8, 38), dtype=np.float32)
    if kind < 0.7:
        return np.array((62, 38, 24), dtype=np.float32) * np.float32(rng.uniform(0.6, 1.5))
    if kind < 0.8:
        return np.full(3, rng.uniform(190, 240), dtype=np.float32)
    return bright_colour(rng, 0.3, 0.9, 0.2, 0.85)


def _tint(rng: np.random.Generator) -> Array:
    if rng.random() < 0.15:
        return bright_colour(rng, 0.3, 0.8, 0.15, 0.6)
    tint = np.array(LENS_TINTS[int(rng.integers(len(LENS_TINTS)))], dtype=np.float32)
    return tint * np.float32(rng.uniform(0.5, 1.4))
