"""Draws the pictures of README and docs: from the public-domain astronaut and drawn faces only.

    python docs/make_figures.py

Needs the extra `evaluate`. Reads the shipped weights and `examples/`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import matplotlib
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from drawn import draw_face  # noqa: E402

import unveil  # noqa: E402
from unveil.files import encode, read_image, write_bytes  # noqa: E402
from unveil.imaging import Photo, occlude, resize  # noqa: E402
from unveil.occlusion.compose import compose  # noqa: E402
from unveil.occlusion.objects.choose import OBJECTS, draw, draw_named  # noqa: E402
from unveil.occlusion.objects.head import Head  # noqa: E402
from unveil.occlusion.shapes import box_mask  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

IMAGES = ROOT / "docs" / "images"
GAP = 6
# Where a rectangle of 50 to 100 pixels hides what people look at: mouth, one eye, both, cheek.
BOXES = ((84, 160, 100, 70), (60, 96, 70, 60), (70, 100, 100, 55), (120, 120, 80, 90))


def strip(faces: list[Photo]) -> Photo:
    """Faces side by side on white."""
    gap = np.full((faces[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for face in faces for part in (face, gap)]
    return np.hstack(parts[:-1])


def stack(rows: list[Photo]) -> Photo:
    gap = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    return np.vstack([part for row in rows for part in (row, gap)][:-1])


def save(name: str, picture: Photo) -> None:
    write_bytes(IMAGES / name, encode(picture, "PNG"))
    print(f"docs/images/{name}")


def worn(name: str, face: Photo, seed: int) -> Photo:
    """The face behind a drawn occluder of a family."""
    rng = np.random.Generator(np.random.PCG64([2026, seed]))
    return compose(face, draw_named(name, rng, Head.of(face)), rng)[0]


def readme_picture() -> None:
    """Occluders; below, what is restored without being told where; last, the clean face."""
    clean = read_image(ROOT / "examples" / "astronaut.png").photo
    occluded = [
        read_image(ROOT / "examples" / "astronaut_occluded.png").photo,
        worn("medical mask", clean, 1),
        worn("sunglasses", clean, 3),
    ]
    restored = [unveil.restore(face, aligned=True).photo for face in occluded]
    white = np.full_like(clean, 255)
    save("astronaut.png", stack([strip([*occluded, clean]), strip([*restored, white])]))


def lite_picture() -> None:
    """Occluded; detail 0, 0.5 and 1; confidence; and three samples."""
    clean = read_image(ROOT / "examples" / "astronaut.png").photo
    occluded = worn("medical mask", clean, 1)
    restorer = unveil.Restorer()
    results = [restorer.restore(occluded, aligned=True, detail=d) for d in (0.0, 0.5, 1.0)]
    sure = plt.get_cmap("viridis")(results[0].confidence)[..., :3] * 255
    drawn = [each.photo for each in restorer.sample(occluded, 3, aligned=True)]
    first = strip([occluded, *(each.photo for each in results)])
    second = strip([np.rint(sure).astype(np.uint8), *drawn])
    save("lite.png", stack([first, second]))


def sample_grid() -> None:
    """As the paper's Figure 5: occluded, restored, mask found, clean."""
    astronaut = read_image(ROOT / "examples" / "astronaut.png").photo
    faces = [astronaut, astronaut, draw_face(2), draw_face(5)]
    restorer = unveil.Restorer("paper")
    rows: list[list[Photo]] = [[], [], [], []]
    for clean, box in zip(faces, BOXES, strict=True):
        occluded = occlude(clean, box_mask(*box))
        out = restorer.restore(occluded, aligned=True)
        found = np.repeat((out.invented * np.uint8(255))[..., None], 3, axis=2)
        for row, picture in zip(rows, (occluded, out.photo, found, clean), strict=True):
            row.append(picture)
    save("samples.png", stack([strip(row) for row in rows]))


def object_sheet() -> None:
    """64 faces behind realistic occluders, every family at least once."""
    astronaut = read_image(ROOT / "examples" / "astronaut.png").photo
    names = sorted(OBJECTS)
    pictures = []
    for i in range(64):
        # Each drawn in full and then made smaller, as in use; every other face is the photograph.
        face = astronaut if (i + i // 8) % 2 == 0 else draw_face(i)
        rng = np.random.Generator(np.random.PCG64([2025, i]))
        head = Head.of(face)
        layer = draw_named(names[i], rng, head) if i < len(names) else draw(rng, head)
        pictures.append(resize(compose(face, layer, rng)[0], 128))
    save("objects.png", stack([strip(pictures[k : k + 8]) for k in range(0, 64, 8)]))


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    readme_picture()
    lite_picture()
    sample_grid()
    object_sheet()
