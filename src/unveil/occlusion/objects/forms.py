"""Simple bodies that things are made of: their outlines and the light on them."""

from __future__ import annotations

import numpy as np

from unveil.occlusion.objects.layer import Array
from unveil.occlusion.objects.raster import offset


def ring(wide: float, high: float, points: int = 28) -> Array:
    """An ellipse of these half axes about (0, 0): (points, 2)."""
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([np.cos(t) * wide, np.sin(t) * high], axis=1).astype(np.float32)


def rounded(wide: float, high: float, corner: float, taper: float = 1.0) -> Array:
    """A rectangle with round corners; `taper` is its width below against above."""
    t = np.linspace(0, np.pi / 2, 5)
    quarter = np.stack([np.cos(t), np.sin(t)], axis=1) * corner
    x, y = wide / 2 - corner, high / 2 - corner
    turns = ((1, 1), (-1, 1), (-1, -1), (1, -1))
    parts = [(quarter[:: sx * sy] + offset(x, y)) * (sx, sy) for sx, sy in turns]
    form = np.concatenate(parts)
    form[:, 0] *= 1 + (taper - 1) * (form[:, 1] / high + 0.5)
    return np.asarray(form, np.float32)


def tube(rng: np.random.Generator, across: Array, gloss: float = 0.25) -> Array:
    """Light on an upright cylinder; `across` is -1..1 from side to side."""
    lamp = np.float32(rng.uniform(-0.6, 0.6))
    shade = 1.05 - 0.42 * np.abs(across - lamp * 0.5) ** 2
    streak = np.exp(-(((across - lamp) / 0.13) ** 2)) * np.float32(rng.uniform(0, gloss))
    return np.asarray(np.clip(shade, 0.35, 1.1) + streak, np.float32)


def dome(x: Array, y: Array, r: float) -> Array:
    """How far a ball of radius `r` faces us, 1 in its middle: (h, w)."""
    return np.asarray(np.sqrt(np.maximum(0, 1 - (x * x + y * y) / np.float32(r * r))), np.float32)
