"""From scores of faces to means, intervals, differences between models, and the worst faces."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from unveil.evaluation.intervals import People, estimate, jackknife, paired
from unveil.evaluation.protocols import MaskSet
from unveil.evaluation.scores import Part

# Differences between models are taken where the choice of raw or pasted cannot decide them.
COMPARED = (
    "psnr_pasted",
    "psnr_hidden",
    "ssim_pasted",
    "ssim_hidden_pasted",
    "l1_pasted",
    "l1_hidden",
    "perceptual_pasted",
    "perceptual_hidden_pasted",
)
COMPARED_SETS = ("frechet_pasted", "frechet_hidden_pasted")
WORST = 10
WORST_BY = "psnr_hidden"


def summarise(
    mask_set: MaskSet, parts: dict[str, Part], n: int, people: People | None = None
) -> dict[str, Any]:
    """Results of one set.

    Args:
        parts: by the model's label; the first is compared with each of the others.
        n: faces.
        people: (n,) who is on each, the units of the intervals; None: faces are.
    """
    first, *others = parts
    return {
        "label": mask_set.label,
        "masks_sha256": mask_set.sha256(range(n)),
        "coverage": asdict(estimate(parts[first].columns["coverage"], people)),
        "published": [asdict(each) for each in mask_set.published],
        "models": {label: _of_model(part, people) for label, part in parts.items()},
        "differences": [
            {"a": first, "b": other}
            | _differences(parts[first], parts[other], people)
            | {"worst": _worst(parts[first], parts[other])}
            for other in others
        ],
    }


def _of_model(part: Part, people: People | None) -> dict[str, Any]:
    means = {
        name: asdict(estimate(values, people))
        for name, values in part.columns.items()
        if name != "coverage" and None not in values
    }
    return means | {name: asdict(jackknife(d)) for name, d in part.distances.items()}


def _differences(a: Part, b: Part, people: People | None) -> dict[str, Any]:
    """How much larger each measure is for `a` than for `b`, on the same faces."""
    of_faces = {
        name: asdict(paired(a.columns[name], b.columns[name], people))
        for name in COMPARED
        if None not in a.columns[name]
    }
    return of_faces | {
        name: asdict(jackknife(a.distances[name] - b.distances[name]))
        for name in COMPARED_SETS
        if name in a.distances
    }


def _worst(a: Part, b: Part) -> list[dict[str, Any]]:
    """The faces on which `a` falls behind `b` by most, the worst first; gains are no losses."""
    behind = np.subtract(a.columns[WORST_BY], b.columns[WORST_BY])
    places = np.argsort(behind, kind="stable")[:WORST]
    return [
        {
            "place": int(place),
            WORST_BY: round(float(behind[place]), 4),
            "a": round(float(a.columns[WORST_BY][place]), 4),
            "b": round(float(b.columns[WORST_BY][place]), 4),
        }
        for place in places
        if behind[place] < 0
    ]
