"""Drawn faces: what the tests use in place of photographs of people."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import cv2
import numpy as np

from unveil.files import encode
from unveil.imaging import FACE_SIZE, Photo, resize
from unveil.occlusion.objects.drawing import Pose, to_pixels
from unveil.occlusion.objects.head import Turned
from unveil.occlusion.seeded import Seeded

SKINS = ((246, 214, 190), (230, 190, 158), (206, 158, 120), (160, 112, 80), (104, 70, 50))
HAIRS = ((32, 24, 20), (72, 48, 30), (130, 86, 48), (196, 160, 96), (150, 150, 150))
IRISES = ((70, 44, 24), (60, 90, 60), (70, 100, 140))


def rng(seed: int = 0) -> np.random.Generator:
    """What occluders are drawn with."""
    return np.random.Generator(np.random.PCG64(seed))


def straight(size: int) -> Pose:
    """The pose of a head that looks straight, where the canonical frame has it."""
    return Pose(size, to_pixels(size), Turned(0.0), (0, 0, size, size))


def draw_face(seed: int = 0, size: int = FACE_SIZE) -> Photo:
    """A plain face in the canonical frame, (size, size, 3) uint8 RGB; each seed a face of its own.

    Eyes, nose and mouth lie where CelebA's aligned faces have them, so that models and detectors
    see something like a face. The same seed gives the same face.
    """
    rng = Seeded(seed, 77)

    def around(middle: int, spread: int) -> int:
        return middle + rng.integer(-spread, spread)

    def tint(colour: tuple[int, ...], change: float) -> tuple[int, ...]:
        return tuple(min(255, int(v * change)) for v in colour)

    skin, hair = SKINS[rng.integer(0, 4)], HAIRS[rng.integer(0, 4)]
    iris, back = IRISES[rng.integer(0, 2)], (around(150, 80), around(150, 80), around(150, 80))
    half, smile, fringe = around(68, 6), around(8, 6), around(14, 10)

    # A gradient behind, then from the back to the front, in the 256x256 frame.
    slope = np.linspace(0.75, 1.15, FACE_SIZE)[:, None, None]
    face = np.clip(np.broadcast_to(np.array(back) * slope, (FACE_SIZE, FACE_SIZE, 3)), 0, 255)
    face = np.ascontiguousarray(face, dtype=np.uint8)

    def blob(x: int, y: int, a: int, b: int, colour: tuple[int, ...], *arc: int) -> None:
        start, end = arc or (0, 360)
        cv2.ellipse(face, (x, y), (a, b), 0, start, end, colour, -1, cv2.LINE_AA)

    def curve(x: int, y: int, a: int, b: int, colour: tuple[int, ...], thick: int) -> None:
        cv2.ellipse(face, (x, y), (a, b), 0, 20, 160, colour, thick, cv2.LINE_AA)

    blob(127, 108, half + 16, 96, hair)
    blob(127, 268, 96, 62, tint(back[::-1], 0.6))  # shoulders
    cv2.rectangle(face, (99, 190), (155, 240), tint(skin, 0.85), -1)
    blob(127, 142, half, 90, skin)
    blob(127, 66, half - 6, 24 + fringe, hair, 180, 360)
    for x in (99, 155):
        blob(x, 164, 17, 12, tint(skin, 1.06))  # cheek
        blob(x, 132, 13, 7, (245, 245, 245))
        blob(x, 132, 6, 6, iris)
        blob(x, 132, 3, 3, (12, 12, 12))
        cv2.line(face, (x - 14, 118), (x + 14, around(116, 3)), tint(hair, 0.8), 4, cv2.LINE_AA)
    cv2.line(face, (127, 136), (122, 162), tint(skin, 0.88), 3, cv2.LINE_AA)
    curve(127, 160, 11, 6, tint(skin, 0.7), 3)
    blob(127, 190, 24, 5, (176, 76, 80))
    curve(127, 188, 22, smile, (120, 40, 48), 2)
    return resize(cv2.GaussianBlur(face, (0, 0), 0.8), size)


def write_faces(folder: Path, n: int, size: int = 32) -> list[Path]:
    """n drawn faces as 000.png ... in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:03d}.png" for i in range(n)]
    for i, path in enumerate(paths):
        path.write_bytes(encode(draw_face(i, size), "PNG"))
    return paths


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    """An uncompressed tar of these files."""
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path
