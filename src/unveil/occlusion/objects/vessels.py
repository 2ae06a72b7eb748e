"""Things to drink from, painted in the frame of `grips.Place`."""

from __future__ import annotations

import numpy as np

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import Field, ramp
from unveil.occlusion.objects.forms import dome, ring, rounded, tube
from unveil.occlusion.objects.grips import Grip, Held, Place
from unveil.occlusion.objects.layer import Array
from unveil.occlusion.objects.raster import Canvas, Marks, Patch, offset, outlined
from unveil.occlusion.objects.textures import bright_colour, pattern, tint, value_noise


def mug(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """A mug with a handle, or a paper cup with a lid."""
    wide, high = rng.uniform(58, 82), rng.uniform(66, 92)
    paper = rng.random() < 0.4
    taper = rng.uniform(0.68, 0.8) if paper else rng.uniform(0.9, 1.0)
    colour, mark = fabric.dye(rng), bright_colour(rng, 0.2, 0.9, 0.1, 0.9)
    side = 1 if rng.random() < 0.5 else -1
    if not paper:
        middle = offset(side * wide * 0.52, 0)
        outer = ring(0.33 * wide, 0.34 * high, 20) + middle
        inner = ring(0.22 * wide, 0.24 * high, 20) + middle
        handle = outlined(canvas.size, place.points(outer), place.points(inner))
        _, y = place.local(handle)
        canvas.paint(handle, [v * (0.85 - 0.3 * y / np.float32(high)) for v in colour])
    body = outlined(canvas.size, place.points(rounded(wide, high, 5, taper)), margin=3)
    x, y = place.local(body)
    shade = tube(rng, 2 * x / np.float32(wide))
    piece = np.empty((*x.shape, 3), np.float32)
    piece[:] = colour
    if rng.random() < 0.6:
        kind = ("stripes", "dots", "checks")[int(rng.integers(3))]
        part = pattern(
            rng, canvas.size, kind, rng.uniform(0.05, 0.2), rng.uniform(0, 90), shape=body.shape
        )
        belt = np.abs(y / np.float32(high)) < np.float32(rng.uniform(0.15, 0.5))
        piece = tint(np.asarray(part * belt, np.float32), colour, mark)
    canvas.paint(body, [piece[..., c] * shade for c in range(3)])
    rim, top = ring(wide / 2, wide * rng.uniform(0.05, 0.16)), offset(0, -high / 2 + 2)
    edge = np.minimum(colour * np.float32(1.12) + 12, 250) if not paper else (238, 236, 232)
    canvas.paint(outlined(canvas.size, place.points(rim + top)), edge)
    drink = np.array((70, 44, 28), np.float32) if rng.random() < 0.6 else colour * np.float32(0.4)
    inside = outlined(canvas.size, place.points(rim * 0.88 + top))
    canvas.paint(inside, drink if not paper else (215, 212, 208))
    return Held(
        (Grip((-side * wide * 0.46, 4), (side, 0.1), 4),), ((-side * wide * 0.45, high * 0.2),)
    )


def glass(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """A glass of something, with or without a stem, and perhaps what is put on its rim."""
    wide, high = rng.uniform(44, 74), rng.uniform(70, 120)
    stem = rng.uniform(40, 80) if rng.random() < 0.4 else 0.0
    taper = rng.uniform(0.3, 0.6) if stem else rng.uniform(0.62, 1.0)
    if rng.random() < 0.3:  # a tulip is widest in its middle
        taper = rng.uniform(1.0, 1.25)
    if stem:
        _stem(rng, canvas, place, wide, high, stem)
    bowl = rounded(wide, high, min(rng.uniform(4, 22), 0.3 * wide), taper)
    body = outlined(canvas.size, place.points(bowl), margin=3)
    x, y = place.local(body)
    full = rng.uniform(-0.45, 0.0) * high  # where the drink begins
    below = ramp(y, full - 1, full + 1)
    drink = _drink(rng, y, full, high / 2)
    shine = tube(rng, 2 * x / np.float32(wide), 0.8)
    air = np.float32(rng.uniform(150, 235))
    filled = [air + below * (v - air) for v in drink]
    air_hides, drink_hides = rng.uniform(0.4, 0.8), rng.uniform(0.85, 1.0)
    opaque = air_hides + below * np.float32(drink_hides - air_hides)
    clear = Patch(body.x, body.y, body.alpha * opaque)
    solid = rng.random() < 0.6  # milk, beer, a coloured glass: nothing is seen through it
    canvas.paint(body if solid else clear, [np.clip(v * shine, 0, 255) for v in filled])
    walls = ramp(np.abs(x), 0.36 * wide * min(1, taper), 0.5 * wide)
    canvas.light(body, (1, 1, 1), np.asarray(45 * walls, np.float32))
    if rng.random() < 0.35:
        _on_the_rim(rng, canvas, place, offset(rng.uniform(-0.5, 0.5) * wide, -high / 2))
    if rng.random() < 0.3:
        straw = Marks(canvas.size)
        lean = rng.uniform(-25, 25)
        line = np.array([[0, 0], [lean, -high / 2 - rng.uniform(20, 50)]])
        straw.lines(place.points(line)[None], rng.uniform(3, 6) * place.unit)
        canvas.paint(straw.patch(), bright_colour(rng, 0.0, 0.9, 0.1, 1.0))
    side = 1 if rng.random() < 0.5 else -1
    low = high * rng.uniform(0.1, 0.3)
    edge = 0.5 * wide * (1 + (taper - 1) * (low / high + 0.5))
    return Held((Grip((-side * edge, low), (side, 0.1), 4),), ((-side * 0.9 * edge, low + 10),))


def bottle(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """A bottle of glass or plastic with a label, as it is drunk from or shown."""
    wide, high = rng.uniform(30, 50), rng.uniform(90, 130)
    neck, long = rng.uniform(0.3, 0.5) * wide, rng.uniform(28, 52)
    top = -high / 2 - long
    half = wide / 2
    right = [(neck / 2, top), (neck / 2, top + 0.6 * long), (half, -high / 2 + 14)]
    right += [(half, high / 2 - 4), (half - 4, high / 2)]
    form = np.array(right + [(-x, y) for x, y in reversed(right)])
    body = outlined(canvas.size, place.points(form), margin=3)
    x, y = place.local(body)
    colour = fabric.dye(rng) if rng.random() < 0.5 else _bottle_glass(rng)
    across = np.clip(x / np.float32(half), -1, 1)
    shade = tube(rng, across, 0.9)
    shade = shade * (0.9 + 0.2 * value_noise(rng, canvas.size, 0.15, 2, shape=body.shape))
    piece: list[Array] = [v * shade for v in colour]
    if rng.random() < 0.75:
        low, tall = rng.uniform(-0.2, 0.15) * high, rng.uniform(0.15, 0.32) * high
        label = ramp(np.abs(y - np.float32(low)), tall + 1, tall)
        paper = bright_colour(rng, 0.0, 0.9, 0.3, 1.0)
        stripe = ramp(np.abs(y - np.float32(low)), 0.4 * tall, 0.3 * tall)
        ink = bright_colour(rng, 0.0, 0.9, 0.1, 1.0)
        matt = tube(rng, across, 0.1)
        printed = [(a + stripe * (b - a)) * matt for a, b in zip(paper, ink, strict=True)]
        piece = [a + label * (b - a) for a, b in zip(piece, printed, strict=True)]
    canvas.paint(body, [np.clip(v, 0, 255) for v in piece])
    if rng.random() < 0.5:
        lid = rounded(1.25 * neck, 12, 2) + offset(0, top + 3)
        canvas.paint(
            outlined(canvas.size, place.points(lid)), bright_colour(rng, 0.0, 0.9, 0.1, 1.0)
        )
    side = 1 if rng.random() < 0.5 else -1
    low = high * rng.uniform(-0.05, 0.2)
    return Held((Grip((-side * half, low), (side, 0.1), 4),), ((-side * half, low + 10),))


def _bottle_glass(rng: np.random.Generator) -> Array:
    """Green, brown, or clear with what is in it."""
    colours = ((40, 70, 30), (82, 44, 18), (190, 205, 210), (20, 24, 22), (120, 150, 90))
    colour = np.array(colours[int(rng.integers(len(colours)))], np.float32)
    return np.asarray(colour * np.float32(rng.uniform(0.7, 1.3)), np.float32)


def _drink(rng: np.random.Generator, y: Field, top: float, bottom: float) -> list[Array]:
    """What is in a glass, from its top down: two colours that mix, and perhaps foam."""
    one = bright_colour(rng, 0.2, 0.95, 0.15, 1.0)
    two = one * np.float32(rng.uniform(0.5, 1.3))
    if rng.random() < 0.4:
        two = bright_colour(rng, 0.1, 0.95, 0.2, 1.0)
    middle = rng.uniform(top, bottom)
    mixed = ramp(y, middle - rng.uniform(2, 30), middle + rng.uniform(2, 30))
    planes = [a + mixed * (b - a) for a, b in zip(one, two, strict=True)]
    if rng.random() < 0.35:
        foam = ramp(y, top + rng.uniform(6, 18), top + 4)
        planes = [v + foam * (w - v) for v, w in zip(planes, (246, 240, 224), strict=True)]
    return [np.asarray(v, np.float32) for v in planes]


def _stem(
    rng: np.random.Generator, canvas: Canvas, place: Place, wide: float, high: float, long: float
) -> None:
    thick, foot = rng.uniform(2.5, 5), rng.uniform(0.3, 0.42) * wide
    down = high / 2 + long
    rod = np.array([[-thick, high / 2 - 6], [thick, high / 2 - 6], [thick, down], [-thick, down]])
    pale = np.full(3, rng.uniform(150, 230), np.float32)
    for part in (rod, ring(foot, 0.25 * foot) + offset(0, down)):
        piece = outlined(canvas.size, place.points(part))
        x, _ = place.local(piece)
        shade = tube(rng, x / np.float32(max(foot, thick)), 0.3)
        canvas.paint(piece, [v * shade for v in pale], rng.uniform(0.6, 0.95))


def _on_the_rim(rng: np.random.Generator, canvas: Canvas, place: Place, at: Array) -> None:
    """A slice of fruit, or a cherry."""
    r = rng.uniform(9, 19)
    colour = bright_colour(rng, 0.5, 1.0, 0.6, 1.0)
    piece = outlined(canvas.size, place.points(ring(r, r * rng.uniform(0.4, 1.0)) + at))
    x, y = place.local(piece)
    x, y = x - np.float32(at[0]), y - np.float32(at[1])
    light = 0.6 + 0.45 * dome(x, y, 1.1 * r)
    if rng.random() < 0.6:  # the slice's pale rind, and its segments
        away = np.hypot(x, y) / np.float32(r)
        light = 0.85 + 0.35 * ramp(away, 0.72, 0.8) - 0.3 * ramp(away, 0.88, 0.96)
        light = light + 0.12 * np.cos(8 * np.arctan2(y, x))
    canvas.paint(piece, [np.clip(v * light, 0, 255) for v in colour])
