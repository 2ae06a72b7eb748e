"""Ski and swimming goggles, sleep masks and eye patches."""

from __future__ import annotations

import numpy as np

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import Pose, jitter, smooth
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.raster import Canvas, Patch, blur, blurred, lined, offset, outlined
from unveil.occlusion.objects.reflections import reflect
from unveil.occlusion.objects.textures import bright_colour, value_noise

MIDDLE, EYES = 127.5, 132.0
_EYE = ((99.2, 132.3), (155.3, 130.9))


def ski_goggles(rng: np.random.Generator, head: Head) -> Layer:
    """Large goggles with a padded frame, a mirrored lens and a broad strap."""
    size = head.size
    pose, canvas = jitter(rng, head), Canvas(size)
    half, high, low = rng.uniform(56, 66), rng.uniform(27, 36), rng.uniform(25, 33)
    side = np.array(
        [[0, -high], [half * 0.5, -high], [half * 0.88, -high * 0.8], [half, -2],
         [half * 0.9, low * 0.72], [half * 0.5, low], [half * 0.22, low * 0.75], [6, low * 0.35]]
    )  # fmt: skip
    outline = np.concatenate([side, side[:0:-1] * (-1, 1)]) + offset(
        MIDDLE, EYES + rng.uniform(-3, 3)
    )
    strap, colour = fabric.dye(rng), fabric.dye(rng)
    wide = rng.uniform(10, 16)
    for sign in (-1, 1):
        x = MIDDLE + sign * half * 0.9
        _band(canvas, pose, (x, EYES - 2), (MIDDLE + sign * 76, EYES - 6), wide, strap)
    curve = smooth(outline)
    frame = outlined(size, pose.points(curve), margin=4)
    canvas.paint(frame, _puffed(frame, colour, 5 * size / 256))
    middle = curve.mean(axis=0)
    inner = middle + (curve - middle) * rng.uniform(0.82, 0.9)
    lens = outlined(size, pose.points(inner), margin=4)
    tint = bright_colour(rng, 0.2, 0.8, 0.1, 0.5)
    reflect(rng, canvas, lens, tint, mirror=rng.random() < 0.75, opacity=rng.uniform(0.93, 1))
    return canvas.layer(0.05)


def swim_goggles(rng: np.random.Generator, head: Head) -> Layer:
    """Two small lenses in rubber cups, a thin bridge and a strap."""
    size = head.size
    pose, canvas, unit = jitter(rng, head), Canvas(size), size / 256
    width, height = rng.uniform(20, 25), rng.uniform(13, 17)
    colour = bright_colour(rng, 0.0, 0.9, 0.08, 0.9)
    t = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    form = np.stack([np.cos(t) * width, np.sin(t) * height - 0.12 * width * np.cos(t)], axis=1)
    for sign in (-1, 1):
        x = MIDDLE + sign * (28 + width * 0.7)
        _band(canvas, pose, (x, EYES), (MIDDLE + sign * 76, EYES - 8), rng.uniform(5, 8), colour)
    bridge = smooth([[MIDDLE - 12, EYES + 1], [MIDDLE, EYES - 2], [MIDDLE + 12, EYES + 1]], False)
    canvas.paint(
        lined(size, pose.points(bridge), rng.uniform(2, 4) * unit), colour * np.float32(0.8)
    )
    seed, opacity = int(rng.integers(2**31)), rng.uniform(0.8, 1)
    tint, mirror = bright_colour(rng, 0.2, 0.9, 0.1, 0.5), rng.random() < 0.4
    for sign, (x, y) in zip((-1, 1), _EYE, strict=True):
        curve = smooth(form * (sign, 1)) + offset(x + sign * 1.5, y + 1)
        cup = outlined(size, pose.points(curve), margin=4)
        canvas.paint(cup, _puffed(cup, colour, 2.5 * unit))
        lens = outlined(
            size, pose.points(smooth(form * (sign * 0.78, 0.72)) + offset(x, y)), margin=4
        )
        reflect(np.random.default_rng(seed), canvas, lens, tint, mirror=mirror, opacity=opacity)
    return canvas.layer(0.02)


