"""The tables of results under masks, and of what each model costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unveil.evaluation.baselines import CLASSICAL
from unveil.evaluation.candidates import BLEND, FITTED
from unveil.evaluation.document import Table
from unveil.evaluation.measures import MEASURES

Results = dict[str, Any]

PAPER = "paper"
TABLE_2 = ("rectangle-10-15", "rectangle-20-30")
TABLE_3 = "rectangle-20-30"
# Shown with its interval, and without, in a table that everybody reads.
WITH_INTERVAL = ("psnr_pasted", "psnr_raw", "psnr_hidden")
PLAIN = (
    "ssim_pasted",
    "ssim_hidden_pasted",
    "l1_hidden",
    "perceptual_pasted",
    "frechet_pasted",
    "mask_iou",
)
AHEAD = ("psnr_pasted", "ssim_pasted", "perceptual_pasted")
THEIRS = (
    "Published numbers are of other faces, and their authors do not say whether known pixels were "
    "put back; they are not compared with ours."
)

# Of our own networks, whose training saw what they are measured by here; and all of which we know
# that theirs did not.
WITH_FEATURES = ("lite", "lite-1k")
WITHOUT_FEATURES = ("paper", "paper-1k", "unet", "shiftnet", "picnet", *FITTED, *CLASSICAL)


def _trained_with(models: Sequence[str], measures: Sequence[str]) -> str:
    """Who was trained with the features of the distances that a table shows; "" for nobody."""
    ours = [f"`{name}`" for name in WITH_FEATURES if name in models]
    if not ours or not any(m.startswith(("perceptual", "frechet")) for m in measures):
        return ""
    bases = {name.partition("@")[0].removesuffix(BLEND) for name in models}
    known = bases <= {*WITH_FEATURES, *WITHOUT_FEATURES}
    return (
        f" The distances are in the SqueezeNet features that {' and '.join(ours)} "
        f"{'was' if len(ours) == 1 else 'were'} trained with"
        f"{', and the other networks were not' if known else ''}."
    )


def of_sets(results: Results) -> list[Table]:
    """A table of each mask set."""
    return [_of_set(mask_set) for mask_set in results["sets"].values()]


def _of_set(mask_set: dict[str, Any]) -> Table:
    models: dict[str, dict[str, Any]] = mask_set["models"]
    measures = _taken((*WITH_INTERVAL, *PLAIN), models)
    rows = [(name, *(_cell(scores, m) for m in measures)) for name, scores in models.items()]
    for each in mask_set["published"]:
        cells = [f"{each['psnr']:.2f}" if m == "psnr_pasted" else "" for m in measures]
        rows.append((f"*{each['method']}, published: {each['source']}*", *cells))
    header = ("model", *(MEASURES[m].label for m in measures))
    return Table(mask_set["label"], header, tuple(rows))


def _taken(measures: Sequence[str], models: dict[str, dict[str, Any]]) -> list[str]:
    """Those that any model has."""
    return [m for m in measures if any(m in scores for scores in models.values())]


def _cell(scores: dict[str, Any], measure: str) -> str:
    if measure not in scores:
        return ""
    if measure in WITH_INTERVAL:
        return MEASURES[measure].interval(scores[measure])
    return MEASURES[measure].number(scores[measure]["mean"])


def in_full(results: Results) -> list[Table]:
    """Every measure of every model on every set, with its interval."""
    tables = []
    for mask_set in results["sets"].values():
        models = mask_set["models"]
        measures = _taken(tuple(MEASURES), models)
        rows = tuple(
            (name, *(MEASURES[m].interval(scores[m]) if m in scores else "" for m in measures))
            for name, scores in models.items()
        )
        cover = mask_set["coverage"]
        hidden = " to ".join(f"{100 * cover[key]:.2f}" for key in ("low", "high"))
        note = (
            f"Hidden: {100 * cover['mean']:.2f} % ({hidden}) of a face. "
            f"Masks: sha256 `{mask_set['masks_sha256']}`."
        )
        title = f"{mask_set['label']}: every measure, mean and 95 % interval"
        header = ("model", *(MEASURES[m].label for m in measures))
        tables.append(Table(title, header, rows, note, folded=True))
    return tables


def differences(results: Results) -> list[Table]:
    """The first model against each of the others, in all that was compared, a table a set."""
    tables = []
    for mask_set in results["sets"].values():
        pairs = _pairs(mask_set)
        if not pairs:
            continue
        measures = [m for m in MEASURES if any(m in pair for pair in pairs)]
        rows = tuple(
            (f"{pair['a']} - {pair['b']}", *(_difference(pair, m) for m in measures))
            for pair in pairs
        )
        header = ("difference", *(MEASURES[m].label for m in measures))
        title = f"{mask_set['label']}: differences, face by face"
        tables.append(Table(title, header, rows, MARKS, folded=True))
    return tables


def _pairs(mask_set: dict[str, Any]) -> list[dict[str, Any]]:
    """The differences of the first model from each of the others."""
    first = next(iter(mask_set["models"]))
    return [pair for pair in mask_set["differences"] if pair["a"] == first]


MARKS = (
    "Mean and 95 % interval of the difference on the same faces. **Bold**: the first is better, "
    "and the interval leaves zero out; *italic*: it is worse; plain: the interval holds zero."
)


def _difference(pair: dict[str, Any], measure: str) -> str:
    if measure not in pair:
        return ""
    text = MEASURES[measure].difference(pair[measure])
    return {1: f"**{text}**", 0: text, -1: f"*{text}*"}[MEASURES[measure].ahead(pair[measure])]


def table_2(results: Results) -> list[Table]:
    """The paper's Table 2 with our columns: its own network, trained again, and ours."""
    sets = _both_bins(results)
    models = [m for m in dict.fromkeys((PAPER, *sets[0]["models"])) if m in sets[0]["models"]][:2]
    rows = []
    for mask_set in sets:
        published = next(e["psnr"] for e in mask_set["published"] if e["model"] == PAPER)
        ours = [
            MEASURES[measure].interval(mask_set["models"][model][measure])
            for model in models
            for measure in ("psnr_pasted", "psnr_hidden")
        ]
        rows.append((mask_set["label"], f"{published:.2f}", *ours))
    columns = [text for model in models for text in (f"`{model}`", "its hidden part")]
    header = ("PSNR in dB", "published", *columns)
    return [Table("Table 2 of the paper, and ours", header, tuple(rows), THEIRS)]


