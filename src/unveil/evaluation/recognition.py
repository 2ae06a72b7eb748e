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
from unveil.evaluation.benchmark import CACHE, write_json
from unveil.evaluation.identity import AS_IS, CLEAN, Arm, embeddings
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
    labels = [arm.label for arm in arms]
    if len({AS_IS, CLEAN, *labels}) < len(labels) + 2:
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
                | _judged(embedded[judge.name], sets, labels, listed, faces.places)
                for judge in judges
            },
        }
        write_json(out / f"{PROTOCOL}.json", results)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from None
    return results, faces


def _judged(
    embedded: Mapping[tuple[str, str], Any],
    sets: Sequence[MaskSet],
    labels: Sequence[str],
    pairs: Pairs,
    places: Sequence[int],
) -> dict[str, Any]:
    """All that one recogniser says."""
    clean = embedded["", CLEAN]
    fixed = thresholds(Condition(clean, clean), pairs)
    return {
        CLEAN: _summary(Condition(clean, clean), pairs, fixed, None)[0],
        "kinds": {s.name: _kind(s, labels, embedded, clean, pairs, fixed, places) for s in sets},
    }


def _kind(
    mask_set: MaskSet,
    labels: Sequence[str],
    embedded: Mapping[tuple[str, str], Any],
    clean: Any,
    pairs: Pairs,
    fixed: Mapping[int, Thresholds],
    places: Sequence[int],
) -> dict[str, Any]:
    """All numbers of one kind of occluder; its coverage is that of the first hundred photos."""
    summary: dict[str, Any] = {
        "label": mask_set.label,
        "coverage": round(float(np.mean([mask_set.mask(i).mean() for i in places[:100]])), 4),
    }
    for photos in (ONE, BOTH):
        summary[photos] = {}
        untreated: Decided | None = None
        for label in (AS_IS, *labels):
            treated = embedded[mask_set.name, label]
            condition = Condition(clean if photos == ONE else treated, treated)
            summary[photos][label], decided = _summary(condition, pairs, fixed, untreated)
            untreated = untreated or decided
    return summary


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
