"""Things that hands hold before a face, painted in the frame of `grips.Place`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unveil.occlusion.objects import fabric
from unveil.occlusion.objects.drawing import ramp, smooth
from unveil.occlusion.objects.forms import dome, ring, rounded, tube
from unveil.occlusion.objects.grips import Grip, Held, Place
from unveil.occlusion.objects.layer import Array
from unveil.occlusion.objects.raster import Canvas, Marks, blur, offset, outlined
from unveil.occlusion.objects.textures import (
    bright_colour,
    pattern,
    value_noise,
)
from unveil.occlusion.objects.vessels import bottle, glass, mug


def phone(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """A phone's back with its lenses, or a case."""
    wide, high = rng.uniform(48, 60), rng.uniform(98, 120)
    body = outlined(canvas.size, place.points(rounded(wide, high, 7)), margin=3)
    x, y = place.local(body)
    colour = fabric.dye(rng)
    glass = 1 + np.float32(rng.uniform(0, 0.5)) * np.clip(
        (x + 0.4 * y) / np.float32(wide), -0.6, 0.8
    )
    rim = np.clip((0.9 - blur(body.alpha, 1.2 * place.unit)) * 3, 0, 1)
    planes = [v * glass * (1 - 0.35 * rim) + 40 * rim for v in colour]
    canvas.paint(body, [np.clip(plane, 0, 255) for plane in planes])
    lenses = int(rng.integers(1, 4))
    corner = np.array([-wide / 2 + 12, -high / 2 + 13])
    island = rounded(20, 22 if lenses > 1 else 18, 5) + corner
    canvas.shade(outlined(canvas.size, place.points(island)), rng.uniform(0.6, 0.9))
    for shift in ((-4.5, -5), (-4.5, 5), (4.5, 0))[:lenses]:
        eye = ring(1, 1, 20) * rng.uniform(3.4, 4.4) + corner + shift
        canvas.paint(outlined(canvas.size, place.points(eye)), (16, 16, 20))
        spark = ring(1.1, 1.1, 20) + corner + shift + (-1, -1)
        canvas.paint(outlined(canvas.size, place.points(spark)), (120, 130, 150), 0.7)
    side = 1 if rng.random() < 0.5 else -1
    low = high * rng.uniform(0.05, 0.25)
    grips = (
        Grip((side * wide / 2, low), (-side, 0), 4),
        Grip((-side * wide / 2, low), (side, -0.35), 1),
    )
    return Held(grips, ((0, high * 0.42),))


