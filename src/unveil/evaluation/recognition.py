"""Recognition of hidden and of restored faces: conditions, their numbers, one JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from unveil import __version__
from unveil.data.pairs import PhotoPairs
from unveil.errors import DataError, UsageError
from unveil.evaluation.aligned_pairs import AlignedPairs, align_photos
from unveil.evaluation.arms import CLEAN, Arm, Way, ways
from unveil.evaluation.benchmark import CACHE, write_json
from unveil.evaluation.identity import embeddings
from unveil.evaluation.protocols import RECOGNITION, SEED, MaskSet
from unveil.evaluation.recognisers import Recogniser
from unveil.evaluation.verification import (
    DRAWS,
    FALSE_ACCEPTS,
    Condition,
    Outcome,
    Pairs,
    Thresholds,
    bootstrap,
    decide,
    false_accepts,
    thresholds,
)

PROTOCOL = "recognition"
ONE, BOTH = "one", "both"
INTERVAL = (
    f"95 %, percentile bootstrap of {DRAWS} draws over the listed pairs, thresholds held; gains "
    "pair by pair; false accepts over all pairs of two people in a fold, people redrawn"
)


def measure(
    arms: Sequence[Arm],
    pairs: PhotoPairs,
    out: Path,
    *,
    data: str,
    judges: Sequence[Recogniser],
    jobs: int = 1,
    sets: Sequence[MaskSet] = RECOGNITION,
) -> tuple[dict[str, Any], AlignedPairs]:
    """Write and give back `recognition.json`, and the faces that it was measured on.

    Args:
        arms: how occluded faces are treated; their labels must differ.
        pairs: of at least two folds.
        out: folder for the results and, under `.cache/`, the kept parts.
        data: what the pairs are called in the results.
        judges: the recognisers, one or more.
        jobs: processes, each of one thread.
        sets: what hides the faces.

    Raises:
        DataError: a photo or `out` cannot be read or written, or the folds do not serve.
        UsageError: two arms have one label, or one that is taken.
        WeightsError: a model is missing.
    """
    compared = ways(arms)
    if len({CLEAN, *(way.label for way in compared)}) <= len(compared):
        raise UsageError("each treatment needs a name of its own")
    try:
        (out / CACHE).mkdir(parents=True, exist_ok=True)
        faces = align_photos(pairs, out, jobs)
        kept = faces.pairs
        listed = Pairs(kept.first, kept.second, kept.same, kept.fold, kept.person)
        listed.check_both()
        embedded = embeddings(arms, sets, faces, out, jobs, judges)
        results = {
            "protocol": PROTOCOL,
            "unveil": __version__,
            "data": {
                "name": data,
                "pairs": len(listed.same),
                "same": int(listed.same.sum()),
                "photos": len(faces.places),
                "people": len(np.unique(listed.person)),
                "folds": len(np.unique(listed.fold)),
                "left_out": faces.left_out,
            },
            "seed": SEED,
            "interval": INTERVAL,
            "threshold": "fixed on clean pairs of the other folds; own: on the same kind of pairs",
            "models": {arm.label: {"sha256": dict(arm.spec.sha256)} for arm in arms},
            "recognisers": {
                judge.name: {"label": judge.label}
                | _judged(judge, embedded[judge.name], sets, compared, listed, faces.places)
                for judge in judges
            },
        }
        write_json(out / f"{PROTOCOL}.json", results)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from None
    return results, faces


def _judged(
    judge: Recogniser,
    embedded: Mapping[tuple[str, str], Any],
    sets: Sequence[MaskSet],
    compared: Sequence[Way],
    pairs: Pairs,
    places: Sequence[int],
) -> dict[str, Any]:
    """All that one recogniser says; a set's coverage is that of the first hundred photos."""
    clean = embedded["", CLEAN]
    fixed = thresholds(Condition(clean, clean), pairs)
    kinds = {}
    for mask_set in sets:
        vectors = {
            label: array for (name, label), array in embedded.items() if name == mask_set.name
        }
        kinds[mask_set.name] = {
            "label": mask_set.label,
            "coverage": round(float(np.mean([mask_set.mask(i).mean() for i in places[:100]])), 4),
        }
        for photos in (ONE, BOTH):
            conditions = {
                way.label: way.condition(vectors, clean, photos == BOTH, judge) for way in compared
            }
            kinds[mask_set.name][photos] = _summaries(conditions, pairs, fixed)
    return {CLEAN: _summary(Condition(clean, clean), pairs, fixed, None)[0], "kinds": kinds}


def _summaries(
    conditions: Mapping[str, Condition], pairs: Pairs, fixed: Mapping[int, Thresholds]
) -> dict[str, Any]:
    """The numbers of every condition, gains over the first."""
    summaries: dict[str, Any] = {}
    untreated: Decided | None = None
    for label, condition in conditions.items():
        summaries[label], decided = _summary(condition, pairs, fixed, untreated)
        untreated = untreated or decided
    return summaries


Decided = tuple[Outcome, Outcome]  # by the fixed thresholds, and by a condition's own


def _summary(
    condition: Condition,
    pairs: Pairs,
    fixed: Mapping[int, Thresholds],
    untreated: Decided | None,
) -> tuple[dict[str, Any], Decided]:
    """The numbers of one condition, and its decisions; gains are over the untreated faces."""
    outcome, distances = decide(condition, pairs, fixed), condition.distances(pairs)
    own = decide(condition, pairs, thresholds(condition, pairs))
    same, rates = pairs.same, [f"{rate:g}" for rate in FALSE_ACCEPTS]
    limits = [{f: t.accepts[i] for f, t in fixed.items()} for i in range(len(rates))]
    numbers: dict[str, Any] = {
        "accuracy": _rounded(outcome.right),
        "true_accepts": _by_rate(outcome, same),
        "false_accepts": {
            rate: {k: round(v, 6) for k, v in asdict(false_accepts(condition, pairs, at)).items()}
            for rate, at in zip(rates, limits, strict=True)
        },
        "false_matches": {"count": int(outcome.accepted[~same].sum())}
        | _rounded(outcome.accepted[~same]),
        "own": {"accuracy": _rounded(own.right), "true_accepts": _by_rate(own, same)},
        "distance": {
            "same": round(float(distances[same].mean()), 4),
            "different": round(float(distances[~same].mean()), 4),
        },
    }
    if untreated is not None:
        numbers["gain"] = _gain(outcome, untreated[0])
        numbers["own"]["gain"] = _gain(own, untreated[1])
    return numbers, (outcome, own)


def _gain(outcome: Outcome, untreated: Outcome) -> dict[str, float]:
    return _rounded(outcome.right.astype(float) - untreated.right)


def _by_rate(outcome: Outcome, same: Any) -> dict[str, Any]:
    return {
        f"{rate:g}": _rounded(accepted[same])
        for rate, accepted in zip(FALSE_ACCEPTS, outcome.accepts, strict=True)
    }


def _rounded(values: Any) -> dict[str, float]:
    return {name: round(value, 5) for name, value in asdict(bootstrap(values)).items()}
