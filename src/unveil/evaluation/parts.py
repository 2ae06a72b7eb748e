"""Results that are measured part by part, on different days: with which weights each part was.

A results file says it under "parts", by the part's name: "model", "sha256" of each network that
restores a photo with that model, by role, and "date". Files of before say nothing: not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from unveil.runtime.detector import WEIGHTS as DETECTOR
from unveil.runtime.weights import ALIGNER, SEGMENTER, find_weights

Results = dict[str, Any]
PARTS = "parts"


def networks(model: str) -> dict[str, str]:
    """Role -> sha256 of all that restores a photo: the model's own files, and the shared ones.

    Raises:
        WeightsError: no such model.
    """
    names = (SEGMENTER, ALIGNER, DETECTOR, model)  # the model's own last: they go before others
    return {file.role: file.sha256 for name in names for file in find_weights(name).files}


def stamp(results: Results, part: str, model: str | None) -> None:
    """Note in the results that a part of them was measured now, with this model's weights.

    Args:
        model: a name as for `find_weights`; None: no weights take part.
    """
    of = {"model": find_weights(model).name, "sha256": networks(model)} if model else {}
    results.setdefault(PARTS, {})[part] = of | {"date": date.today().isoformat()}


def of_these_weights(
    results: Results, keys: Mapping[str, Sequence[str]], model: str
) -> tuple[Results, list[str]]:
    """What of earlier results may stand beside new ones of a model.

    Args:
        keys: part -> its keys in the results; a part is there where its first key is.

    Returns:
        The parts that were measured with the same weights, and the names of the others.
    """
    now, stamps = networks(model), results.get(PARTS, {})
    there = [part for part, names in keys.items() if names[0] in results]
    same = [part for part in there if stamps.get(part, {}).get("sha256") == now]
    kept = {name: results[name] for part in same for name in keys[part]}
    if same:
        kept[PARTS] = {part: stamps[part] for part in same}
    return kept, [part for part in there if part not in same]


def mixed(results: Results) -> str:
    """A sentence with a space before it where parts are of different weights, else ""."""
    stamps = {part: of for part, of in results.get(PARTS, {}).items() if "sha256" in of}
    each = [of["sha256"] for of in stamps.values()]
    if each[1:] == each[:-1]:
        return ""
    said = "; ".join(f"{part}: {of['model']}, {of['date']}" for part, of in stamps.items())
    return f" Not all parts are of the same weights ({said})."


def of_others(model: str, sha256: Mapping[str, str]) -> str:
    """A sentence with a space before it where a shipped model has other files by now, else "".

    Args:
        sha256: of the files that were measured, by role.
    """
    now = networks(model)
    if all(now.get(role) == sha for role, sha in sha256.items()):
        return ""
    return f" Measured with other files of `{model}` than are shipped now."
