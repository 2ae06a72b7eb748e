"""Where decibels are lost between an aligned face and a photograph of which nothing is known.

Photos of unoccluded faces get an occluder, laid into the photo along the alignment of the clean
face. Then the same hidden pixels are restored with less and less said, and scored in the photo's
own frame: what each step costs is told apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np

from unveil import __version__
from unveil.errors import DataError
from unveil.evaluation.document import Table
from unveil.evaluation.intervals import OF_FACES, Estimate, estimate, paired
from unveil.evaluation.metrics import psnr
from unveil.evaluation.protocols import RECOGNITION, SEED, MaskSet
from unveil.faces.align import Array, cut, fit, seen_from_side
from unveil.faces.detect import Detection
from unveil.faces.given import cut_known
from unveil.faces.paste import Patch, paste
from unveil.imaging import Mask, Photo
from unveil.progress import track
from unveil.restorer import Restorer
from unveil.types import Face, Restoration

# From all that is known to nothing; the difference of two neighbours is what a step costs.
STAGES = {
    "told": "alignment and mask told",
    "blended": "and the photo's grain",
    "aligned": "face found, mask told",
    "blind": "nothing told",
}
COSTS = {
    "blended": "blending",
    "aligned": "detection and alignment",
    "blind": "segmentation",
}


@dataclass(frozen=True)
class Occluded:
    """A photo with an occluder in it, and the truth.

    Attributes:
        clean, photo: (H, W, 3) uint8 RGB, without and with the occluder.
        hidden: (H, W) bool.
        matrix: (2, 3), from the photo to the canonical frame, as found on the clean photo.
    """

    clean: Photo
    photo: Photo
    hidden: Mask
    matrix: Array


def hide(clean: Photo, face: Detection, kind: MaskSet, index: int) -> Occluded:
    """Lay an occluder of `kind` over a face; `index` decides how it is drawn."""
    matrix = fit(face.points)
    _, occluded, mask = kind.example(cut(clean, matrix), index)
    photo, hidden = paste(clean, [Patch(matrix, occluded, mask)], still=False)
    return Occluded(clean, photo, hidden, matrix)


def stages(restorer: Restorer, case: Occluded) -> dict[str, float] | None:
    """PSNR (dB) of the hidden part at each of `STAGES`; None if the face is not found."""
    told = restorer.restore(case.photo, case.hidden)
    blind = restorer.restore(case.photo)
    if not (_shows(told, case) and _shows(blind, case)):
        return None
    crop, mask = cut_known(case.photo, case.hidden, case.matrix)
    patch = Patch(case.matrix, restorer.model.fill(crop[None], mask[None])[0], mask)
    plain, still = (paste(case.photo, [patch], case.hidden, s)[0] for s in (False, True))
    photos = (plain, still, told.photo, blind.photo)
    return {
        name: psnr(case.clean[case.hidden], photo[case.hidden])
        for name, photo in zip(STAGES, photos, strict=True)
    }


def _shows(restoration: Restoration, case: Occluded) -> bool:
    """Whether one of the faces is the occluded one: their frames lie over each other."""
    middle = np.array([128.0, 128.0])

    def near(face: Face) -> bool:
        x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
        there = case.matrix[:, :2] @ (x, y) + case.matrix[:, 2]
        return bool(np.hypot(*(there - middle)) < 64)

    return any(map(near, restoration.faces))


def measure(
    restorer: Restorer,
    photos: Iterable[Photo],
    count: int,
    *,
    name: str,
    data: str,
    left_out: int = 0,
) -> dict[str, Any]:
    """Results of a model on whole photos, `photos.json`.

    Args:
        photos: `count` of them, (H, W, 3) uint8 RGB, whose faces nothing hides, taken one after the
            other; the largest face of each takes part, but for those seen from the side, which are
            left alone by design.
        name, data: of the model and of the photos, for the results.
        left_out: how many photos of these data do not take part, for the results.

    Raises:
        DataError: fewer than two photos have a face: there is no interval.
    """
    faces: list[dict[str, dict[str, float]]] = []  # of each, by kind, where it was found
    for place, photo in enumerate(track(photos, "restoring photos", count)):
        seen = restorer.detector.find(photo, restorer.min_size)
        largest = max(seen, key=lambda face: face.size, default=None)
        if largest is None or seen_from_side(largest.points):
            continue
        scores = {k.name: stages(restorer, hide(photo, largest, k, place)) for k in RECOGNITION}
        faces.append({kind: found for kind, found in scores.items() if found is not None})
    if len(faces) < 2:
        raise DataError(
            f"{data}: intervals take two faces at least, and {len(faces)} of {count} photos "
            "show one that is not turned aside"
        )
    return {
        "protocol": "photos",
        "unveil": __version__,
        "seed": SEED,
        "model": name,
        "data": {"name": data, "photos": count, "left_out": left_out, "faces": len(faces)},
        "interval": OF_FACES,
        "kinds": {
            kind.name: {
                "label": kind.label,
                "asked": len(faces),
                **_summary([face[kind.name] for face in faces if kind.name in face]),
            }
            for kind in RECOGNITION
        },
        # Four occluders on one face are no four faces: of each its mean over those behind which it
        # was found.
        "all": {
            "label": "all, each face's mean",
            "asked": len(faces),
            **_summary([_mean(face) for face in faces if face]),
        },
    }


def _mean(face: dict[str, dict[str, float]]) -> dict[str, float]:
    """Of one face, over the kinds behind which it was found."""
    return {stage: fmean(scores[stage] for scores in face.values()) for stage in STAGES}


def _summary(scores: list[dict[str, float]]) -> dict[str, Any]:
    """Means over the faces that were found, and what each step costs, face by face."""
    if len(scores) < 2:  # and one alone has no interval
        return {"found": len(scores)}
    columns = {stage: [each[stage] for each in scores] for stage in STAGES}
    before = dict(zip(list(STAGES)[1:], STAGES, strict=False))
    costs = {stage: paired(columns[stage], columns[before[stage]]) for stage in COSTS}
    costs["all"] = paired(columns["blind"], columns["told"])
    return {
        "found": len(scores),
        "psnr_hidden": {stage: asdict(estimate(values)) for stage, values in columns.items()},
        "change": {name: asdict(value) for name, value in costs.items()},
    }


def lead(results: dict[str, Any]) -> str:
    """What the table is of."""
    data = results["data"]
    left_out = data.get("left_out")  # results of before do not say
    named = f"{data['name']}, {left_out} left out" if left_out else data["name"]
    return (
        f"{data['faces']} faces of {data['photos']} photos ({named}), model "
        f"{results['model']}; PSNR of the hidden part in dB in the photo's own frame, mean and "
        "95 % interval over the faces that were found."
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """PSNR by stage, and what each step costs."""
    rows = [*results["kinds"].values(), results["all"]]
    shown = [row for row in rows if row["found"] > 1]
    psnrs = tuple(
        (
            row["label"],
            f"{row['found']} of {row['asked']}",
            *(f"{row['psnr_hidden'][stage]['mean']:.2f}" for stage in STAGES),
        )
        for row in shown
    )
    costs = tuple(
        (row["label"], *(_interval(Estimate(**row["change"][name])) for name in (*COSTS, "all")))
        for row in shown
    )
    return [
        Table("", ("hidden by", "faces found", *STAGES.values()), psnrs),
        Table("", ("what it costs, dB", *COSTS.values(), "all of it"), costs),
    ]


def _interval(value: Estimate) -> str:
    return f"{value.mean:+.2f} ({value.low:+.2f} to {value.high:+.2f})"