def sleep_mask(rng: np.random.Generator, head: Head) -> Layer:
    """A padded cloth over both eyes, with a band."""
    size = head.size
    pose, canvas, unit = jitter(rng, head), Canvas(size), size / 256
    half, high, low = rng.uniform(58, 70), rng.uniform(18, 30), rng.uniform(20, 30)
    side = np.array(
        [[0, -high * 0.9], [half * 0.5, -high], [half * 0.9, -high * 0.6], [half, 2],
         [half * 0.85, low * 0.7], [half * 0.45, low], [half * 0.15, low * 0.55], [0, low * 0.4]]
    )  # fmt: skip
    outline = np.concatenate([side, side[-2:0:-1] * (-1, 1)]) + offset(MIDDLE, EYES)
    colour = fabric.dye(rng)
    for sign in (-1, 1):
        x = MIDDLE + sign * half * 0.9
        _band(canvas, pose, (x, EYES), (MIDDLE + sign * 76, EYES - 8), rng.uniform(4, 9), colour)
    curve = smooth(outline)
    patch = outlined(size, pose.points(curve), margin=4)
    folds = value_noise(rng, size, 0.14, 2, shape=patch.shape)
    threads = fabric.threads(rng, size, patch.shape, rng.uniform(0.25, 1.25))
    planes = _puffed(patch, colour, 9 * unit)
    satin = 1 + np.float32(rng.uniform(0.03, 0.2)) * folds
    canvas.paint(patch, [plane * satin * threads for plane in planes])
    if rng.random() < 0.6:  # a seam or a piping along the edge
        middle = curve.mean(axis=0)
        seam = middle + (curve - middle) * 0.95
        line = lined(size, pose.points(seam), rng.uniform(0.8, 2) * unit, closed=True)
        canvas.shade(line, rng.uniform(0.55, 1.35))
    return canvas.layer(0.02)


def eye_patch(rng: np.random.Generator, head: Head) -> Layer:
    """A patch over one eye: black with a string, or a white medical one."""
    size = head.size
    pose, canvas, unit = jitter(rng, head), Canvas(size), size / 256
    sign = 1 if rng.random() < 0.5 else -1
    x, y = _EYE[(sign + 1) // 2]
    colour = np.array((236, 230, 220), np.float32) if rng.random() < 0.35 else fabric.dye(rng)
    wide, high = rng.uniform(20, 27), rng.uniform(19, 27)
    t = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    form = np.stack([np.cos(t) * wide, np.sin(t) * high * (1 + 0.12 * np.sin(t))], axis=1)
    form += rng.uniform(-1.5, 1.5, form.shape)
    if rng.random() < 0.8:
        up = [[x - sign * 8, y - high * 0.7], [MIDDLE - sign * 20, 84], [MIDDLE - sign * 66, 60]]
        down = [[x + sign * 10, y - high * 0.4], [x + sign * 26, y - 12], [MIDDLE + sign * 80, 118]]
        for path in (up, down):
            string = lined(size, pose.points(smooth(path, False)), rng.uniform(1.2, 4.5) * unit)
            canvas.paint(string, colour * np.float32(0.85))
    patch = outlined(size, pose.points(smooth(form) + offset(x, y)), margin=4)
    threads = fabric.threads(rng, size, patch.shape, rng.uniform(0.25, 1.5))
    folds = 1 + np.float32(0.06) * value_noise(rng, size, 0.1, 2, shape=patch.shape)
    canvas.paint(patch, [p * threads * folds for p in _puffed(patch, colour, 6 * unit)])
    return canvas.layer(0.012)


def _puffed(patch: Patch, colour: Array, depth: float) -> list[Array]:
    """A plain colour on a padded body lit from above: three planes (h, w)."""
    soft = blur(patch.alpha, depth)
    slope = np.zeros_like(soft)
    slope[1:-1] = soft[2:] - soft[:-2]
    light = 0.62 + 0.45 * soft + np.clip(slope * np.float32(depth), -0.6, 0.6) * np.float32(0.5)
    shine = np.float32(26) * np.clip(slope * np.float32(depth) - 0.1, 0, 1)
    return [channel * light + shine for channel in colour]


def _band(
    canvas: Canvas,
    pose: Pose,
    start: tuple[float, float],
    end: tuple[float, float],
    wide: float,
    colour: Array,
) -> None:
    """A strap from the goggles round the head, darker towards the side."""
    (x0, y0), (x1, y1) = start, end
    bar = [[x0, y0 - wide / 2], [x1, y1 - wide * 0.42], [x1, y1 + wide * 0.42], [x0, y0 + wide / 2]]
    patch = blurred(outlined(canvas.size, pose.points(bar), margin=3), 0.5)
    x, _ = patch.grid()
    ends = pose.points([start, end])[:, 0]
    away = np.clip((x - ends[0]) / (ends[1] - ends[0]), 0, 1)
    shade = (1 - np.float32(0.55) * away) * (patch.alpha * 0.15 + 0.85)
    canvas.paint(patch, [channel * shade for channel in colour])