def book(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """An open book seen from its covers, or a closed one."""
    wide, high = rng.uniform(120, 190), rng.uniform(90, 140)
    lean = rng.uniform(0, 12)
    colour, mark = fabric.dye(rng), bright_colour(rng, 0.1, 0.8, 0.2, 1.0)
    left = np.array(
        [[-wide / 2, -high / 2 + lean], [0, -high / 2], [0, high / 2], [-wide / 2, high / 2 + lean]]
    )
    pages = np.concatenate([left[:2], (left * (-1, 1))[:1]]) + offset(0, -4)
    edge = np.concatenate(
        [pages, [[wide / 2 - 3, -high / 2 + lean + 6], [-wide / 2 + 3, -high / 2 + lean + 6]]]
    )
    canvas.paint(outlined(canvas.size, place.points(edge)), (228, 222, 206))
    for sign, light in ((-1, rng.uniform(0.75, 1.05)), (1, rng.uniform(0.75, 1.05))):
        cover = outlined(canvas.size, place.points(left * (-sign, 1)))
        x, _ = place.local(cover)
        shade = (
            light
            * (1 - 0.35 * np.exp(-np.abs(x) / 5))
            * fabric.threads(rng, canvas.size, cover.shape, 0.6)
        )
        canvas.paint(cover, [v * shade for v in colour])
    marks = Marks(canvas.size)
    for k in range(int(rng.integers(1, 5))):
        y, half = -high * 0.3 + 15 * k, wide * rng.uniform(0.08, 0.17)
        line = np.array([[wide * 0.25 - half, y + lean / 2], [wide * 0.25 + half, y + lean / 2]])
        marks.lines(place.points(line)[None], rng.uniform(2, 7) * place.unit)
    canvas.paint(marks.patch(), mark, 0.85)
    y = rng.uniform(0.0, 0.3) * high
    grips = (Grip((-wide / 2, y), (1, 0), 4), Grip((wide / 2, y), (-1, 0), 4))
    return Held(grips, ((-wide * 0.5, y + 22), (wide * 0.5, y + 22)))


def paper(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """A sheet of paper with or without writing, a little curled."""
    wide, high = rng.uniform(100, 150), rng.uniform(110, 170)
    t = np.linspace(-1, 1, 9)
    curl = rng.uniform(-9, 9)
    top = np.stack([t * wide / 2, -high / 2 + curl * t * t], axis=1)
    low = np.stack([-t * wide / 2, high / 2 + curl * t * t], axis=1)
    sheet = outlined(canvas.size, place.points(np.concatenate([top, low])))
    x, _ = place.local(sheet)
    white = np.array((244, 243, 238), np.float32) * rng.uniform(0.85, 1.02)
    bend = 1 - np.float32(rng.uniform(0, 0.25)) * (
        x / np.float32(wide) - np.float32(rng.uniform(-0.4, 0.4))
    )
    bend += np.float32(0.03) * value_noise(rng, canvas.size, 0.2, 2, shape=sheet.shape)
    canvas.paint(sheet, [np.clip(v * bend, 0, 255) for v in white])
    if rng.random() < 0.7:
        marks = Marks(canvas.size)
        step = rng.uniform(5, 11)
        for y in np.arange(-high / 2 + 14, high / 2 - 10, step):
            end = wide * (0.42 if rng.random() < 0.8 else rng.uniform(-0.2, 0.4))
            line = np.stack([np.linspace(-wide * 0.42, end, 9), np.full(9, y)], axis=1)
            line[:, 1] += curl * (line[:, 0] / (wide / 2)) ** 2
            marks.lines(place.points(line)[None], max(0.6, 0.15 * step * place.unit), 0.8)
        canvas.paint(marks.patch(rng.uniform(0.3, 0.7)), (40, 40, 46))
    grips = (Grip((-wide / 2, high * 0.2), (1, 0.1), 1), Grip((wide / 2, high * 0.2), (-1, 0.1), 1))
    under = high * 0.2 + 14
    return Held(grips, ((-wide / 2 - 12, under), (wide / 2 + 12, under)))


def microphone(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """A microphone with a round mesh, its handle in a fist."""
    r, shaft = rng.uniform(17, 25), rng.uniform(8, 12)
    grey = rng.uniform(14, 60)
    handle = np.array([[-shaft, 0], [shaft, 0], [shaft * 0.75, 130], [-shaft * 0.75, 130]])
    bar = outlined(canvas.size, place.points(handle))
    x, _ = place.local(bar)
    shade = tube(rng, x / np.float32(shaft))
    canvas.paint(bar, [grey * shade * v for v in (1.0, 1.0, 1.06)])
    mesh_ball = ring(r, r * rng.uniform(1.0, 1.2)) - offset(0, r * 0.7)
    head = outlined(canvas.size, place.points(mesh_ball))
    x, y = place.local(head)
    round_ = dome(x, y + np.float32(0.7 * r), 1.14 * r)
    mesh = pattern(rng, canvas.size, "weave", 0.02, 45, shape=head.shape)
    bright = rng.uniform(40, 170)
    light = (0.25 + 0.85 * round_ - 0.2 * y / np.float32(r) * 0.5) * (0.55 + 0.6 * mesh)
    canvas.paint(head, [np.clip(bright * light, 0, 255)] * 3)
    belt = outlined(canvas.size, place.points(rounded(2.1 * shaft, 6, 2) + offset(0, r * 0.3)))
    canvas.paint(belt, [grey * 1.6 + 20] * 3)
    side = 1 if rng.random() < 0.5 else -1
    return Held(
        (Grip((side * shaft, r * 0.6 + 32), (-side, -0.1), 4),), ((side * shaft * 0.5, r + 45),)
    )


def ice_cream(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """One to three scoops on a waffle cone."""
    r = rng.uniform(20, 28)
    cone = outlined(
        canvas.size, place.points(np.array([[-r * 0.85, 0], [r * 0.85, 0], [4, 92], [-4, 92]]))
    )
    x, y = place.local(cone)
    waffle = pattern(rng, canvas.size, "checks", 0.045, 45, shape=cone.shape)
    shade = (0.75 + 0.35 * waffle) * tube(
        rng, np.asarray(x / np.maximum(r * (1 - y / 100), 3), np.float32)
    )
    canvas.paint(cone, [v * shade for v in (205, 148, 86)])
    for k in range(int(rng.integers(1, 4))):
        t = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        wobble = r * (1 + rng.uniform(-0.06, 0.06, 14))
        form = np.stack(
            [np.cos(t) * wobble, np.sin(t) * wobble * 0.9 - r * (0.45 + 1.15 * k)], axis=1
        )
        scoop = outlined(canvas.size, place.points(smooth(form)))
        x, y = place.local(scoop)
        up = y + r * (0.45 + 1.15 * k)
        shade = 0.55 + 0.5 * np.maximum(dome(x, up, 1.1 * r), 0.22) - 0.12 * up / np.float32(r)
        shade += np.float32(0.08) * value_noise(rng, canvas.size, 0.03, 2, shape=scoop.shape)
        canvas.paint(scoop, [v * shade for v in bright_colour(rng, 0.1, 0.6, 0.6, 1.0)])
    side = 1 if rng.random() < 0.5 else -1
    return Held((Grip((side * r * 0.5, 40), (-side, 0.05), 4),), ((side * r * 0.3, 55),))


def flowers(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """One large flower or a bunch of small ones, with leaves."""
    many = rng.random() < 0.6
    marks = Marks(canvas.size)
    for _ in range(int(rng.integers(3, 9))):
        stem = np.array(
            [[rng.normal(0, 22), rng.uniform(-10, 30)], [rng.normal(0, 6), 60], [0, 110]]
        )
        marks.lines(place.points(smooth(stem, False))[None], rng.uniform(2, 5) * place.unit)
    canvas.paint(marks.patch(), (70 * rng.uniform(0.6, 1.2), 110, 50))
    colours = [bright_colour(rng, 0.3, 0.95, 0.5, 1.0) for _ in range(int(rng.integers(1, 3)))]
    count = int(rng.integers(7, 15)) if many else 1
    for k in range(count):
        r = rng.uniform(13, 22) if many else rng.uniform(36, 55)
        middle = rng.normal(0, (26, 20)) if many else np.zeros(2)
        _flower(rng, canvas, place, middle, r, colours[k % len(colours)])
    return Held((Grip((8, 70), (-1, 0.1), 3),), ((6, 88),))


def _flower(
    rng: np.random.Generator,
    canvas: Canvas,
    place: Place,
    middle: NDArray[Any],
    r: float,
    colour: Array,
) -> None:
    petals, deep = int(rng.integers(5, 14)), rng.uniform(0.35, 0.75)
    t = np.linspace(0, 2 * np.pi, petals * 8, endpoint=False)
    phase = rng.uniform(0, 6)
    reach = r * (1 - (1 - deep) * 0.5 * (1 - np.cos(petals * t + phase)) ** 2 / 2)
    form = np.stack([np.cos(t), np.sin(t) * rng.uniform(0.7, 1)], axis=1) * reach[:, None] + middle
    bloom = outlined(canvas.size, place.points(form))
    x, y = place.local(bloom)
    x, y = x - np.float32(middle[0]), y - np.float32(middle[1])
    away = np.hypot(x, y) / np.float32(r)
    folds = 0.5 + 0.5 * np.cos(petals * np.arctan2(y, x) + np.float32(phase))
    shade = 0.55 + 0.45 * np.clip(away, 0, 1) - 0.22 * (1 - folds) * away
    shade -= 0.12 * y / np.float32(r)
    canvas.paint(bloom, [np.clip(v * shade, 0, 255) for v in colour])
    core = ring(1, 1, 12) * r * rng.uniform(0.12, 0.3) + middle
    canvas.paint(outlined(canvas.size, place.points(core)), (190 * rng.uniform(0.4, 1.2), 140, 40))


def ball(rng: np.random.Generator, canvas: Canvas, place: Place) -> Held:
    """A ball to play with, or a round fruit."""
    r = rng.uniform(20, 58)
    form = outlined(canvas.size, place.points(ring(r, r, 40)), margin=3)
    x, y = place.local(form)
    light = np.float32(0.42) + np.float32(0.65) * dome(x, y, 1.02 * r)
    light -= np.float32(rng.uniform(0, 0.2)) * y / np.float32(r)
    light += np.float32(0.06) * value_noise(rng, canvas.size, 0.025, 2, shape=form.shape)
    kind = ("felt", "seams", "patches", "fruit")[int(rng.integers(4))]
    if kind == "felt":  # of tennis: yellow, with one pale line that waves
        colour = np.array((205, 222, 62), np.float32) * np.float32(rng.uniform(0.8, 1.1))
        bent = np.abs(np.abs(x) - (0.3 * r + 0.5 * y * y / np.float32(r)))
        mark, other = ramp(bent, 0.09 * r, 0.05 * r), np.array((238, 240, 226), np.float32)
    elif kind == "seams":
        colour = bright_colour(rng, 0.3, 0.95, 0.4, 1.0)
        bent = np.minimum(np.abs(x), np.abs(y))
        bent = np.minimum(bent, np.abs(np.abs(x) - (0.45 * r + 0.35 * y * y / np.float32(r))))
        mark, other = ramp(bent, 0.05 * r, 0.02 * r), np.full(3, 28, np.float32)
    elif kind == "patches":
        colour = np.full(3, rng.uniform(200, 250), np.float32)
        spots = pattern(rng, canvas.size, "dots", rng.uniform(0.08, 0.2), 20, shape=form.shape)
        mark, other = spots, bright_colour(rng, 0.0, 0.9, 0.05, 0.6)
    else:
        colour = bright_colour(rng, 0.5, 1.0, 0.45, 0.95)
        blush = value_noise(rng, canvas.size, 0.25, 1, shape=form.shape)
        mark, other = ramp(blush, -0.5, 0.8), bright_colour(rng, 0.4, 1.0, 0.4, 0.95)
    planes = [(a + mark * (b - a)) * light for a, b in zip(colour, other, strict=True)]
    canvas.paint(form, [np.clip(plane, 0, 255) for plane in planes])
    side = 1 if rng.random() < 0.5 else -1
    turn = rng.uniform(0.1, 1.1)  # where fingers come round: from the side or from below
    way = (float(side * np.cos(turn)), float(np.sin(turn)))
    inward = (-way[0], -way[1])
    grip = Grip((way[0] * r * 0.98, way[1] * r * 0.98), inward, int(rng.integers(3, 5)))
    return Held((grip,), ((way[0] * r, way[1] * r + 8),))


PROPS: dict[str, Callable[[np.random.Generator, Canvas, Place], Held]] = {
    "cup": mug,
    "glass": glass,
    "bottle": bottle,
    "phone": phone,
    "book": book,
    "paper": paper,
    "microphone": microphone,
    "ice cream": ice_cream,
    "flowers": flowers,
    "ball": ball,
}
