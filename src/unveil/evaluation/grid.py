"""A picture for the eyes: some faces, occluded, restored by each model, and clean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from unveil.evaluation.candidates import Candidate
from unveil.evaluation.figures import spread
from unveil.evaluation.protocols import MaskSet
from unveil.files import encode, write_bytes
from unveil.imaging import Photo

TITLE_HEIGHT = 20


def draw_grid(
    models: Sequence[Candidate],
    faces: Photo,
    mask_set: MaskSet,
    n: int,
    places: Sequence[int] | None = None,
) -> Photo:
    """n faces, spread evenly over the list, x (occluded, each model pasted, clean), with titles.

    Args:
        faces: (N, S, S, 3) uint8 RGB, the whole test list, as in `benchmark.evaluate`.
        places: (N,) which decide the masks of faces that are hidden as in `identity`; the models
            are its treatments, whose own output is shown: what they filled by mistake is in it.

    Returns:
        (20 + n S, (2 + models) S, 3) uint8 RGB.
    """
    rows = [np.hstack(_row(models, faces[i], mask_set, i, places)) for i in spread(faces, n)]
    titles = ["occluded", *(model.name for model in models), "clean"]
    side = faces.shape[1]
    header = Image.new("RGB", (side * len(titles), TITLE_HEIGHT), "white")
    for i, title in enumerate(titles):
        ImageDraw.Draw(header).text((i * side + 6, 4), title, fill="black")
    return np.concatenate([np.asarray(header, dtype=np.uint8), *rows], axis=0)


def _row(
    models: Sequence[Candidate],
    face: Photo,
    mask_set: MaskSet,
    i: int,
    places: Sequence[int] | None,
) -> list[Photo]:
    clean, occluded, mask = mask_set.example(face, i if places is None else places[i])
    outputs = [model.restore(occluded, mask) for model in models]
    if places is None:
        outputs = [np.where(mask[..., None], output, clean) for output in outputs]
    return [occluded, *outputs, np.asarray(clean)]


def write_grid(
    path: Path,
    models: Sequence[Candidate],
    faces: Photo,
    mask_set: MaskSet,
    n: int,
    places: Sequence[int] | None = None,
) -> None:
    """Write `draw_grid` as PNG.

    Raises:
        ImageError: the path cannot be written.
    """
    write_bytes(path, encode(draw_grid(models, faces, mask_set, n, places), "PNG"))
