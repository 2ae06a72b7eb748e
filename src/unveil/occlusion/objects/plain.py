"""Plain shapes anywhere in the frame, of 3 to 40 % of it: rectangles, blobs, stickers, bars."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.occlusion.objects.drawing import smooth
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.raster import Marks, offset
from unveil.occlusion.objects.textures import bright_colour, grain, pattern, tint, value_noise

LEAST, MOST = 0.03, 0.40  # of the frame's pixels
Outline = NDArray[np.float64]  # (N, 2) about (0, 0), of any size


def rectangle(rng: np.random.Generator, head: Head) -> Layer:
    """Upright or turned, sides up to 3:1; often black, as in the paper."""
    form = _box(np.exp(rng.uniform(-1.1, 1.1)))
    if rng.random() < 0.35:
        form = _turned(form, rng.uniform(0, np.pi))
    return _shape(rng, head.size, form, black=0.4)


def ellipse(rng: np.random.Generator, head: Head) -> Layer:
    """A disc or an ellipse."""
    form = _ring(40) * (1, np.exp(rng.uniform(-0.9, 0.9)))
    return _shape(rng, head.size, _turned(form, rng.uniform(0, np.pi)))


def polygon(rng: np.random.Generator, head: Head) -> Layer:
    """Three to eight straight sides."""
    n = int(rng.integers(3, 9))
    t = (np.arange(n) + rng.uniform(-0.35, 0.35, n)) * 2 * np.pi / n
    form = np.stack([np.cos(t), np.sin(t)], axis=1) * rng.uniform(0.55, 1.2, (n, 1))
    return _shape(rng, head.size, _turned(form * (1, rng.uniform(0.5, 1)), rng.uniform(0, np.pi)))


def blob(rng: np.random.Generator, head: Head) -> Layer:
    """A smooth shape of no name."""
    form = _ring(int(rng.integers(5, 11)))
    form = form * rng.uniform(0.5, 1.25, (len(form), 1)) * (1, rng.uniform(0.5, 1))
    return _shape(rng, head.size, _turned(smooth(form).astype(np.float64), rng.uniform(0, np.pi)))


def stripe(rng: np.random.Generator, head: Head) -> Layer:
    """A band across the whole frame."""
    # Longer than the diagonal, so growing it only widens it.
    band = _box(1.0) * (400, 1)
    return _shape(rng, head.size, band, turn=rng.uniform(0, np.pi), most=0.3)


def sticker(rng: np.random.Generator, head: Head) -> Layer:
    """A picture with a pale rim stuck onto the photo."""
    n = int(rng.integers(3, 8))
    kind = rng.random()
    if kind < 0.35:
        star = np.where(np.arange(2 * n) % 2, rng.uniform(0.6, 0.9), 1.0)
        form = np.asarray(smooth(_ring(2 * n) * star[:, None]), np.float64)
    elif kind < 0.7:
        form = _ring(40)
    else:
        form = np.asarray(smooth(_box(rng.uniform(0.7, 1.4))), np.float64)
    outline = _turned(form, rng.normal(0, 0.3))
    layer = _shape(rng, head.size, outline, most=0.25)
    inside = cv2.GaussianBlur(layer.alpha, (0, 0), float(rng.uniform(2, 4)) * head.size / 256)
    rim = np.clip((0.93 - inside) * 6, 0, 1) * np.float32(rng.uniform(0.7, 1))
    pale = np.float32(rng.uniform(225, 252))
    planes = [plane + rim * (pale - plane) for plane in cv2.split(layer.colour)]
    return Layer(np.asarray(cv2.merge(planes), np.float32), layer.alpha, 0.003)


def bar(rng: np.random.Generator, head: Head) -> Layer:
    """A censor's bar over the eyes, the nose or the mouth, now and then with writing."""
    size = head.size
    height = rng.choice([132.0, 160.0, 190.0]) + rng.normal(0, 6)
    wide, tall = rng.uniform(110, 200), rng.uniform(20, 48)
    form = _turned(_box(1.0) * (wide / 2, tall / 2), rng.normal(0, 0.06))
    form = form + offset(rng.normal(128, 8), height)
    alpha = _fill(size, form * size / 256, rng)
    dark = rng.random() < 0.75
    paper = np.full(3, rng.uniform(0, 25) if dark else rng.uniform(225, 255))
    ink = 255 - paper if rng.random() < 0.7 else bright_colour(rng).astype(np.float64)
    marks = Marks(size)
    if rng.random() < 0.5:
        _write(rng, marks, form.mean(axis=0) * size / 256, wide * size / 256, tall * size / 256)
    return Layer(tint(marks.map.astype(np.float32) * np.float32(1 / 255), paper, ink), alpha, 0.0)


