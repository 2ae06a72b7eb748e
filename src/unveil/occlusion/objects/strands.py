"""Hair before the face: a fringe, locks, and single strands that the wind moves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.occlusion.objects.drawing import Pose, jitter
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.textures import bright_colour, value_noise

HAIRS = ((18, 15, 14), (42, 30, 23), (72, 48, 32), (110, 76, 48), (152, 112, 70), (196, 160, 108),
         (226, 204, 166), (136, 62, 30), (150, 148, 146), (208, 206, 202))  # fmt: skip
_COMMON = np.array([22, 20, 18, 13, 10, 6, 3, 4, 3, 1]) / 100  # of each of them
_TONES = 12
_STEPS = np.linspace(0, 1, 10)
# Of a cubic Bezier curve's four points at each step: (10, 4).
_BEZIER = np.stack(
    [(1 - _STEPS) ** 3, 3 * _STEPS * (1 - _STEPS) ** 2, 3 * _STEPS**2 * (1 - _STEPS), _STEPS**3],
    axis=1,
)


def fringe(rng: np.random.Generator, head: Head) -> Layer:
    """Hair that falls from the hairline over forehead and eyes, parted or swept to a side."""
    n = int(rng.integers(130, 330))
    # Thick as a curtain or thin, cut straight or ragged, swept left or right.
    left, right = sorted(rng.uniform(60, 196, 2)) if rng.random() < 0.4 else (62, 194)
    right = max(right, left + 45)
    x = rng.uniform(left, right, n)
    # In wisps: roots wander, tips gather.
    wisps = np.sort(rng.uniform(left, right, int(rng.integers(6, 22))))
    near = wisps[np.argmin(np.abs(x[:, None] - wisps), axis=1)]
    gather = rng.uniform(0.2, 0.8)
    sweep, curl = rng.normal(0, 28), rng.normal(0, 16)
    root = np.stack(
        [x + rng.normal(0, 3, n), 46 + 0.0035 * (x - 128) ** 2 + rng.normal(0, 6, n)], 1
    )
    length = rng.uniform(35, 100) * (1 + rng.normal(0, 0.10, n))
    tip_x = x + gather * (near - x) + sweep + 0.3 * (x - 128) * rng.uniform(-0.3, 0.9)
    tip = np.stack([tip_x + rng.normal(0, 3, n), root[:, 1] + length], 1)
    bulge = np.array([curl, 0])
    one = root + (tip - root) * 0.3 + (-0.5 * sweep, 0) + bulge + rng.normal(0, 2, (n, 2))
    two = root + (tip - root) * 0.7 + bulge * 0.6 + rng.normal(0, 2, (n, 2))
    strands = np.stack([root, one, two, tip], axis=1)
    return _hair(rng, strands, jitter(rng, head), rng.uniform(2.5, 5.5), fade=(38, 74))


def locks(rng: np.random.Generator, head: Head) -> Layer:
    """One to four locks that cross the forehead, an eye, a cheek or the mouth."""
    bunches = []
    side, bow = rng.choice([-1, 1]), rng.normal(0, 30)  # locks of one head fall alike
    foot = 128 + side * rng.uniform(-40, 60)
    for _ in range(int(rng.integers(1, 4))):
        n = int(rng.integers(50, 120))
        start = (128 + side * rng.uniform(-10, 75), rng.uniform(-10, 45))
        end = (foot + 0.6 * (start[0] - 128 - 32 * side), rng.uniform(125, 268))
        across = bow + rng.normal(0, 8)
        path = np.array([start, (start[0] + across, start[1] + 55),
                         (end[0] - across * rng.uniform(-0.6, 0.9), end[1] - 50), end])  # fmt: skip
        thin = rng.uniform(0.6, 1.5)
        wide = thin * np.array([12, 11, 8, rng.uniform(2, 9)])
        # A strand keeps its place in the lock from root to tip, more or less; a few fly away.
        place = rng.normal(0, 0.7, (n, 1)) + rng.normal(0, 0.25, (n, 4))
        place[: n // 8] *= rng.uniform(1.2, 3.0, (n // 8, 1))
        bunch = path + (place * wide)[..., None] * (1.0, 0.3)
        bunch[:, 3] += np.stack([rng.normal(0, 2, n), rng.normal(0, 14, n)], axis=1)
        bunches.append(bunch)
    strands = np.concatenate(bunches)
    return _hair(rng, strands, jitter(rng, head), rng.uniform(1.5, 3.5), fade=(10, 62))


def stray(rng: np.random.Generator, head: Head) -> Layer:
    """Thin strands across the face in one wind."""
    n = int(rng.integers(20, 90))
    side = rng.choice([-1, 1])
    angle = rng.uniform(-0.5, 0.9)
    height = rng.uniform(20, 200) + rng.normal(0, 35, n)
    start = np.stack([128 + side * rng.uniform(40, 110, n), height], axis=1)
    reach = rng.uniform(60, 190) * (1 + rng.normal(0, 0.2, n))
    way = np.stack([-side * np.cos(angle) * np.ones(n), np.sin(angle) * np.ones(n)], 1)
    end = start + way * reach[:, None] + rng.normal(0, 10, (n, 2))
    bend = rng.normal(0, 30, 2) + rng.normal(0, 9, (n, 2))
    one = start + (end - start) * 0.33 + bend
    two = start + (end - start) * 0.66 + bend * rng.uniform(-1, 1)
    strands = np.stack([start, one, two, end], axis=1)
    layer = _hair(rng, strands, jitter(rng, head), 0.0)
    # Thinner than a pixel, so they hide only part of it.
    return Layer(layer.colour, layer.alpha * np.float32(rng.uniform(0.4, 1.0)), layer.lift)


def _hair(
    rng: np.random.Generator,
    strands: NDArray[np.float64],
    pose: Pose,
    body: float,
    fade: tuple[float, float] | None = None,
) -> Layer:
    """Strands, (N, 4, 2) control points in units, as a layer.

    Args:
        rng: decides the colours.
        strands: from root to tip.
        pose: where the face is.
        body: width in units of the dark mass below them, drawn along every fifth; 0 for none.
        fade: heights in units between which the hair appears: above lies the person's own, and
            roots that began in the open would look cut.
    """
    size, n = pose.size, len(strands)
    curves = pose.points((_BEZIER @ strands).reshape(-1, 2)).reshape(n, -1, 2)
    # A line is never thinner than a pixel, so small images are drawn larger and then shrunk.
    fine = -(-192 // size)
    fixed = np.clip((curves + 0.5) * fine - 0.5, -2000, 4000) * 16
    fixed = np.rint(fixed).astype(np.int32)
    base, spread, cool = _hair_colour(rng), rng.uniform(0.2, 0.42), rng.uniform(-0.08, 0.08)
    canvas = np.zeros((size * fine, size * fine, 4), np.uint8)

    # On a canvas that is black and transparent, antialiased lines mix to colour times alpha.
    def draw(part: NDArray[np.int32], bright: float, thick: float) -> None:
        tone = base * np.array((bright, bright * (1 + cool / 2), bright * (1 + cool)))
        colour = (*np.clip(tone, 2, 255).tolist(), 255)
        wide = max(1, round(thick * fine * size / 256))
        cv2.polylines(canvas, list(part), False, colour, wide, cv2.LINE_AA, shift=4)

    if body:
        draw(fixed[::5, :-3], 1 - 0.8 * spread, body)
    groups = rng.integers(0, _TONES, n)
    # In no order of brightness: some dark ones lie before the bright.
    for k in rng.permutation(_TONES):
        draw(fixed[groups == k], 1 + spread * (2 * k / (_TONES - 1) - 1), 1)
    if fine > 1:
        canvas = np.asarray(
            cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA), np.uint8
        )
    box, alpha = _cut(canvas)
    colour = np.zeros((size, size, 3), np.float32)
    # Bands of shine across the hair, as on a head under a lamp.
    glow = value_noise(rng, size, 0.2, 2, shape=alpha[box].shape)
    sheen = 1 + np.float32(rng.uniform(0.1, 0.45)) * glow
    sheen /= np.maximum(alpha[box], np.float32(1 / 255))
    channels = [np.clip(canvas[(*box, c)] * sheen, 0, 255) for c in range(3)]
    colour[box] = cv2.merge(channels)
    if fade is not None:
        low, high = (float(v) for v in pose.points([(128, y) for y in fade])[:, 1])
        rows = (np.arange(size, dtype=np.float32)[:, None] - low) / max(high - low, 1)
        np.clip(rows, 0, 1, out=rows)
        uneven = np.float32(0.5) * value_noise(rng, size, 0.05)
        alpha *= np.clip(rows + uneven * (rows < 1), 0, 1)
    return Layer(colour, alpha, 0.012)


def _cut(canvas: NDArray[np.uint8]) -> tuple[tuple[slice, slice], Array]:
    """The box of what is painted, and alpha (S, S)."""
    x, y, w, h = cv2.boundingRect(canvas[..., 3])
    box = slice(y, y + max(h, 1)), slice(x, x + max(w, 1))
    return box, canvas[..., 3].astype(np.float32) * np.float32(1 / 255)


def _hair_colour(rng: np.random.Generator) -> Array:
    if rng.random() < 0.03:
        return bright_colour(rng, 0.3, 0.8, 0.4, 0.9)
    at = rng.choice(len(HAIRS), p=_COMMON)
    return np.asarray(
        np.array(HAIRS[at]) * rng.uniform(0.8, 1.15) + rng.normal(0, 3, 3), np.float32
    )
