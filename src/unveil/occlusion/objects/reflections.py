"""Dark and mirrored lenses: tint, gradient, and what they mirror."""

from __future__ import annotations

import numpy as np

from unveil.occlusion.objects.layer import Array
from unveil.occlusion.objects.raster import Canvas, Patch, blur
from unveil.occlusion.objects.textures import bright_colour, value_noise


def reflect(
    rng: np.random.Generator,
    canvas: Canvas,
    lens: Patch,
    tint: Array,
    mirror: bool,
    opacity: float,
) -> None:
    """Paint a dark lens with what it mirrors.

    Args:
        rng: decides the surroundings; the same numbers mirror the same ones.
        canvas: painted on.
        lens: where.
        tint: RGB 0..255 of the lens where it mirrors nothing.
        mirror: a coloured mirror rather than dark glass.
        opacity: of the lens at its top; towards the bottom it may be clearer.
    """
    x, y = lens.grid()
    h, w = lens.alpha.shape
    unit = canvas.size / 256
    across, down = (x - lens.x) / w, (y - lens.y) / h
    clouds = value_noise(rng, max(h, w), 0.35, 3, shape=(h, w))
    # A horizon that bends with the lens, sky above, dark ground with its own shapes below.
    bend = rng.uniform(-0.25, 0.25)
    horizon = rng.uniform(0.25, 0.75) + bend * (across - 0.5) ** 2 * 4 + 0.10 * clouds
    sky = 1 / (1 + np.exp((down - horizon) * np.float32(rng.uniform(6, 30))))
    fade = np.float32(rng.choice([0.0, 0.5, 1.0])) * down  # gradient lenses: lighter below
    if mirror:
        high, low = bright_colour(rng, 0.3, 0.9, 0.5, 0.95), bright_colour(rng, 0.4, 0.95, 0.2, 0.6)
        amount = np.clip(sky * (0.8 + 0.3 * clouds) + 0.15 * (1 - down), 0, 1)
        planes = [low[c] + amount * (high[c] - low[c]) for c in range(3)]
    else:
        glow = np.float32(60 * rng.random() ** 2 + 4) * sky * (0.75 + 0.35 * clouds)
        air = (0.85, 0.95, 1.1)
        planes = [tint[c] * (1 + 1.2 * fade) + air[c] * glow for c in range(3)]
    # Lamps and windows: a few small, soft, bright spots, and now and then a streak.
    spots = np.zeros((h, w), dtype=np.float32)
    for _ in range(int(rng.integers(0, 3))):
        cx, cy = rng.uniform(0.1, 0.9), rng.uniform(0.05, 0.6)
        rx, ry = rng.uniform(1, 6) * unit, rng.uniform(1, 4) * unit
        lean = rng.uniform(-0.5, 0.5)
        dx = (x - lens.x) - cx * w
        dy = (y - lens.y) - cy * h + lean * dx
        spots += np.exp(-((dx / rx) ** 4 + (dy / ry) ** 4)) * np.float32(rng.uniform(40, 190))
    if rng.random() < 0.35:
        at = across + down * np.float32(rng.uniform(0.2, 0.8)) - np.float32(rng.uniform(0.1, 1.1))
        streak = np.clip(1 - np.abs(at / np.float32(rng.uniform(0.04, 0.16))), 0, 1)
        spots += streak * np.float32(rng.uniform(10, 60))
    # The rim keeps light off the glass beside it.
    depth = 0.65 + 0.35 * np.clip(2.4 * blur(lens.alpha, 3.0 * unit) - 1.2, 0, 1)
    clearer = np.float32(opacity) * (1 - np.float32(rng.choice([0.0, 0.1, 0.2])) * fade)
    alpha = np.maximum(clearer, np.float32(min(opacity, 0.75))) * lens.alpha
    alpha = np.maximum(alpha, lens.alpha * np.minimum(spots / 120, 1))
    canvas.paint(
        Patch(lens.x, lens.y, np.asarray(alpha, dtype=np.float32)),
        [np.asarray(plane * depth + spots, dtype=np.float32) for plane in planes],
    )
