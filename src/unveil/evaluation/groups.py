"""For whom does it work less well? The scores of a protocol, by skin tone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unveil.data.faces import FaceSet
from unveil.evaluation.candidates import Spec
from unveil.evaluation.document import Table
from unveil.evaluation.measures import MEASURES
from unveil.evaluation.metrics import INTERVAL, estimate
from unveil.evaluation.protocols import MaskSet
from unveil.evaluation.scores import SCORES
from unveil.evaluation.skin_tone import CLASSES, NO_COLOUR, SkinTone, measure

PROTOCOL = "groups"
ORDER = (*(name for name, _ in CLASSES), NO_COLOUR)
FEW = 30  # faces; a group of fewer says little
NOT_SCORES = ("coverage",)
SHOWN = ("psnr_pasted", "psnr_hidden", "ssim_hidden_pasted", "perceptual_pasted", "mask_iou")


def by_group(
    columns: Mapping[tuple[str, str], Mapping[str, Sequence[Any]]],
    specs: Sequence[Spec],
    sets: Sequence[MaskSet],
    faces: FaceSet,
    *,
    data: str,
) -> dict[str, Any]:
    """Results, `groups.json`.

    Args:
        columns: of `benchmark.measure_columns`: one value a face.
        specs, sets, faces: what those were measured with.
        data: what the faces are called in the results.
    """
    tones = [measure(np.ascontiguousarray(face)) for face in faces.faces]
    groups = np.array([tone.group for tone in tones])
    count = {name: int((groups == name).sum()) for name in ORDER}
    largest = max(count, key=lambda name: count[name])
    return {
        "protocol": PROTOCOL,
        "data": {"name": data, "faces": len(faces)},
        "interval": INTERVAL + "; differences: Welch",
        "skin_tone": "individual typology angle of the cheeks of the clean photo, Chardon et al. "
        "(1991), sRGB, D65, in the light the photo was taken in",
        "angle": _angles(tones),
        "classes": dict(CLASSES),
        "faces": count,
        "largest": largest,
        "models": {spec.label: {"sha256": dict(spec.sha256)} for spec in specs},
        "sets": {
            s.name: {
                "label": s.label,
                "models": {
                    spec.label: _of_model(columns[s.name, spec.label], groups, largest)
                    for spec in specs
                },
            }
            for s in sets
        },
    }


def _angles(tones: Sequence[SkinTone]) -> dict[str, float]:
    """How the angles lie, and how far the two cheeks of one face differ."""
    angles = [tone.angle for tone in tones if tone.angle is not None]
    apart = [abs(tone.cheeks[0] - tone.cheeks[1]) for tone in tones if tone.cheeks is not None]
    if not angles:
        return {}
    quartiles = dict(
        zip(("low", "median", "high"), np.percentile(angles, [25, 50, 75]), strict=True)
    )
    rounded = {name: round(float(value), 2) for name, value in quartiles.items()}
    return rounded | {"cheeks_apart": round(float(np.median(apart)), 2)}


def _of_model(
    scores: Mapping[str, Sequence[Any]], groups: NDArray[np.str_], largest: str
) -> dict[str, Any]:
    """Group -> every score, and its difference from the largest group's."""
    names = [n for n in SCORES if n not in NOT_SCORES and None not in scores[n]]
    summary: dict[str, Any] = {}
    for group in ORDER:
        members = groups == group
        if members.sum() < 2:  # no interval
            continue
        summary[group] = {name: asdict(estimate(np.array(scores[name])[members])) for name in names}
        summary[group]["difference"] = {
            name: _difference(np.array(scores[name]), members, groups == largest) for name in names
        }
    return summary


def _difference(
    values: NDArray[np.float64], ours: NDArray[np.bool_], theirs: NDArray[np.bool_]
) -> dict[str, float]:
    """Mean of ours minus mean of theirs, with its 95 % interval (Welch's standard error)."""
    mean = float(values[ours].mean() - values[theirs].mean())
    error = np.sqrt(sum(values[m].var(ddof=1) / m.sum() for m in (ours, theirs)))
    half = 0.0 if (ours == theirs).all() else 1.96 * float(error)
    return {"mean": mean, "low": mean - half, "high": mean + half}


def lead(results: dict[str, Any]) -> str:
    """What the tables are of, and how far the groups can be trusted."""
    data, angle = results["data"], results["angle"]
    missing = [name for name in ORDER if not results["faces"][name]]
    none = f" No face at all: {', '.join(missing)}." if missing else ""
    return (
        f"{data['faces']:,} faces ({data['name']}), model {next(iter(results['models']))}; mean, "
        f"and in brackets the difference from the largest group ({results['largest']}) with its "
        f"95 % interval. The middle half of the angles lies between {angle['low']:.0f}° and "
        f"{angle['high']:.0f}°; the two cheeks of one face differ by {angle['cheeks_apart']:.0f}° "
        f"in the median, so light decides as well as skin. A group of under {FEW} faces is marked: "
        f"it says little.{none}"
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """A table for each mask set, of the first model."""
    model = next(iter(results["models"]))
    label = {name: f"{name} (over {least:g}°)" for name, least in results["classes"].items()}
    found = []
    for of_set in results["sets"].values():
        groups = of_set["models"][model]
        shown = [m for m in SHOWN if all(m in scores for scores in groups.values())]
        rows = []
        for name, scores in groups.items():
            faces = results["faces"][name]
            count = f"{faces} (few)" if faces < FEW else f"{faces}"
            rows.append((label.get(name, name), count, *(_cell(scores, m) for m in shown)))
        header = ("skin tone", "faces", *(MEASURES[m].label for m in shown))
        found.append(
            Table(of_set["label"], header, tuple(rows), _worse(groups, shown, results["faces"]))
        )
    return found


def _worse(groups: dict[str, Any], shown: Sequence[str], faces: dict[str, int]) -> str:
    """Where an interval of a difference leaves zero out, to the worse; not of a few faces."""
    worse = {
        name: [MEASURES[m].label for m in shown if MEASURES[m].ahead(scores["difference"][m]) == -1]
        for name, scores in groups.items()
        if faces[name] >= FEW
    }
    named = [f"{name} ({'; '.join(labels)})" for name, labels in worse.items() if labels]
    if not named:
        return "No group is worse by more than its interval."
    chance = "one interval in twenty does so by chance"
    return f"Worse by more than its interval: {', '.join(named)}; {chance}."


def _cell(scores: dict[str, Any], name: str) -> str:
    mean, off = MEASURES[name].number(scores[name]["mean"]), scores["difference"][name]
    if off["low"] == off["high"]:  # the largest group itself
        return mean
    low, high = (f"{off[key]:+.{MEASURES[name].digits}f}" for key in ("low", "high"))
    return f"{mean} ({off['mean']:+.{MEASURES[name].digits}f}; {low} to {high})"
