"""Results as markdown tables, and putting them where a document marks their place.

The text between `<!-- results:NAME -->` and `<!-- /results:NAME -->` is made from a results file:
NAME is a protocol, or one of `tables.VIEWS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unveil.errors import DataError
from unveil.evaluation import (
    clips,
    groups,
    identity_report,
    load,
    real_occluders,
    reliability,
    scale,
    segmentation,
    speed,
    tables,
    whole_photos,
)
from unveil.evaluation.document import Table, untagged
from unveil.evaluation.intervals import faces_of
from unveil.files import atomic_path

Results = dict[str, Any]

# Protocols whose results are not of models under masks.
OTHERS: dict[str, tuple[Callable[[Results], str] | None, tables.Make]] = {
    "segmenter": (segmentation.lead, segmentation.tables),
    "real_occluders": (real_occluders.lead, real_occluders.tables),
    "reliability": (reliability.lead, reliability.tables),
    "cost": (None, tables.cost),
    "load": (load.lead, load.tables),
    "recognition": (identity_report.lead, identity_report.tables),
    "groups": (groups.lead, groups.tables),
    "video": (None, clips.tables),
    "scale": (scale.lead, scale.tables),
    "speed": (speed.lead, speed.tables),
    "photos": (whole_photos.lead, whole_photos.tables),
}
OPENING = re.compile(r"<!-- results:([\w-]+) -->")


def read_results(path: Path) -> Results:
    """A results JSON of `unveil evaluate`.

    Raises:
        DataError: it cannot be read or is no such file.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise DataError(f"{path}: no results that can be read: {error}") from None
    known = isinstance(results, dict) and "data" in results
    named = known and isinstance(results.get("protocol"), str)
    if not named or not ("sets" in results or results["protocol"] in OTHERS):
        raise DataError(f"{path}: not a results file of `unveil evaluate`")
    return dict(results)


def lead(results: Results) -> str:
    """What all tables of these results have in common; "" where they say it themselves."""
    if results["protocol"] in OTHERS:
        of = OTHERS[results["protocol"]][0]
        return of(results) if of else ""
    data = results["data"]
    return (
        f"{faces_of(data)} ({data['name']}), masks of seed {results['seed']}; "
        "mean and 95 % interval."
    )


def main_tables(results: Results) -> list[Table]:
    """The tables that everybody reads."""
    if results["protocol"] in OTHERS:
        return OTHERS[results["protocol"]][1](results)
    return tables.of_sets(results)


def markdown(results: Results, view: str = "") -> str:
    """The tables of any results file of `unveil evaluate`, or a view of them, no final newline."""
    of = tables.VIEWS[view][1](results) if view else main_tables(results)
    parts = [untagged(lead(results)), *(table.markdown() for table in of)]
    return "\n\n".join(part for part in parts if part)


def source(name: str) -> tuple[str, str]:
    """Of a marker's name: the protocol whose results are needed, and the view, or ""."""
    return (tables.VIEWS[name][0], name) if name in tables.VIEWS else (name, "")


def replace_marked(document: str, results: Results) -> str:
    """The document with everything that is made of these results brought up to date.

    Raises:
        DataError: nothing is, or a marker is not closed.
    """
    found = [
        (name, view)
        for name in OPENING.findall(document)
        for protocol, view in [source(name)]
        if protocol == results["protocol"]
    ]
    if not found:
        _markers(document, results["protocol"])  # names what is missing
    at = 0  # a marker may come twice
    for name, view in found:
        start, end = _markers(document, name, at)
        text = f"\n{markdown(results, view)}\n"
        document = document[:start] + text + document[end:]
        at = start + len(text)
    return document


def update_file(path: Path, results: Sequence[Results]) -> list[str]:
    """`replace_marked` on a file with all of these results that it shows, at once or not at all.

    Returns:
        The protocols of those results.

    Raises:
        DataError: the file cannot be read or written, or shows none of them.
    """
    try:
        text = path.read_text(encoding="utf-8")
        shown = {source(name)[0] for name in OPENING.findall(text)}
        wanted = [each for each in results if each["protocol"] in shown]
        if not wanted:
            raise DataError(f"{path}: it shows none of these results: it lacks their markers")
        for each in wanted:
            text = replace_marked(text, each)
        with atomic_path(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a text in UTF-8") from None
    return [each["protocol"] for each in wanted]


def _markers(document: str, name: str, at: int = 0) -> tuple[int, int]:
    """What lies between the next two markers of this name."""
    opening, closing = f"<!-- results:{name} -->", f"<!-- /results:{name} -->"
    start = document.find(opening, at)
    inside = start + len(opening)
    end = document.find(closing, inside)
    if start < 0 or end < 0 or opening in document[inside:end]:
        raise DataError(f"the document lacks the markers {opening} and {closing}")
    return inside, end
