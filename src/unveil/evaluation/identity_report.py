"""What `recognition.json` says, as tables: the answer first, then every number."""

from __future__ import annotations

from typing import Any

PAPER = "10 to 20 %"
POINTS = 0.10  # what the paper claims at least
DEFAULT = "lite"


def markdown(results: dict[str, Any]) -> str:
    """The tables, without a final newline."""
    data = results["data"]
    parts = [
        f"{data['pairs']:,} pairs of {data['photos']:,} photos ({data['name']}), {data['same']:,} of "
        f"them of one person; {data['folds']} folds, thresholds fixed on clean pairs of the other "
        "folds. In percent, with 95 % intervals from redrawn pairs.",
        _answer(results),
        *_gains(results),
        *(
            _details(kind, photos, results["clean"])
            for photos in ("one", "both")
            for kind in results["kinds"].values()
        ),
    ]
    return "\n\n".join(parts)


def _answer(results: dict[str, Any]) -> str:
    """The paper's claim against what was measured, in a sentence."""
    name = DEFAULT if DEFAULT in results["models"] else next(iter(results["models"]))
    kinds = results["kinds"].values()
    gains = [kind["one"][name]["gain"] for kind in kinds]
    reached = sum(gain["mean"] >= POINTS for gain in gains)
    surely = sum(gain["low"] > 0 for gain in gains)
    worse = sum(gain["high"] < 0 for gain in gains)
    return (
        f"**The answer.** The paper says that restoring a face lifts recognition by {PAPER}. With "
        f"one photo of a pair hidden and restored by `{name}`, accuracy rises by 10 points or more "
        f"for {reached} of {len(gains)} kinds of occluder; it rises beyond doubt for {surely} and "
        f"falls beyond doubt for {worse}."
    )


def _gains(results: dict[str, Any]) -> list[str]:
    """Accuracy of each treatment for each kind of occluder."""
    kinds = results["kinds"].values()
    clean = _percent(results["clean"]["accuracy"])
    tables = []
    for photos, title in (
        ("one", "one photo of the pair hidden"),
        ("both", "both photos hidden"),
    ):
        lines = [
            f"**Accuracy, {title}** (clean pairs: {clean}); in brackets the points gained over "
            "leaving the occluder there",
            "",
            f"| treatment | {' | '.join(kind['label'] for kind in kinds)} |",
            "|---|" + "---|" * len(kinds),
        ]
        for name in next(iter(kinds))[photos]:
            cells = [_with_gain(kind[photos][name]) for kind in kinds]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        tables.append("\n".join(lines))
    return tables


def _with_gain(numbers: dict[str, Any]) -> str:
    accuracy = f"{100 * numbers['accuracy']['mean']:.1f}"
    if "gain" not in numbers:
        return accuracy
    mean, low, high = (100 * numbers["gain"][key] for key in ("mean", "low", "high"))
    return f"{accuracy} ({mean:+.1f}; {low:+.1f} to {high:+.1f})"


def _details(kind: dict[str, Any], photos: str, clean: dict[str, Any]) -> str:
    """Everything of one kind of occluder."""
    lines = [
        f"**{kind['label']}, {photos} hidden** ({100 * kind['coverage']:.0f} % of the face)",
        "",
        "| treatment | accuracy | true accepts at 1 % | at 0.1 % | false accepts at 1 % | at 0.1 % "
        "| false matches | accuracy, own threshold | true accepts at 1 %, own threshold "
        "| distance, same / different |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = {"clean": clean} | kind[photos]
    for name, numbers in rows.items():
        distance, matches = numbers["distance"], numbers["false_matches"]
        cells = [
            name,
            _percent(numbers["accuracy"]),
            *(_percent(numbers["true_accepts"][rate]) for rate in ("0.01", "0.001")),
            *(f"{100 * numbers['false_accepts'][rate]['mean']:.2f}" for rate in ("0.01", "0.001")),
            f"{matches['count']} of {matches['n']}",
            _percent(numbers["own"]["accuracy"]),
            _percent(numbers["own"]["true_accepts"]["0.01"]),
            f"{distance['same']:.3f} / {distance['different']:.3f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(value: dict[str, float]) -> str:
    mean, low, high = (100 * value[key] for key in ("mean", "low", "high"))
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"
