"""Skin: its tones, how it takes light, and what makes a finger look like one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unveil.occlusion.objects.head import Colour
from unveil.occlusion.objects.layer import Array
from unveil.occlusion.objects.raster import Canvas, Marks
from unveil.occlusion.objects.relief import Lit
from unveil.occlusion.objects.textures import bright_colour, grain, value_noise

# From light to dark, RGB.
SKINS = ((238, 200, 178), (228, 182, 152), (208, 156, 122), (176, 124, 92), (130, 86, 62),
         (88, 58, 44), (58, 40, 33))  # fmt: skip

OWN = 0.7  # share of the hands that are the face's own

_ROUND = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_NAIL = np.stack([np.cos(_ROUND), np.sin(_ROUND)], axis=1)
_NAIL = np.sign(_NAIL) * np.abs(_NAIL) ** 0.75  # along and across a finger


@dataclass(frozen=True)
class Finger:
    """A finger in the image: its joints from base to tip and its radii, pixels."""

    joints: Array
    radii: Array
    straight: bool


def skin_tone(rng: np.random.Generator, own: Colour | None = None) -> Array:
    """The colour of a hand's skin, (3,) float32 RGB: one between light and dark.

    Args:
        own: the face's, if it is known: what hides a face is mostly its own hand.
    """
    if own is not None and rng.random() < OWN:
        seen = np.array(own) * np.exp(rng.normal(0, 0.1)) + rng.normal(0, 4, 3)
        seen = np.maximum(seen, 12)
        # What is brighter than white keeps its hue.
        return np.asarray(seen * min(1.0, 240 / float(seen.max())), dtype=np.float32)
    at = rng.uniform(0, len(SKINS) - 1)
    low = int(at)
    high = min(low + 1, len(SKINS) - 1)
    tone = np.array(SKINS[low]) + (at - low) * (np.array(SKINS[high]) - np.array(SKINS[low]))
    return np.asarray(tone * rng.uniform(0.92, 1.06) + rng.normal(0, 3, 3), dtype=np.float32)


def paint_skin(rng: np.random.Generator, canvas: Canvas, lit: Lit, tone: Array) -> None:
    """Skin: redder in the shade than in the light, blotched, with pores."""
    blotch = value_noise(rng, canvas.size, 0.10, 3, shape=lit.patch.shape)
    shade = lit.shade * (1 + np.float32(0.03) * grain(rng, canvas.size, shape=lit.patch.shape))
    shade += np.float32(0.025) * blotch
    left = (0.34, 0.20, 0.15)  # of each channel where no light falls
    warm = (0.012, -0.03, -0.03)
    oil = np.float32(rng.uniform(3, 22)) * lit.shine
    planes = []
    for c in range(3):
        plane = shade * np.float32(1.10 - left[c])
        plane += np.float32(warm[c]) * blotch + np.float32(left[c])
        plane *= tone[c]
        planes.append(plane + oil)
    canvas.paint(lit.patch, planes)


def detail(
    rng: np.random.Generator, canvas: Canvas, fingers: list[Finger], tone: Array, palm_side: bool
) -> None:
    """Creases at the joints and, from the back, the nails."""
    straight = [finger for finger in fingers if finger.straight]
    if not straight:
        return
    joints = np.stack([finger.joints for finger in straight])  # (F, 4, 2)
    radii = np.stack([finger.radii for finger in straight])[..., None]  # (F, 4, 1)
    creases, plates, sparks = (Marks(canvas.size) for _ in range(3))
    # Two or three creases at each of the inner joints, bowed away from the joint.
    way = _unit(joints[:, 2:] - joints[:, :-2])  # (F, 2, 2)
    shifts = np.array((0.0,) if palm_side else (-0.3, 0.0, 0.26))
    along = shifts + rng.normal(0, 0.05, (len(straight), 2, len(shifts)))
    half = rng.uniform(0.4, 0.75, along.shape)
    t = np.linspace(-1, 1, 7)
    bow = along[..., None] + t * t * (0.22 * np.where(shifts > 0, 1, -1))[:, None]  # (F, 2, C, 7)
    side = half[..., None] * t
    ways, across = way[:, :, None, None], _across(way)[:, :, None, None]
    r = radii[:, 1:3, None, None]
    curves = joints[:, 1:3, None, None] + r * (ways * bow[..., None] + across * side[..., None])
    creases.lines(curves.reshape(-1, 7, 2), canvas.size / 256, 0.55)
    if not palm_side:
        way = _unit(joints[:, 3] - joints[:, 2])[:, None]  # (F, 1, 2)
        across, r = _across(way), radii[:, 3:]
        middle = joints[:, 3:] + way * r * 0.12
        nails = middle + r * (way * _NAIL[:, :1] * 0.7 + across * _NAIL[:, 1:] * 0.6)
        creases.lines(nails, 1.0, 0.5, closed=True)
        plates.spots(nails)
        spark = middle + across * r * 0.15
        streak = np.concatenate([spark - way * r * 0.3, spark + way * r * 0.3], axis=1)
        sparks.lines(streak, max(1.0, 0.28 * float(r.mean())))
    canvas.shade(creases.patch(rng.uniform(0.3, 0.6)), 0.4)
    polish = rng.random() < 0.2
    pink = bright_colour(rng, 0.4, 0.9, 0.3, 0.9) if polish else tone * 0.76 + (66, 50, 48)
    canvas.paint(plates.patch(0.8 if polish else 0.4), np.minimum(pink, 250).astype(np.float32))
    canvas.light(sparks.patch(rng.uniform(0.04, 0.2)), (255, 255, 255), 1.0)


def _unit(vectors: Array) -> Array:
    """(..., 2) vectors at length 1."""
    length = np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-3)
    return np.asarray(vectors / length, dtype=np.float32)


def _across(way: Array) -> Array:
    """(..., 2) vectors, a quarter turned."""
    return np.stack([-way[..., 1], way[..., 0]], axis=-1)
