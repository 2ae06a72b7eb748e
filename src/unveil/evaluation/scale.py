"""Tables of benchmarks/scale.py: what an archive costs, and from that machines and hours."""

from __future__ import annotations

import math
from typing import Any

from unveil.evaluation.document import Table
from unveil.evaluation.parts import mixed

ARCHIVES = (("ten million", 1e7), ("a thousand million", 1e9))
MACHINE_CORES = 64
ONE_CORE = "one process on one core"
ONE, TWO = "--engine ray, 1 worker", "--engine ray, 2 workers"
COMPARED = 1000  # photos


def lead(results: dict[str, Any]) -> str:
    """What all tables are of."""
    machine = results["machine"]
    return (
        f"Photos: {results['data']['name']}, one hidden face each; one megapixel where nothing "
        f"else is said. Machine: {machine['cores']} cores, {machine['processor']}.{mixed(results)}"
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """Stages, ways of working, Amdahl's law, machines; each when its parts have been measured."""
    ways, made = results.get("throughput", {}), []
    if "stages" in results:
        made.append(_stages(results["stages"]))
    if ONE_CORE in ways:
        made.append(_ways(ways))
    if {ONE, TWO} <= ways.keys():
        made.append(_amdahl(ways))
    if TWO in ways and {"stages", "ledger_rows_per_second"} <= results.keys():
        made.append(_machines(results))
    return made


def _stages(stages: dict[str, dict[str, float]]) -> Table:
    names = list(next(iter(stages.values())))
    totals = {size: sum(of.values()) for size, of in stages.items()}
    header = ["stage"]
    for size in stages:
        header += [f"ms, {size} MP", "share"]
    rows = []
    for name in names:
        row = [name]
        for size, of in stages.items():
            row += [f"{of[name]:.0f}", f"{of[name] / totals[size]:.0%}"]
        rows.append(tuple(row))
    last = ["all"]
    for total in totals.values():
        last += [f"{total:.0f}", ""]
    return Table("where the time goes, one thread", tuple(header), (*rows, tuple(last)))


def _ways(throughput: dict[str, dict[str, float]]) -> Table:
    base = throughput[ONE_CORE]["photos_per_second"]
    rows = []
    for way, of in throughput.items():
        rate = of["photos_per_second"]
        rows.append(
            (
                f"`{way}`" if way.startswith("-") else way,
                f"{of['start_seconds']:.1f}",
                f"{rate:.2f}",
                f"{rate / base:.2f}",
                f"{of['start_seconds'] + COMPARED / rate:.0f}",
            )
        )
    return Table(
        "ways of working",
        ("way", "start, s", "photos/s after it", "times one core", f"s for {COMPARED:,} photos"),
        tuple(rows),
    )


def _amdahl(throughput: dict[str, dict[str, float]]) -> Table:
    """The start is what a second worker cannot share: T2 = start + work / 2."""
    one, two = throughput[ONE], throughput[TWO]
    start, rate = one["start_seconds"], one["photos_per_second"]
    rows = []
    for label, photos in ((f"{one['photos']:,} photos", one["photos"]), ("without end", None)):
        if photos is None:
            predicted, measured, serial = 2.0, two["photos_per_second"] / rate, 0.0
        else:
            work = one["seconds"] - start
            serial = start / one["seconds"]
            predicted = one["seconds"] / (start + work / 2)
            measured = one["seconds"] / two["seconds"]
        rows.append((label, f"{serial:.0%}", f"{predicted:.2f}", f"{measured:.2f}"))
    return Table(
        "from one worker to two",
        ("archive", "start's share with one", "Amdahl's speed-up", "measured"),
        tuple(rows),
    )


def _machines(results: dict[str, Any]) -> Table:
    ledger = results["ledger_rows_per_second"]
    a_core = results["throughput"][TWO]["photos_per_second"] / 2
    totals = {size: sum(of.values()) for size, of in results["stages"].items()}
    first = next(iter(totals.values()))
    rows = []
    for label, photos in ARCHIVES:
        for size, total in totals.items():
            rate = a_core * first / total
            hours = photos / rate / 3600
            machines = math.ceil(hours / MACHINE_CORES / 24)
            rows.append(
                (
                    label,
                    f"{size} MP",
                    f"{rate:.2f}",
                    f"{hours:,.0f}",
                    f"{hours / MACHINE_CORES:,.0f}",
                    f"{machines:,}",
                )
            )
    return Table(
        "machines and hours",
        (
            "photos",
            "each",
            "photos/s a core",
            "core hours",
            f"hours on one machine of {MACHINE_CORES} cores",
            "such machines for one day",
        ),
        tuple(rows),
        note=(
            f"The ledger of one command takes {ledger:,} rows a second: those of about "
            f"{ledger / a_core:,.0f} cores with photos of a megapixel."
        ),
    )
