"""Things held before a face, with the hand that holds them: behind, and its fingers in front."""

from __future__ import annotations

from functools import partial

import numpy as np

from unveil.occlusion.objects.grips import Grip, Place
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Drawer, Layer
from unveil.occlusion.objects.props import PROPS
from unveil.occlusion.objects.raster import Canvas, Patch, blur, offset
from unveil.occlusion.objects.relief import Relief
from unveil.occlusion.objects.skin import Finger, detail, paint_skin, skin_tone

# Where each lies: a choice of middles on the face, in units, and how far it turns, in degrees.
PLACES: dict[str, tuple[tuple[tuple[float, float], ...], float]] = {
    "cup": (((128, 215), (120, 205), (150, 200), (105, 212), (70, 215), (190, 220)), 14),
    "glass": (((128, 215), (105, 205), (150, 205), (65, 210), (190, 210), (48, 225)), 20),
    "bottle": (((128, 235), (105, 230), (160, 225), (70, 215), (190, 215)), 50),
    "phone": (((128, 190), (160, 150), (96, 150), (128, 140), (128, 215)), 25),
    "book": (((128, 215), (128, 195), (128, 170), (120, 225)), 10),
    "paper": (((128, 205), (128, 180), (110, 190), (150, 150)), 14),
    "microphone": (((128, 205), (112, 200), (148, 200), (130, 215)), 45),
    "ice cream": (((128, 205), (140, 198), (112, 210)), 28),
    "ball": (((128, 190), (90, 130), (165, 130), (128, 120), (70, 190), (190, 190)), 90),
    "flowers": (((128, 180), (100, 160), (160, 160), (128, 205), (90, 110), (160, 105)), 28),
}
BARE = 0.15  # of the things: their hand is below the picture, or they stand before the face
_ONE_TO_FOUR = np.array([0.92, 1.0, 0.95, 0.8])  # lengths of the fingers against the middle one


def held(rng: np.random.Generator, head: Head, what: str) -> Layer:
    """A thing of `PROPS` before the face, and the hand that holds it."""
    size = head.size
    middles, turn = PLACES[what]
    x, y = middles[int(rng.integers(len(middles)))]
    unit = size / 256 * rng.uniform(0.85, 1.2)
    spot = np.array([x, y]) + rng.normal(0, 9, 2)
    angle = np.deg2rad(np.clip(rng.normal(0, turn / 2), -turn, turn))
    at_x, at_y = (spot * size / 256).tolist()
    place = Place(at_x, at_y, unit, float(angle))
    tone, palm = skin_tone(rng, head.skin), size * rng.uniform(0.27, 0.32)
    toward = np.array([rng.normal(0, 0.4), rng.uniform(-0.8, -0.1), rng.uniform(0.9, 1.4)])
    # How it is held is known once it has its size, and the hand behind it comes first: so the
    # thing gets a canvas of its own.
    front = Canvas(size)
    how = PROPS[what](rng, front, place)
    if rng.random() < BARE:
        return front.layer(rng.uniform(0.03, 0.06))
    canvas = Canvas(size)
    behind = Relief(size)
    for middle in how.palms:
        _palm(rng, behind, place, middle, palm)
    paint_skin(rng, canvas, behind.light(toward, 0.06 * palm), tone)
    canvas.over(front)
    relief, fingers = Relief(size), []
    for grip in how.grips:
        for finger in _fingers(rng, place, grip, palm):
            relief.limb(finger.joints, finger.radii)
            fingers.append(finger)
    lit = relief.light(toward, 0.025 * palm)
    canvas.shade(_shadow(lit.patch, size), 0.7)
    paint_skin(rng, canvas, lit, tone)
    detail(rng, canvas, fingers, tone, palm_side=False)
    return canvas.layer(rng.uniform(0.03, 0.06))


def _fingers(rng: np.random.Generator, place: Place, grip: Grip, palm: float) -> list[Finger]:
    """Fingers that come round an edge from behind; the outer bones are seen, with their nails."""
    ends = place.points(np.array([grip.at, np.add(grip.at, grip.inward)]))
    way = (ends[1] - ends[0]) / max(float(np.linalg.norm(ends[1] - ends[0])), 1e-3)
    beside = np.array([-way[1], way[0]]) * (1 if way[0] > 0 else -1)  # down, along the edge
    thumb = grip.fingers == 1
    thick = palm * (0.125 if thumb else 0.108)
    reach = palm * (rng.uniform(0.42, 0.55) if thumb else rng.uniform(0.3, 0.5))
    lean, fingers = rng.normal(0, 0.12), []
    for k in range(grip.fingers):
        start = ends[0] + beside * (k - (grip.fingers - 1) / 2) * thick * 2.02
        long = reach * (1 if thumb else _ONE_TO_FOUR[k]) * rng.uniform(0.93, 1.05)
        turns = lean + np.cumsum(rng.normal(0, 0.06, 3)) + (k - 1.5) * 0.03
        steps = np.outer(np.cos(turns), way) + np.outer(np.sin(turns), beside)
        steps *= (np.array([0.30, 0.38, 0.32]) * long)[:, None]
        base = start - way * thick * 0.75
        joints = np.concatenate([base[None], base + np.cumsum(steps, axis=0)])
        radii = thick * np.array([1.0, 1.03, 0.95, 0.80]) * (0.9 if k == 3 else 1.0)
        fingers.append(Finger(joints.astype(np.float32), radii.astype(np.float32), True))
    return fingers


def _palm(
    rng: np.random.Generator, relief: Relief, place: Place, at: tuple[float, float], palm: float
) -> None:
    """The back of the hand behind a thing, and the forearm that leaves the image below."""
    middle = place.points(np.array([at]))[0]
    outward = np.sign(middle[0] - place.x) or 1.0
    wrist = middle + offset(outward * rng.uniform(0.1, 0.5) * palm, rng.uniform(0.55, 0.8) * palm)
    elbow = wrist + offset(outward * rng.uniform(-0.3, 1.2) * palm, 3 * palm)
    relief.limb(np.stack([middle, wrist]), np.array([0.42, 0.27]) * palm)
    joints = np.stack([middle * 0.4 + wrist * 0.6, wrist, elbow])
    relief.limb(joints, np.array([0.24, 0.26, 0.4]) * palm)


def _shadow(patch: Patch, size: int) -> Patch:
    """What fingers darken on the thing below them: themselves, softer, a little lower."""
    pad = max(2, round(7 * size / 256))
    wide = np.pad(patch.alpha, pad)
    soft = blur(wide, 2.2 * size / 256)
    x, y = patch.x - pad, patch.y - pad + max(1, round(2.5 * size / 256))
    top, left = max(0, -y), max(0, -x)
    cut = soft[top : top + size - (y + top), left : left + size - (x + left)]
    return Patch(x + left, y + top, cut)


FAMILIES: dict[str, Drawer] = {what: partial(held, what=what) for what in PROPS}
