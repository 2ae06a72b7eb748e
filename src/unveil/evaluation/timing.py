"""What each model costs where it runs: time and memory, measured; size and work, counted.

Times are taken as `unveil bench` takes them: the models take turns, face by face, in a process of
one thread each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from unveil import bench
from unveil.errors import DataError
from unveil.evaluation.candidates import Spec, build, describe
from unveil.evaluation.workers import processes
from unveil.progress import track

COST = "cost"
ROUNDS = 10


def measure(specs: Sequence[Spec], rounds: int = ROUNDS) -> dict[str, Any]:
    """Results of the protocol `cost`, `cost.json`.

    Times are of restoring one 256x256 face of which a rectangle hides 20 %, its mask known;
    memory is the most that a process held which did just that: Python and all libraries included.

    Args:
        specs: the models; times are also given as shares of the first one's.
        rounds: measurements of each model.

    Raises:
        DataError: memory cannot be measured here, or a process was killed.
    """
    megabytes = {}
    for spec in track(specs, "measuring memory", len(specs)):
        with processes(1) as pool:
            megabytes[spec.label] = pool.submit(peak_of, spec).result()
    with processes(1) as pool:
        times = pool.submit(times_of, specs, rounds).result()
    medians = {label: float(np.median(values)) for label, values in times.items()}
    first = medians[specs[0].label]
    return {
        "protocol": COST,
        "data": {"name": "one face, 20 % hidden by a rectangle", "faces": 1},
        "rounds": rounds,
        "threads": 1,
        "machine": bench.machine(),
        "models": {
            spec.label: {
                "sha256": dict(spec.sha256),
                **asdict(describe(spec, bench.sample_mask())),
                "milliseconds": _rounded(bench.Spread.of(times[spec.label])),
                "relative": round(medians[spec.label] / first, 4),
                "peak_megabytes": round(megabytes[spec.label], 1),
            }
            for spec in specs
        },
    }


def peak_of(spec: Spec) -> float:
    """In a process of its own: the memory in MB that restoring one face takes."""
    build(spec).restore(bench.sample_face(), bench.sample_mask())
    peak = bench.peak_megabytes()
    if not peak:
        raise DataError("this system does not say how much memory a process took")
    return peak


def times_of(specs: Sequence[Spec], rounds: int) -> dict[str, list[float]]:
    """In a process of one thread: milliseconds of each model, all taking turns."""
    face, mask = bench.sample_face(), bench.sample_mask()
    return bench.interleave(
        {spec.label: partial(build(spec).restore, face, mask) for spec in specs}, rounds
    )


def _rounded(spread: bench.Spread) -> dict[str, float]:
    return {name: round(value, 3) for name, value in asdict(spread).items()}
