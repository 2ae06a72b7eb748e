"""What `recognition.json` says, as tables: the answer first, then every number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unveil.evaluation.document import Table
from unveil.evaluation.parts import of_others

PAPER = "10 to 20 %"
POINTS = 0.10  # what the paper claims at least
DEFAULT = "lite"
# The ends of a treatment's name: the hidden face counts as well; both photos are hidden alike.
SEEN, ALIKE = "+seen", "+alike"
MEAN_FACE = "mean-face"
FEW = 500  # pairs
OWN = "thresholds of their own"
TITLES = {"one": "one photo of a pair hidden", "both": "both photos hidden"}
RATES = ("0.01", "0.001")
HEADER = (
    "treatment",
    "accuracy",
    "true accepts at 1 %",
    "true accepts at 0.1 %",
    "false accepts at 1 %",
    "false accepts at 0.1 %",
    "false matches",
    "accuracy, own threshold",
    "true accepts at 1 %, own threshold",
    "distance, same / different",
)


def lead(results: dict[str, Any]) -> str:
    """What the tables are of, and the paper's claim against what was measured."""
    data = results["data"]
    name = DEFAULT if DEFAULT in results["models"] else next(iter(results["models"]))
    small = " A small run, so the intervals are wide." if data["pairs"] < FEW else ""
    sha256 = results["models"].get(DEFAULT, {}).get("sha256", {})
    others = of_others(DEFAULT, sha256) if sha256 else ""
    answers = f"restored by `{name}`: {_answer(results, name)}"
    if name + SEEN in results["models"]:
        answers += (
            f" With the mean of the vectors of the restored face and of the hidden one: "
            f"{_answer(results, name + SEEN)}"
        )
    if name + ALIKE in results["models"]:
        answers += (
            f" With the other photo hidden and restored alike, and four comparisons: "
            f"{_answer(results, name + ALIKE)}"
        )
    if MEAN_FACE in results["models"] and name != MEAN_FACE:
        answers += (
            f" Filled with the mean face, which says nothing of who it is: "
            f"{_answer(results, MEAN_FACE)}"
        )
    return (
        f"{data['pairs']:,} pairs of {data['photos']:,} photos ({data['name']}), {data['same']:,} "
        f"of them of one person; {data['folds']} folds, thresholds fixed on clean pairs of the "
        f"other folds; {OWN}: fixed on pairs hidden and treated alike. In percent, with 95 % "
        f"intervals from redrawn pairs.{small}{others}\n\n"
        f"**The answer.** The paper says that restoring a face lifts recognition by {PAPER}. With "
        f"one photo of a pair hidden, and {answers} What is gained at the fixed thresholds alone "
        "is scale: distances come back to where clean pairs have theirs. One gain in forty is up "
        "by more than its interval by chance, and one in forty down."
    )


def _answer(results: dict[str, Any], name: str) -> str:
    """What all recognisers say of a treatment: gains at the fixed thresholds, and at its own where
    they were taken.
    """
    said = []
    for judged in results["recognisers"].values():
        short = judged["label"].partition(" (")[0]
        fixed = [kind["one"][name] for kind in judged["kinds"].values()]
        changes = f"with {short} accuracy changes by {_gained(fixed)} at the fixed thresholds"
        own = [numbers["own"] for numbers in fixed]
        if all("gain" in numbers for numbers in own):
            changes += f", by {_gained(own)} at {OWN}"
        said.append(changes)
    return f"{'; '.join(said)}."


def _gained(numbers: Sequence[dict[str, Any]]) -> str:
    """Points by kind of occluder, against the paper's claim and against their intervals."""
    gains = [each["gain"] for each in numbers]
    each = ", ".join(f"{100 * gain['mean']:+.1f}" for gain in gains)
    reached = sum(gain["mean"] >= POINTS for gain in gains)
    rises = sum(gain["low"] > 0 for gain in gains)
    falls = sum(gain["high"] < 0 for gain in gains)
    against = f"by more than its interval up: {rises}, down: {falls}"
    return f"{each} points (10 or more: {reached}; {against})"


def tables(results: dict[str, Any]) -> list[Table]:
    """Accuracy of all treatments in two tables; then everything, a table a kind of occluder."""
    every = results["recognisers"].items()
    of_kinds = [
        _of_kind(kind, photos, judged["clean"], judge)
        for judge, judged in every
        for photos in TITLES
        for kind in judged["kinds"].values()
    ]
    return [
        *(
            table
            for photos in TITLES
            for judge, judged in every
            for table in _gains(judged, photos, judge)
        ),
        *of_kinds,
    ]


def _gains(judged: dict[str, Any], photos: str, judge: str) -> tuple[Table, Table]:
    """Accuracy of each treatment for each kind of occluder, as one recogniser sees it, at the fixed
    thresholds and at the treatments' own.
    """
    kinds = list(judged["kinds"].values())
    header = ("treatment", *(kind["label"] for kind in kinds))
    names = kinds[0][photos]
    fixed = tuple((n, *(_with_gain(kind[photos][n]) for kind in kinds)) for n in names)
    own = tuple((n, *(_with_gain(kind[photos][n]["own"]) for kind in kinds)) for n in names)
    clean = _percent(judged["clean"]["accuracy"])
    title = f"Accuracy, {judge}, {TITLES[photos]}"
    note = "In brackets: points gained over leaving the occluder there, with their interval."
    return (
        Table(f"{title}; clean pairs: {clean}", header, fixed, note),
        Table(f"{title}, {OWN}", header, own, note),
    )


def _with_gain(numbers: dict[str, Any]) -> str:
    accuracy = f"{100 * numbers['accuracy']['mean']:.1f}"
    if "gain" not in numbers:
        return accuracy
    mean, low, high = (100 * numbers["gain"][key] for key in ("mean", "low", "high"))
    return f"{accuracy} ({mean:+.1f}; {low:+.1f} to {high:+.1f})"


def _of_kind(kind: dict[str, Any], photos: str, clean: dict[str, Any], judge: str) -> Table:
    """Everything of one kind of occluder."""
    rows = []
    for name, numbers in ({"clean": clean} | kind[photos]).items():
        distance, matches = numbers["distance"], numbers["false_matches"]
        rows.append(
            (
                name,
                _percent(numbers["accuracy"]),
                *(_percent(numbers["true_accepts"][rate]) for rate in RATES),
                *(f"{100 * numbers['false_accepts'][rate]['mean']:.2f}" for rate in RATES),
                f"{matches['count']} of {matches['n']}",
                _percent(numbers["own"]["accuracy"]),
                _percent(numbers["own"]["true_accepts"][RATES[0]]),
                f"{distance['same']:.3f} / {distance['different']:.3f}",
            )
        )
    title = (
        f"{judge}: {kind['label']}, {TITLES[photos]} ({100 * kind['coverage']:.0f} % of the face)"
    )
    return Table(title, HEADER, tuple(rows), folded=True)


def _percent(value: dict[str, float]) -> str:
    mean, low, high = (100 * value[key] for key in ("mean", "low", "high"))
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"