def _both_bins(results: Results) -> list[dict[str, Any]]:
    return [results["sets"][name] for name in TABLE_2]


def table_3(results: Results) -> list[Table]:
    """The paper's Table 3 with our columns, every model in it."""
    mask_set = results["sets"][TABLE_3]
    models = mask_set["models"]
    published = {each["model"]: each for each in mask_set["published"]}
    measures = _taken(
        ("psnr_pasted", "psnr_hidden", "ssim_pasted", "perceptual_pasted", "frechet_pasted"), models
    )
    rows = []
    for name, scores in models.items():
        theirs = published.pop(name, None)
        rows.append(
            (
                f"`{name}` ({theirs['method']})" if theirs else f"`{name}`",
                f"{theirs['psnr']:.2f}" if theirs else "",
                *(_cell(scores, m) for m in measures),
            )
        )
    rows += [
        (f"{theirs['method']}", f"{theirs['psnr']:.2f}", *[""] * len(measures))
        for theirs in published.values()
    ]
    header = ("model", "published PSNR", *(MEASURES[m].label for m in measures))
    title = f"Table 3 of the paper, and ours: {mask_set['label']}"
    return [Table(title, header, tuple(rows), THEIRS + _trained_with([*models], measures))]


def ahead(results: Results) -> list[Table]:
    """The first model against every other at both bins, and where it is not ahead.

    Another detail of the same weights is no other model; where there is no other, no table.
    """
    sets = _both_bins(results)
    columns = [
        [p for p in _pairs(mask_set) if p["b"].partition("@")[0] != p["a"].partition("@")[0]]
        for mask_set in sets
    ]
    if not all(columns):
        return []
    first = columns[0][0]["a"]
    measures = [m for m in AHEAD if m in columns[0][0]]
    losses, rows = [], []
    for pairs in zip(*columns, strict=True):
        other = f"`{pairs[0]['b']}`"
        rows.append((other, *(_difference(pair, m) for pair in pairs for m in measures)))
        where = [
            f"{MEASURES[m].label.partition(',')[0]} at {_share(mask_set)}"
            for pair, mask_set in zip(pairs, sets, strict=True)
            for m in measures
            if MEASURES[m].ahead(pair[m]) < 1
        ]
        if where:
            losses.append(f"of {other} in {', '.join(where)}")
    header = (
        f"`{first}` minus",
        *(f"{MEASURES[m].label}, {_share(s)}" for s in sets for m in measures),
    )
    named = f"not ahead {'; '.join(losses)}" if losses else "ahead of all in everything"
    note = f"{MARKS} `{first}` is {named}." + _trained_with([*sets[0]["models"]], measures)
    return [Table("", header, tuple(rows), note)]


