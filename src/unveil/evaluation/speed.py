"""The table of benchmarks/speed.py: the time that photos and drawn occluders take, and may take."""

from __future__ import annotations

from typing import Any

from unveil.evaluation.document import Table
from unveil.evaluation.parts import mixed

COLD, WARM, RATE, MEMORY = 3.0, 1.5, 8.0, 700.0  # wanted: at most, at most, at least, at most
DRAWN = 200.0  # at least


def lead(results: dict[str, Any]) -> str:
    """What the table is of."""
    machine = results["machine"]
    cores = f"{machine['cores']} core{'s' if machine['cores'] > 1 else ''}"
    ran_on = f"Machine: {cores}, {machine['processor']}.{mixed(results)}"
    return f"Photos: {', '.join(_names(results))}. {ran_on}"


def _names(results: dict[str, Any]) -> list[str]:
    """Of what photos the parts are: mostly all of the same."""
    of = [results[part].get("photos_of") for part in ("large", "folder") if part in results]
    return sorted({name or results["data"]["name"] for name in of}) or [results["data"]["name"]]


def tables(results: dict[str, Any]) -> list[Table]:
    """One table of all that was measured."""
    rows: list[tuple[str, ...]] = []
    if large := results.get("large"):
        what = f"{large['megapixels']:.0f} megapixels, {large['faces']} faces"
        rows += [
            _at_most(f"{what}, `unveil restore` from the shell, s", large["cold_seconds"], COLD, 2),
            _at_most(f"{what}, in a process that runs already, s", large["warm_seconds"], WARM, 2),
            (
                "the same, seconds of all cores together",
                f"{large['warm_processor_seconds']:.2f}",
                "",
                "",
            ),
        ]
    if folder := results.get("folder"):
        what = f"a folder of {folder['photos']:,} photos of {folder['megapixels']:.1f} megapixels"
        rate = folder["photos_per_second"]
        held = folder["megabytes"]
        first, *later = held.values()
        most = max(later, default=first)  # and not the last: at its end a run lets go of all
        rows += [
            _at_least(f"{what}, photos/s", rate, RATE, 1),
            (
                "the same, processor time a photo, ms",
                f"{1000 * folder['processor_seconds_per_photo']:.0f}",
                "",
                "",
            ),
            _at_most("the most memory held, MB", folder["most_megabytes"], MEMORY, 0),
            (
                f"held after {next(iter(held))} photos, at most after that, MB",
                f"{first:.0f}, {most:.0f}",
                "flat",
                _said(most <= 1.1 * first),
            ),
        ]
    if drawn := results.get("occluders"):
        what = f"occluders drawn, {drawn['side']}x{drawn['side']}, faces/s of a core"
        rows.append(_at_least(what, drawn["faces_per_second"], DRAWN, 0))
    return [Table("", ("what", "measured", "wanted", "reached"), tuple(rows))]


def _at_most(what: str, value: float, most: float, digits: int) -> tuple[str, ...]:
    return (what, f"{value:.{digits}f}", f"{most:g}", _said(value <= most))


def _at_least(what: str, value: float, least: float, digits: int) -> tuple[str, ...]:
    return (what, f"{value:.{digits}f}", f"{least:g}", _said(value >= least))


def _said(reached: bool) -> str:
    return "yes" if reached else "no"
