"""The measured scores that a manifest of weights tells, from the results of evaluations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unveil.files import write_bytes
from unveil.runtime.weights import MANIFEST, SEGMENTER, Weights, find_weights, list_weights

DIGITS = {"psnr_pasted": 2, "mask_iou": 3}


def scores_of(weights: Weights, results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean scores of a model; none of results that are of other files than these.

    Args:
        weights: of a manifest.
        results: as `unveil evaluate` writes them.
    """
    scores = {}
    for result in results:
        if result["protocol"] == "paper" and _measured(weights, result["models"]):
            for name, of_set in result["sets"].items():
                values = of_set["models"][weights.name]
                for score, digits in DIGITS.items():
                    if score != "mask_iou" or _same_finder(weights, result["models"]):
                        scores[f"{score}_{name}"] = round(values[score]["mean"], digits)
        if result["protocol"] == "segmenter" and _measured(weights, {SEGMENTER: result}):
            scores["iou"] = round(result["iou"]["all"]["mean"], 3)
            scores["false_positive"] = round(result["false_positive"]["clean faces"]["mean"], 5)
    return scores


def _measured(weights: Weights, models: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether these are results of this model's very files."""
    measured = models.get(weights.name, {}).get("sha256", {})
    return bool(measured) and all(measured.get(f.role) == f.sha256 for f in weights.files)


def _same_finder(weights: Weights, models: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the hidden part was found by the network that finds it with these weights today:
    their own, or else the shared segmenter."""
    finder = weights if weights.has("mask") else find_weights(SEGMENTER)
    return bool(models[weights.name]["sha256"].get("mask") == finder.file("mask").sha256)


def write_scores(folder: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """Bring the scores of a folder's manifest up to these results; scores of other files go.

    Raises:
        WeightsError: the folder has no manifest, or it is damaged.
    """
    scores = {weights.name: scores_of(weights, results) for weights in list_weights(folder)}
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for entry in manifest["models"]:
        entry["scores"] = scores[entry["name"]]
    write_bytes(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
