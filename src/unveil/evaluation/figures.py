"""The paper's Figures 3 and 5 to 8 for any faces, and the faces on which our model does worst.

Figure 4, the paper's first results of training, takes weights that nobody keeps; its place is taken
by the curve of the training (`plots.training_curves`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unveil.data.triplets import make_triplet, stitch
from unveil.evaluation.candidates import Candidate
from unveil.evaluation.document import Figure, Strip
from unveil.evaluation.protocols import PROTOCOLS, MaskSet
from unveil.imaging import Mask, Photo, occlude, resize
from unveil.occlusion.shapes import box_mask
from unveil.progress import track

BINS = PROTOCOLS["tables"]
SAMPLER = PROTOCOLS["paper"][2]
SIDE = 160  # pixels of a face in a figure
SMALL = 112  # of one of the ten worst
SHOWN = 6
# What the paper's Figures 7 and 8 hide, in the canonical frame.
PARTS = {
    "eyes": box_mask(64, 106, 128, 48),
    "mouth": box_mask(84, 164, 88, 56),
    "forehead": box_mask(70, 52, 116, 56),
}


def spread(faces: Photo, n: int) -> list[int]:
    """Places of n faces, evenly over the list; all where there are fewer."""
    n = min(n, len(faces))
    return [i * len(faces) // n for i in range(n)]


def paper_figures(models: Sequence[Candidate], faces: Photo) -> list[Figure]:
    """Figures 3 and 5 to 8.

    Args:
        models: ours first; the one named "paper", where there is one, is shown in Figure 5, too.
        faces: (N, 256, 256, 3) uint8; some, spread over the list, are shown.
    """
    places = spread(faces, SHOWN)
    theirs = next((model for model in models if model.name == "paper"), models[0])
    found = dict.fromkeys((theirs.name, models[0].name))
    by_name = {model.name: model for model in models}
    return [
        _preprocessing(faces, places[:3]),
        *(_results(by_name[name], faces, places) for name in found),
        _two_shares(models[0], faces, places),
        *_comparison(models, faces, places[: max(1, SHOWN // len(PARTS))]),
    ]


def _preprocessing(faces: Photo, places: Sequence[int]) -> Figure:
    strips = []
    for i, place in enumerate(places):
        clean, _, mask = SAMPLER.example(np.asarray(faces[place]), place)
        triplet = stitch(make_triplet(clean, mask))
        parts = [triplet[:, k * 256 : (k + 1) * 256] for k in range(3)]
        strips.append(Strip(f"face {i + 1}", _side_by_side(parts, SIDE)))
    return Figure(
        "figure-3",
        "Figure 3: preprocessing",
        "From left to right: C, the mask image; B, the face; A, the face behind a black rectangle "
        "of the paper's sampler.",
        tuple(strips),
    )


def _results(model: Candidate, faces: Photo, places: Sequence[int]) -> Figure:
    rows: dict[str, list[Photo]] = {"occluded": [], "restored": [], "mask found": [], "clean": []}
    for place in track(places, f"figure 5, {model.name}", len(places)):
        clean, occluded, mask = SAMPLER.example(np.asarray(faces[place]), place)
        rows["occluded"].append(occluded)
        rows["restored"].append(model.restore(occluded, mask))
        if model.find_mask:
            rows["mask found"].append(_as_photo(model.find_mask(occluded) > 0.5))
        rows["clean"].append(clean)
    return Figure(
        f"figure-5-{model.name}",
        f"Figure 5: results of {model.name}",
        "The paper's rectangles. Restored: the model's raw output.",
        _strips(rows, SIDE),
    )


def _two_shares(model: Candidate, faces: Photo, places: Sequence[int]) -> Figure:
    rows: dict[str, list[Photo]] = {"clean": [np.asarray(faces[place]) for place in places]}
    for mask_set, share in zip(BINS, ("10-15 %", "20-30 %"), strict=True):
        for place in places:
            clean, occluded, mask = mask_set.example(np.asarray(faces[place]), place)
            rows.setdefault(f"mask, {share}", []).append(_as_photo(mask))
            rows.setdefault(f"occluded, {share}", []).append(occluded)
            rows.setdefault(f"restored, {share}", []).append(_pasted(model, clean, occluded, mask))
    return Figure(
        "figure-6",
        f"Figure 6: the same faces behind less and more ({model.name})",
        "Known pixels are the input's.",
        _strips(rows, SIDE),
    )


def _comparison(
    models: Sequence[Candidate], faces: Photo, places: Sequence[int]
) -> tuple[Figure, Figure]:
    hidden = [(np.asarray(faces[place]), mask) for place in places for mask in PARTS.values()]
    occluded = [occlude(clean, mask) for clean, mask in hidden]
    restored = {
        model.name: [
            _pasted(model, clean, photo, mask)
            for (clean, mask), photo in zip(hidden, occluded, strict=True)
        ]
        for model in track(models, "figures 7 and 8", len(models))
    }
    ours = models[0].name
    others = {name: row for name, row in restored.items() if name != ours}
    about_ours = {"occluded": occluded, ours: restored[ours], "clean": [c for c, _ in hidden]}
    what = f"{', '.join(PARTS)} hidden; known pixels are the input's."
    return (
        Figure(
            "figure-7",
            "Figure 7: the other models",
            f"The same faces and places for each: {what}",
            _strips({"occluded": occluded, **others}, SIDE),
        ),
        Figure(
            "figure-8",
            f"Figure 8: {ours}",
            f"As Figure 7: {what}",
            _strips(about_ours, SIDE),
        ),
    )


def worst_figures(
    models: Sequence[Candidate], faces: Photo, mask_set: MaskSet, results: dict[str, Any]
) -> list[Figure]:
    """The faces of the largest losses of the first model against each of the others.

    Args:
        models: with the names of the results.
        faces: those of the results, in their order.
        results: of this mask set, with the places of the worst.
    """
    by_name = {model.name: model for model in models}
    figures = []
    pairs = [p for p in results["differences"] if p.get("worst") and {p["a"], p["b"]} <= {*by_name}]
    for pair in track(pairs, f"worst of {mask_set.name}", len(pairs)):
        rows: dict[str, list[Photo]] = {n: [] for n in ("occluded", pair["a"], pair["b"], "clean")}
        for case in pair["worst"]:
            place = case["place"]
            clean, occluded, mask = mask_set.example(np.asarray(faces[place]), place)
            rows["occluded"].append(occluded)
            rows["clean"].append(clean)
            for name in (pair["a"], pair["b"]):
                rows[name].append(_pasted(by_name[name], clean, occluded, mask))
        losses = ", ".join(f"{case['psnr_hidden']:.2f}" for case in pair["worst"])
        places = ", ".join(str(case["place"]) for case in pair["worst"])
        figures.append(
            Figure(
                f"worst-{mask_set.name}-{pair['b']}",
                f"{pair['a']} behind {pair['b']}: {mask_set.label}",
                f"Difference in dB, hidden part, from left to right: {losses}. Faces {places}.",
                _strips(rows, SMALL),
                folded=True,
            )
        )
    return figures


def _pasted(model: Candidate, clean: Photo, occluded: Photo, mask: Mask) -> Photo:
    return np.where(mask[..., None], model.restore(occluded, mask), clean)


def _as_photo(mask: Mask) -> Photo:
    return np.repeat((mask * np.uint8(255))[..., None], 3, axis=2)


def _strips(rows: dict[str, list[Photo]], side: int) -> tuple[Strip, ...]:
    return tuple(Strip(label, _side_by_side(row, side)) for label, row in rows.items() if row)


def _side_by_side(faces: Sequence[Photo], side: int) -> Photo:
    return np.hstack([resize(face, side) for face in faces])