def _write(rng: np.random.Generator, marks: Marks, middle: Array, wide: float, tall: float) -> None:
    """Strokes that look like letters from afar."""
    x, end = middle[0] - 0.45 * wide, middle[0] + 0.45 * wide
    high = tall * rng.uniform(0.4, 0.65)
    thick = max(1.0, high * rng.uniform(0.10, 0.2))
    while x < end - high:
        if rng.random() > 0.18:
            box = np.array([x + 0.1 * high, middle[1] - high / 2])
            knots = rng.integers(0, 3, (int(rng.integers(3, 6)), 2)) / 2 * (0.5 * high, high)
            marks.lines((box + knots)[None], thick)
        x += 0.72 * high


def _box(aspect: float) -> Outline:
    root = np.sqrt(aspect)
    return np.array([[-root, -1 / root], [root, -1 / root], [root, 1 / root], [-root, 1 / root]])


def _ring(n: int) -> Outline:
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def _turned(form: Outline, angle: float) -> Outline:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(form @ np.array([[cos, sin], [-sin, cos]]), np.float64)


def _shape(
    rng: np.random.Generator,
    size: int,
    form: Outline,
    black: float = 0.15,
    most: float = MOST,
    turn: float | None = None,
) -> Layer:
    """A form of random coverage at a random place, filled with something.

    Args:
        form: about (0, 0).
        black: the share of black ones.
        most: the largest coverage.
        turn: given for a band: it grows across only, and is then turned by this.
    """
    wanted = rng.uniform(LEAST * 1.1, most * 0.97)
    place = rng.uniform(0, 1, 2) * size
    if turn is not None:
        place = np.full(2, size / 2) + rng.uniform(-0.3, 0.3, 2) * size
    area = 0.5 * abs(
        np.dot(form[:, 0], np.roll(form[:, 1], -1)) - np.dot(form[:, 1], np.roll(form[:, 0], -1))
    )
    scale = float(np.sqrt(wanted * size * size / area)) if turn is None else wanted * size / 2
    edge_seed = int(rng.integers(2**31))
    alpha = np.zeros((size, size), np.float32)
    for _ in range(8):
        if turn is None:
            outline = form * scale + place
        else:
            outline = _turned(form * (size / 200, scale), turn) + place
        alpha = _fill(size, outline, np.random.default_rng(edge_seed))
        covered = float(alpha.mean())
        if 0.88 < covered / wanted < 1.12:
            break
        # What hangs over the border does not count: grow, or come nearer to the middle.
        ratio = wanted / max(covered, 0.004)
        scale *= float(np.clip(ratio if turn is not None else np.sqrt(ratio), 0.6, 1.5))
        place = place + 0.12 * (size / 2 - place)
    return Layer(_filling(rng, size, black), alpha, 0.0)


def _fill(size: int, outline: Outline, rng: np.random.Generator) -> Array:
    """The inside of an outline in pixels with an edge that is 0 to 2 px soft."""
    canvas = np.zeros((size, size), np.uint8)
    soft = rng.random()
    if soft < 0.3:  # hard, as a rectangle that a program paints
        cv2.fillPoly(canvas, [np.rint(outline).astype(np.int32)], 255)
    else:
        cv2.fillPoly(canvas, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if soft > 0.6:
        canvas = np.asarray(
            cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.4, 1.0))), np.uint8
        )
    return canvas.astype(np.float32) * np.float32(1 / 255)


def _filling(rng: np.random.Generator, size: int, black: float) -> Array:
    """What covers: one colour, a gradient, a pattern, noise, or something like a photograph."""
    kind = rng.random()
    if kind < black:
        return np.zeros((size, size, 3), np.float32)
    kind = (kind - black) / (1 - black)
    one = bright_colour(rng, 0, 0.95, 0.02, 1.0)
    two = bright_colour(rng, 0, 0.95, 0.02, 1.0)
    if kind < 0.25:
        plain = np.empty((size, size, 3), np.float32)
        plain[:] = (255, 255, 255) if kind < 0.07 else one
        return plain
    if kind < 0.4:
        across = np.linspace(0, 1, size, dtype=np.float32)
        lean = np.float32(rng.uniform(-1, 1))
        ramp = (across[None, :] * (1 - abs(lean)) + across[:, None] * abs(lean)).astype(np.float32)
        return tint(ramp, one, two)
    if kind < 0.6:
        kinds = ("stripes", "checks", "dots", "herringbone", "weave", "knit")
        name = kinds[int(rng.integers(len(kinds)))]
        return tint(pattern(rng, size, name, rng.uniform(0.02, 0.2), rng.uniform(0, 180)), one, two)
    if kind < 0.68:
        noisy = np.clip(0.5 + np.float32(rng.uniform(0.1, 0.4)) * grain(rng, size), 0, 1)
        return tint(noisy, one, two)
    # As a photograph has it: shapes of several sizes with edges, under uneven light.
    clouds = value_noise(rng, size, rng.uniform(0.15, 0.5), 4)
    sharp = np.float32(rng.uniform(1, 14))
    mixed = np.clip(0.5 + clouds * sharp, 0, 1)
    light = 0.85 + np.float32(0.3) * value_noise(rng, size, rng.uniform(0.04, 0.6), 3)
    return np.minimum(np.maximum(tint(mixed, one, two, light), 0), 255)
