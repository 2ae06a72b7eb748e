"""Drawings of results: quality against cost, and training curves."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unveil.errors import DataError
from unveil.evaluation.document import Plot
from unveil.evaluation.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Results = dict[str, Any]

SIZE = (4.8, 3.6)  # inches
# Two colours that nothing else has, which become the page's own.
INK, GROUND = "#010203", "#fdfefc"
OURS, LEARNED, OTHER = "#d9601a", "#3d8fd1", "#8b8b8b"
QUALITY = ("psnr_pasted", "ssim_pasted", "perceptual_pasted", "frechet_pasted")
COSTS = {
    "ms": "milliseconds a face, one thread",
    "work": "multiply-adds, 10^9",
    "parameters": "parameters, 10^6",
}
LEAST = 1.0  # ms; what takes less stands there, or the mean face would press all else together
# Where a name may stand beside its point, in points: right, left, above, below, farther off.
PLACES = [(7, -3), (-7, -3), (0, 7), (0, -13), (7, 8), (7, -14), (-7, 8), (-7, -14)]


def quality_against_cost(mask_set: dict[str, Any], name: str, cost: Results) -> list[Plot]:
    """One plot for each measure of quality and each kind of cost, all models on it.

    Classical methods have no multiply-adds and no parameters, so these plots are of the others.

    Args:
        mask_set: a set of results; `name` is its name.
        cost: results of the protocol `cost`, of the same models.
    """
    plots = []
    models = mask_set["models"]
    for kind, label in COSTS.items():
        costs = {m: c for m in models if m in cost["models"] and (c := _cost(cost, m, kind)) > 0}
        measures = QUALITY if kind == "ms" else ("psnr_pasted", "perceptual_pasted")
        shown = [m for m in measures if all(m in models[model] for model in costs)]
        if len(costs) > 1:
            plots += [_plot(mask_set, name, m, costs, cost, kind, label) for m in shown]
    return plots


def _cost(cost: Results, model: str, kind: str) -> float:
    of = cost["models"][model]
    if kind == "ms":
        return float(of["milliseconds"]["median"])
    if kind == "work":
        return (of["multiply_adds"] or 0) / 1e9
    return of["parameters"] / 1e6 if of["learned"] else 0.0


def _plot(
    mask_set: dict[str, Any],
    name: str,
    measure: str,
    costs: dict[str, float],
    cost: Results,
    kind: str,
    label: str,
) -> Plot:
    from matplotlib.ticker import LogLocator, NullLocator

    figure, axes = _figure()
    first = next(iter(mask_set["models"]))
    how = MEASURES[measure]
    points = []
    for model, real in costs.items():
        x = max(real, LEAST) if kind == "ms" else real
        found = mask_set["models"][model][measure]
        learned = cost["models"][model]["learned"]
        colour = OURS if model == first else LEARNED if learned else OTHER
        spread = [[found["mean"] - found["low"]], [found["high"] - found["mean"]]]
        marker = "o" if learned else "s"
        axes.errorbar(x, found["mean"], spread, color=colour, marker=marker, markersize=6)
        points.append(
            (model if x == real else f"{model} (under {LEAST:g} ms)", x, found["mean"], colour)
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.18, y=0.12)
    better = "higher" if how.sign > 0 else "lower"
    axes.set(xlabel=f"{label} (less is better)", ylabel=f"{how.label}\n({better} is better)")
    _name_points(figure, axes, points)
    title = f"{how.label} against {label.split(',')[0]}: {mask_set['label']}"
    return _finish(figure, f"{name}-{measure}-{kind}".replace("_", "-"), title)


def _name_points(
    figure: Figure, axes: Axes, points: Sequence[tuple[str, float, float, str]]
) -> None:
    """Write each name where it covers no other name and no point, if there is such a place."""
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()
    half = 4 * figure.dpi / 72  # of a point's mark, in pixels
    middles = axes.transData.transform([(x, y) for _, x, y, _ in points])
    taken = [Bbox.from_extents(x - half, y - half, x + half, y + half) for x, y in middles]
    for name, x, y, colour in sorted(points, key=lambda p: -p[2]):
        text = axes.annotate(name, (x, y), PLACES[0], textcoords="offset points", fontsize=9)
        text.set_color(colour if colour == OURS else INK)
        covered = [_covered(text, place, taken, axes) for place in PLACES]
        _covered(text, PLACES[covered.index(min(covered))], taken, axes)
        taken.append(text.get_window_extent().padded(2))


def _covered(text: Any, place: tuple[int, int], taken: Sequence[Any], axes: Axes) -> float:
    """Put a text at a place; how many square pixels of others it covers there, or lie outside."""
    text.set_position(place)
    text.set_horizontalalignment(("center", "left", "right")[(place[0] > 0) - (place[0] < 0)])
    box = text.get_window_extent().padded(2)
    outside = box.width * box.height - _overlap(box, axes.bbox)
    return round(float(outside) + sum(_overlap(box, other) for other in taken), 3)


def _overlap(a: Any, b: Any) -> float:
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(0.0, float(width)) * max(0.0, float(height))


# What logs tell of validation faces, each drawn alone: not all are of the same masks and output.
CURVES = {
    "psnr_pasted": "PSNR behind the paper's rectangles\n(4-15 % hidden), pasted (dB)",
    "psnr_10_15": "PSNR of the sharp output behind\nrectangles (10-15 % hidden), pasted (dB)",
    "mask_iou": "IoU of the mask found",
}


def training_curves(logs: Sequence[Path]) -> list[Plot]:
    """What the logs of trainings say of validation faces: a plot for each of `CURVES`.

    Args:
        logs: CSV files of `unveil train`, with columns faces, name and value.

    Raises:
        DataError: a file cannot be read or is no such log.
    """
    stems = [path.stem for path in logs]
    # `unveil train` calls each of them log.csv, in the folder of its run.
    labels = [
        path.stem if stems.count(path.stem) == 1 else f"{path.resolve().parent.name}/{path.stem}"
        for path in logs
    ]
    tables = [(label, _read_log(path)) for label, path in zip(labels, logs, strict=True)]
    plots = []
    for name, what in CURVES.items():
        figure, axes = _figure()
        for label, rows in tables:
            points = [(faces, value) for faces, of, value in rows if of == name]
            if points:
                axes.plot(*zip(*points, strict=True), marker=".", label=label)
        if axes.lines:
            axes.set(xlabel="faces seen in training", ylabel=what)
            axes.locator_params(axis="x", nbins=5)  # or six digits run into each other
            axes.legend(frameon=False, labelcolor=INK, fontsize=9)
            title = f"{' '.join(what.split())} in training"
            plots.append(_finish(figure, f"training-{name}".replace("_", "-"), title))
    return plots


def _read_log(path: Path) -> list[tuple[int, str, float]]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return [(int(r["faces"]), r["name"], float(r["value"])) for r in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a log of `unveil train`: {error}") from None


def _figure() -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained", facecolor=GROUND)
    axes = figure.add_subplot(facecolor=GROUND)
    axes.tick_params(colors=INK, which="both")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    axes.grid(alpha=0.25, color=OTHER)
    return figure, axes


def _finish(figure: Figure, name: str, title: str) -> Plot:
    """Draw, and take out what an SVG inside a page may not have: its head, links and double ids."""
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": title}
        )
    text = buffer.getvalue()
    alone = text.replace(GROUND, "#ffffff").replace(INK, "#000000")
    svg = text[text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[a-z0-9]+_\d+"', "", svg)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"| version="[^"]*"', "", svg)
    svg = re.sub(r'<svg width="[^"]*" height="[^"]*"', '<svg role="img"', svg, count=1)
    return Plot(name, title, svg.replace(GROUND, "none").replace(INK, "currentColor"), alone)
