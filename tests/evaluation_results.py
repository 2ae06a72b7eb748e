"""Results as `unveil evaluate` writes them, of numbers that no measurement gave."""

from __future__ import annotations

import numpy as np

from unveil.evaluation.benchmark import METRICS
from unveil.evaluation.candidates import Spec
from unveil.evaluation.measures import MEASURES
from unveil.evaluation.protocols import PROTOCOLS, SEED
from unveil.evaluation.scores import FRECHET, SCORES, FaceScores, Part, Scored
from unveil.evaluation.summary import summarise

MODELS = ("lite", "paper", "telea")
N = 30


def part(seed: int) -> Part:
    """N faces of random scores, and features of their own."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(N):
        values = dict(zip(SCORES, rng.uniform(0.1, 30, len(SCORES)), strict=True))
        features = rng.normal(seed / 50, 1, (2 + len(FRECHET), 3)).astype(np.float32)
        rows.append(Scored(FaceScores(**values), features))
    return Part.of(rows)


def make_results(models: tuple[str, ...] = MODELS, specs: tuple[Spec, ...] = ()) -> dict:
    """Of each set of the protocol `tables`, each model with other numbers; of `specs` if given."""
    models = tuple(spec.label for spec in specs) or models
    sha256 = {spec.label: dict(spec.sha256) for spec in specs}
    sets = PROTOCOLS["tables"]
    return {
        "protocol": "tables",
        "unveil": "0",
        "data": {"name": "drawn", "faces": N, "sha256": "none"},
        "seed": SEED,
        "interval": "none",
        "metrics": METRICS,
        "models": {name: {"sha256": sha256.get(name, {})} for name in models},
        "sets": {
            s.name: summarise(s, {m: part(100 * k + i) for i, m in enumerate(models)}, N)
            for k, s in enumerate(sets)
        },
    }


def make_cost(models: tuple[str, ...] = MODELS) -> dict:
    """What these models cost; the last is not learned."""
    return {
        "protocol": "cost",
        "data": {"name": "one face", "faces": 1},
        "rounds": 10,
        "threads": 1,
        "machine": {},
        "models": {
            name: {
                "sha256": {},
                "learned": name != models[-1],
                "reimplementation": name == "paper",
                "parameters": 0 if name == models[-1] else 1234567 * (i + 1),
                "multiply_adds": None if name == models[-1] else 987654321 * (i + 1),
                "file_bytes": 2345678 * (i + 1),
                "milliseconds": {"minimum": 10.1 + i, "median": 20.2 + 7 * i, "maximum": 90.3 + i},
                "relative": 1.0 + 0.345 * i,
                "peak_megabytes": 151.6 + i,
            }
            for i, name in enumerate(models)
        },
    }


def shown_numbers(results: dict) -> set[str]:
    """Every number that a report of these results must show, with its measure's digits."""
    numbers = set()
    for mask_set in results["sets"].values():
        for scores in mask_set["models"].values():
            for name, found in scores.items():
                numbers |= {MEASURES[name].number(found[k]) for k in ("mean", "low", "high")}
        for pair in mask_set["differences"]:
            for name in MEASURES.keys() & pair.keys():
                numbers |= {MEASURES[name].number(pair[name][k]) for k in ("mean", "low", "high")}
            for case in pair["worst"]:
                numbers |= {str(case["place"])}
                numbers |= {f"{case[k]:.2f}" for k in ("psnr_hidden", "a", "b")}
        numbers |= {f"{100 * mask_set['coverage'][k]:.2f}" for k in ("mean", "low", "high")}
        numbers |= {f"{each['psnr']:.2f}" for each in mask_set["published"]}
        numbers.add(mask_set["masks_sha256"])
    return numbers