def _share(mask_set: dict[str, Any]) -> str:
    """The last words of a set's label: how much is hidden."""
    return str(mask_set["label"]).split(", ")[-1].removesuffix(" hidden")


def worst(results: Results) -> list[Table]:
    """The faces on which the first model falls behind each other by most, a table a set."""
    tables = []
    for mask_set in results["sets"].values():
        rows = tuple(
            (
                f"{pair['a']} - {pair['b']}",
                str(case["place"]),
                f"{case['psnr_hidden']:.2f}",
                f"{case['a']:.2f}",
                f"{case['b']:.2f}",
            )
            for pair in _pairs(mask_set)
            for case in pair.get("worst", ())
        )
        if rows:
            header = ("difference", "face", "PSNR of the hidden part, dB", "first", "second")
            title = f"{mask_set['label']}: the largest losses against each"
            note = "Faces by their place in the list. Faces with a gain are no losses."
            tables.append(Table(title, header, rows, note, folded=True))
    return tables


def cost(results: Results) -> list[Table]:
    """Results of the protocol `cost`."""
    rows = []
    for name, model in results["models"].items():
        ms, work = model["milliseconds"], model["multiply_adds"]
        kind = "learned" if model["learned"] else "not learned"
        rows.append(
            (
                f"`{name}`",
                f"{kind}, re-implementation" if model["reimplementation"] else kind,
                f"{ms['median']:.1f} ({ms['minimum']:.1f} to {ms['maximum']:.1f})",
                f"{model['relative']:.2f}",
                f"{model['parameters']:,}",
                "" if work is None else f"{work / 1e9:.3f}",
                f"{model['peak_megabytes']:.0f}",
                f"{model['file_bytes'] / 1e6:.2f}",
            )
        )
    first, *others = results["models"]
    learned = [name for name in others if results["models"][name]["learned"]]
    faster = [f"`{name}`" for name in learned if results["models"][name]["relative"] <= 1]
    header = (
        "model",
        "kind",
        "ms a face, median (range)",
        f"time / that of `{first}`",
        "parameters",
        "multiply-adds, 10^9",
        "memory of the process, MB",
        "files, MB",
    )
    note = (
        f"One 256x256 face, a rectangle over 20 % of it, one thread, {results['rounds']} rounds in "
        "which the models take turns: read the times as ratios. No multiply-adds: the work is a "
        "search or a diffusion. Memory: Python and all libraries included."
    )
    if learned:
        *rest, last = faster or ["none"]
        named = f"{', '.join(rest)} and {last} take" if rest else f"{last} takes"
        note += f" Of the other learned models, {named} as little time as `{first}`."
    return [Table("", header, tuple(rows), note)]


Make = Callable[[Results], list[Table]]
# A document's marker -> the protocol that it is made of, and how.
VIEWS: dict[str, tuple[str, Make]] = {
    "table-2": ("paper", table_2),
    "table-3": ("paper", table_3),
    "ahead": ("paper", ahead),
}
