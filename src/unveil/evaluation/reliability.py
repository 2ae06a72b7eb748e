"""Is the stated error the real one? Expected against measured errors of the invented pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unveil import __version__
from unveil.evaluation.document import Table
from unveil.evaluation.protocols import SEED, MaskSet
from unveil.files import atomic_path
from unveil.imaging import Mask, Photo, resize
from unveil.models.prior import FacePrior
from unveil.models.prior_fit import squared_error
from unveil.progress import track

BINS = 10


def measure(
    prior: FacePrior,
    fill: Callable[[Photo, Mask], Photo],
    faces: Photo,
    mask_set: MaskSet,
    *,
    name: str,
    data: str,
) -> dict[str, Any]:
    """Results of one model, `reliability.json`.

    All wholly hidden cells of the prior's grid, over all faces, are sorted by their expected error
    into ten bins of equal size; in each, the root of the mean squared error is compared with the
    root of the mean expected one.

    Args:
        prior: with the calibration of the model.
        fill: (occluded face, mask) -> (256, 256, 3) uint8, the model's result.
        faces: (N, 256, 256, 3) uint8, which neither training nor calibration saw.
        name, data: of the model and of the faces, for the results.
    """
    expected, found, sure = [], [], []
    for place, face in enumerate(track(list(faces), "comparing errors", len(faces))):
        clean, occluded, mask = mask_set.example(np.ascontiguousarray(face), place)
        known = prior.look(occluded, mask)
        if known is None:
            continue
        opinions = prior.ask(known)
        cells = resize(mask.astype(np.float32), prior.size) == 1
        expected.append(np.square(prior.expected_error(opinions))[cells])
        found.append(squared_error(fill(occluded, mask), clean, prior.size)[cells])
        sure.append(prior.confidence(opinions)[cells])
    stated, real = np.concatenate(expected), np.concatenate(found)
    confidence = np.concatenate(sure)
    order = np.array_split(np.argsort(stated, kind="stable"), BINS)
    rows = [
        {
            "stated": _root(stated[part]),
            "measured": _root(real[part]),
            "confidence": round(float(confidence[part].mean()), 4),
        }
        for part in order
    ]
    return {
        "protocol": "reliability",
        "unveil": __version__,
        "seed": SEED,
        "model": name,
        "data": {"name": data, "faces": len(faces)},
        "masks": mask_set.name,
        "calibration": list(prior.calibration),
        "units": "root of mean squared error of a channel, in steps of 0..255",
        "all": {"stated": _root(stated), "measured": _root(real)},
        "bins": rows,
        "worst_ratio": max(abs(row["measured"] / row["stated"] - 1) for row in rows),
    }


def _root(values: NDArray[np.floating]) -> float:
    return round(float(np.sqrt(values.mean(dtype=np.float64))), 4)


def plot(results: dict[str, Any], path: Path) -> None:
    """Stated against measured error, as PNG; its description has the numbers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.4), dpi=130, layout="constrained")
    axes = figure.add_subplot()
    stated = [row["stated"] for row in results["bins"]]
    measured = [row["measured"] for row in results["bins"]]
    limit = 1.08 * max(stated + measured)
    line = np.array([0, limit])
    axes.fill_between(line, 0.9 * line, 1.1 * line, color="0.9", label="within 10 %")
    axes.plot(line, line, color="0.6", linewidth=1)
    axes.plot(stated, measured, "o-", label=results["model"])
    axes.set(
        xlim=(0, limit),
        ylim=(0, limit),
        xlabel="stated error (0..255)",
        ylabel="measured error (0..255)",
    )
    axes.legend(frameon=False)
    with atomic_path(path) as partial:
        numbers = {"Description": tables(results)[0].markdown()}
        figure.savefig(partial, format="png", metadata=numbers)


def lead(results: dict[str, Any]) -> str:
    """What the table is of."""
    data = results["data"]
    return (
        f"{data['faces']:,} faces ({data['name']}), {results['masks']}, model {results['model']}; "
        "errors in steps of 0..255, ten bins of equal size."
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """The bins."""
    rows = tuple(
        (f"{row['stated']:.1f}", f"{row['measured']:.1f}", f"{row['confidence']:.2f}")
        for row in results["bins"]
    )
    return [Table("", ("stated error", "measured error", "confidence"), rows)]
