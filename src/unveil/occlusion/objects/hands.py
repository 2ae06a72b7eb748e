"""Hands before the face: bare or gloved, open, flat, pointing or as a fist, with an arm or sleeve.

A hand is a palm and five chains of capsules in a frame of its own (y to the fingers, 1 = the
palm's width), placed so that a chosen part of it lies on a chosen part of the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import smooth
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.raster import Canvas, Marks, outlined
from unveil.occlusion.objects.relief import Lit, Relief
from unveil.occlusion.objects.skin import Finger, detail, paint_skin, skin_tone
from unveil.occlusion.objects.textures import value_noise

# Index to little finger: where they start, how long they are, how thick at base and tip.
_BASES = np.array([[-0.36, 0.50], [-0.12, 0.57], [0.12, 0.53], [0.345, 0.42]])
_LENGTHS = np.array([0.80, 0.90, 0.83, 0.64])
_THICK = np.array([[0.128, 0.092], [0.132, 0.094], [0.126, 0.090], [0.108, 0.076]])
_BONES = np.array([0.46, 0.30, 0.24])  # of a finger's length
_PALM = np.array(
    [[-0.47, 0.45], [-0.30, 0.58], [0, 0.62], [0.28, 0.54], [0.45, 0.38], [0.47, 0],
     [0.40, -0.35], [0.27, -0.62], [0, -0.66], [-0.27, -0.62], [-0.42, -0.30], [-0.47, 0.1]]
)  # fmt: skip

# What is hidden: a point of the face in units of 256, and how far the hand may miss it.
TARGETS: dict[str, tuple[tuple[float, float], float]] = {
    "mouth": ((128, 188), 12),
    "left cheek": ((88, 172), 14),
    "right cheek": ((168, 172), 14),
    "left eye": ((98, 134), 12),
    "right eye": ((156, 134), 12),
    "eyes": ((128, 132), 10),
    "nose": ((128, 158), 14),
    "chin": ((128, 220), 14),
    "forehead": ((128, 86), 22),
}


@dataclass(frozen=True)
class Frame:
    """Where a hand's own frame lies in the image: pixels, the way the fingers point, its mirror."""

    x: float
    y: float
    scale: float  # pixels of a palm's width
    angle: float  # radians; 0 to the viewer's right, pi/2 up
    mirror: int

    def points(self, at: Array) -> Array:
        """(N, 2) in the hand's frame -> pixels."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        x, y = (np.asarray(at, dtype=np.float64) * (self.mirror, 1)).T
        px = self.x + self.scale * (sin * x + cos * y)
        py = self.y + self.scale * (cos * x - sin * y)
        return np.stack([px, py], axis=1).astype(np.float32)


def hand(rng: np.random.Generator, head: Head) -> Layer:
    """A bare hand over any part of the face."""
    return _hand(rng, head, gloved=False)


def glove(rng: np.random.Generator, head: Head) -> Layer:
    """A gloved hand (latex, leather or knit) over any part of the face."""
    return _hand(rng, head, gloved=True)


def _hand(rng: np.random.Generator, head: Head, gloved: bool) -> Layer:
    size = head.size
    names = list(TARGETS)
    (tx, ty), spread = TARGETS[names[int(rng.integers(len(names)))]]
    unit = size / 256
    target = (np.array((tx, ty)) + rng.uniform(-spread, spread, 2)) * unit
    kind = ("flat", "relaxed", "open", "fist", "point")[
        int(rng.choice(5, p=[0.3, 0.3, 0.1, 0.15, 0.15]))
    ]
    left = tx + rng.normal(0, 30) < 128  # the side that the arm comes from
    angle = np.deg2rad(rng.uniform(15, 100) if ty > 120 else rng.uniform(-5, 80))
    if not left:
        angle = np.pi - angle
    part = {"fist": (0.0, 0.45), "point": (-0.36, 1.1)}.get(kind, (0.0, rng.uniform(0.5, 1.25)))
    scale = rng.uniform(0.27, 0.34) * size
    frame = Frame(0, 0, scale, float(angle), 1 if rng.random() < 0.5 else -1)
    x, y = target - frame.points(np.array([part]))[0]
    frame = Frame(float(x), float(y), scale, float(angle), frame.mirror)
    palm_side = rng.random() < (0.6 if kind == "open" else 0.15)

    relief = Relief(size)
    elbow = _forearm(rng, relief, frame, left)
    relief.slab(
        frame.points(smooth(_PALM + rng.uniform(-0.015, 0.015, _PALM.shape))),
        0.17 * scale,
        0.11 * scale,
    )
    fingers = pose_fingers(rng, frame, kind)
    for i, finger in enumerate(fingers):
        front = (
            0.10 * scale if i == 4 and (palm_side or kind == "fist") else -0.012 * scale * (i % 2)
        )
        relief.limb(finger.joints, finger.radii, front)
    if not palm_side:
        _knuckles(relief, frame, kind == "fist")
    toward = np.array([rng.normal(0, 0.4), rng.uniform(-0.8, -0.1), rng.uniform(0.9, 1.4)])
    lit = relief.light(toward, 0.03 * scale)
    canvas = Canvas(size)
    if gloved:
        _paint_glove(rng, canvas, lit)
    else:
        tone = skin_tone(rng, head.skin)
        paint_skin(rng, canvas, lit, tone)
        detail(rng, canvas, fingers, tone, palm_side)
    if gloved or rng.random() < 0.65:
        _sleeve(rng, canvas, frame, elbow)
    return canvas.layer(rng.uniform(0.03, 0.06))


def pose_fingers(rng: np.random.Generator, frame: Frame, kind: str) -> list[Finger]:
    """Four fingers and the thumb (last) of a pose: flat, relaxed, open, fist or point."""
    spread = {"open": rng.uniform(7, 13), "flat": rng.uniform(0, 3)}.get(kind, rng.uniform(0, 6))
    lean = rng.uniform(-6, 6)
    fingers = []
    for i in range(4):
        curled = kind == "fist" or (kind == "point" and i > 0)
        turn = np.deg2rad(lean * (0 if curled else 1) + spread * (1.4 - i) + rng.normal(0, 1.5))
        shrink = np.ones(3)
        if curled:
            shrink = np.array([rng.uniform(0.5, 0.65), 0.12, 0.02])
        elif kind == "relaxed":
            shrink = 1 - np.array([0.08, 0.25, 0.35]) * rng.uniform(0, 1)
        bend = np.deg2rad(rng.normal(0, 3, 3))
        bones = _LENGTHS[i] * _BONES * shrink * rng.uniform(0.94, 1.06)
        way = turn + np.cumsum(bend)
        steps = np.stack([-np.sin(way), np.cos(way)], axis=1) * bones[:, None]
        joints = np.concatenate([_BASES[i : i + 1], _BASES[i] + np.cumsum(steps, axis=0)])
        base, tip = _THICK[i] * (1.12 if curled else 1.0)
        radii = np.array([base, base * 0.97, (base + tip) / 2, base * 0.9 if curled else tip])
        fingers.append(
            Finger(frame.points(joints), (radii * frame.scale).astype(np.float32), not curled)
        )
    # The thumb: beside the palm, tucked over a fist, or spread.
    away = {"open": rng.uniform(40, 60), "fist": rng.uniform(-35, -15), "flat": rng.uniform(5, 40)}
    start = away.get(kind, rng.uniform(10, 50))
    way = np.deg2rad(np.array([max(start, 12), start, start - rng.uniform(0, 25)]))
    bones = np.array([0.36, 0.34, 0.27])
    steps = np.stack([-np.sin(way), np.cos(way)], axis=1) * bones[:, None]
    root = np.array([[-0.30, -0.32]])
    joints = np.concatenate([root, root + np.cumsum(steps, axis=0)])
    radii = np.array([0.19, 0.145, 0.132, 0.098]) * frame.scale
    fingers.append(Finger(frame.points(joints), radii.astype(np.float32), True))
    return fingers


def _forearm(rng: np.random.Generator, relief: Relief, frame: Frame, left: bool) -> Array:
    """The arm from the wrist out of the image, bent down; its joints: palm, wrist, elbow."""
    palm, wrist = frame.points(np.array([[0, -0.25], [0, -0.72]]))
    way = (wrist - palm) / np.linalg.norm(wrist - palm)
    down = np.array([rng.uniform(-0.5, 0.2) * (1 if left else -1), 1.0])
    way = way + down * rng.uniform(0.1, 0.7)
    way /= np.linalg.norm(way)
    elbow = wrist + way * 3.2 * frame.scale
    joints = np.stack([palm, wrist, elbow])
    relief.limb(joints, np.array([0.2, 0.265, 0.42]) * frame.scale, -0.09 * frame.scale)
    return joints


def _knuckles(relief: Relief, frame: Frame, sharp: bool) -> None:
    """Knuckles, and faint ridges from them to the wrist."""
    marks = Marks(relief.size)
    wide = 0.07 * frame.scale
    for base in _BASES:
        ridge = frame.points(np.stack([base - (0, 0.06), (base[0] * 0.4, -0.25)]))
        marks.lines(ridge[None], wide * 0.6, 0.35)
        marks.lines(frame.points(base + np.array([[0, -0.05], [0, 0.03]]))[None], wide * 1.3)
    relief.raise_by(marks.map, (0.11 if sharp else 0.05) * frame.scale, 0.05 * frame.scale)


def _paint_glove(rng: np.random.Generator, canvas: Canvas, lit: Lit) -> None:
    kind = int(rng.integers(3))
    if kind == 0:  # latex
        colours = ((70, 130, 200), (225, 228, 232), (120, 90, 170), (40, 42, 48), (90, 170, 160))
        colour = np.array(colours[int(rng.integers(5))], np.float32) * rng.uniform(0.85, 1.1)
        shine, planes = 90.0, [np.full_like(lit.shade, v) for v in colour]
        folds = 1 + np.float32(0.12) * value_noise(rng, canvas.size, 0.06, 2, shape=lit.patch.shape)
    elif kind == 1:  # leather
        colour = fabric.dye(rng) * np.float32(0.7)
        shine, planes = 60.0, [np.full_like(lit.shade, v) for v in colour]
        folds = 1 + np.float32(0.15) * value_noise(
            rng, canvas.size, 0.035, 2, shape=lit.patch.shape
        )
    else:
        wool = fabric.piece(rng, canvas.size, lit.patch, 0.75)
        shine, planes = 0.0, [wool[..., c] for c in range(3)]
        folds = np.ones_like(lit.shade)
    shade = (np.float32(0.18) + np.float32(0.95) * lit.shade) * folds
    canvas.paint(lit.patch, [p * shade + np.float32(shine) * lit.shine for p in planes])


def _sleeve(rng: np.random.Generator, canvas: Canvas, frame: Frame, arm: Array) -> None:
    """Cloth over the forearm from somewhere behind the wrist, with a hem and folds."""
    wrist, way = arm[1], arm[2] - arm[1]
    way = way / np.linalg.norm(way)
    across = np.array([-way[1], way[0]])
    start, wide = rng.uniform(0.05, 0.9) * frame.scale, rng.uniform(0.34, 0.46) * frame.scale
    t = np.linspace(-1, 1, 9)[:, None]
    hem = wrist + way * start + across * t * wide - way * (1 - t * t) * wide * 0.25
    far = wrist + way * 3.3 * frame.scale + across * np.array([[1.0], [-1.0]]) * wide * 1.45
    patch = outlined(canvas.size, np.concatenate([hem, far]))
    x, y = patch.grid()
    side = ((x - wrist[0]) * across[0] + (y - wrist[1]) * across[1]) / np.float32(wide * 1.2)
    along = ((x - wrist[0]) * way[0] + (y - wrist[1]) * way[1]) / np.float32(frame.scale)
    folds = value_noise(rng, canvas.size, 0.09, 2, shape=patch.shape)
    lean = np.float32(rng.uniform(-0.5, 0.5))
    shade = 1.02 - 0.45 * np.clip(np.abs(side - lean * 0.4), 0, 1.2) ** 2 + 0.17 * folds
    piece = fabric.piece(rng, canvas.size, patch)
    edge = (start / frame.scale) - 0.25 * (wide / frame.scale) * np.clip(
        1 - side * side * 1.4, 0, 1
    )
    seam = np.abs(along - edge - np.float32(0.06)) < 0.008
    shade = np.where(seam, shade * np.float32(0.75), shade)
    # The shadow of the hem on the wrist.
    shadow = outlined(canvas.size, np.concatenate([hem - way * 0.05 * frame.scale, hem[::-1]]))
    canvas.shade(shadow, 0.7)
    canvas.paint(patch, [piece[..., c] * shade for c in range(3)])
