"""How well a model finds what hides a face: IoU for each kind of occluder, and false alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unveil.evaluation.document import Table
from unveil.evaluation.intervals import (
    People,
    counted,
    described,
    estimate,
    faces_of,
    units,
)
from unveil.evaluation.metrics import iou
from unveil.evaluation.protocols import SEED
from unveil.imaging import Photo, occlude
from unveil.occlusion.compose import compose
from unveil.occlusion.objects.choose import OBJECTS
from unveil.occlusion.objects.files import FileOccluders
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Drawer
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import rectangle, strokes
from unveil.progress import track

THRESHOLD = 0.5
NOTHING = "clean faces"
STREAM, FILES_STREAM = 100, 101  # no mask set has these numbers
FILES = "files, held back"

Values = dict[int, float]  # of faces, by their places
Hidden = tuple[Photo, NDArray[np.float32]]
Kind = Callable[[Photo, Seeded], Hidden]


def kinds() -> dict[str, Kind]:
    """What hides a face, by name: every drawn family, black shapes, and nothing."""
    table: dict[str, Kind] = {
        name: partial(_layer, draw=draw) for name, (draw, _) in OBJECTS.items()
    }
    table["black rectangles"] = partial(_shape, draw=partial(rectangle, low=0.1, high=0.3))
    table["black strokes"] = partial(_shape, draw=partial(strokes, low=0.1, high=0.3))
    table[NOTHING] = _nothing
    return table


def _layer(face: Photo, rng: Seeded, draw: Drawer) -> Hidden:
    floats = rng.floats()
    return compose(face, draw(floats, Head.of(face)), floats)


def _shape(face: Photo, rng: Seeded, draw: Callable[[Seeded], NDArray[np.bool_]]) -> Hidden:
    mask = draw(rng)
    return occlude(face, mask), mask.astype(np.float32)


def _nothing(face: Photo, rng: Seeded) -> Hidden:
    return face, np.zeros(face.shape[:2], np.float32)


def measure(
    find: Callable[[Photo], NDArray[np.float32]],
    faces: Sequence[Photo] | Photo,
    files: FileOccluders | None,
    *,
    name: str,
    data: str,
    people: People | None = None,
) -> dict[str, Any]:
    """Results of a segmenter, `segmenter.json`.

    The kinds take turns over the faces; clean faces, and files, are measured on all of them. Of a
    kind that hides nothing (clear glasses) and of clean faces, what counts is the share of pixels
    that are found by mistake.

    Args:
        find: (256, 256, 3) uint8 -> (256, 256) in [0, 1], above 0.5 = hidden.
        faces: (N, 256, 256, 3) uint8.
        files: templates that no training saw; None: none.
        name, data: of the model and of the faces, for the results.
        people: (N,) who is on each face, the units of the intervals; None: faces are.
    """
    table = kinds()
    overlaps: dict[str, Values] = {}
    alarms: dict[str, Values] = {NOTHING: {}}
    hiding = [kind for kind in table if kind != NOTHING]
    for place, face in enumerate(track(list(faces), "finding occluders", len(faces))):
        clean = np.ascontiguousarray(face)
        alarms[NOTHING][place] = float((find(clean) > THRESHOLD).mean())
        kind = hiding[place % len(hiding)]
        photo, alpha = table[kind](clean, Seeded(SEED, STREAM, place))
        _note(find(photo), alpha, (kind,), place, overlaps, alarms)
    everything: Values = {}
    for each in overlaps.values():
        everything |= each
    if files is not None:
        for place, face in enumerate(track(list(faces), "finding files", len(faces))):
            what, (photo, alpha) = _file(face, files, Seeded(SEED, FILES_STREAM, place))
            _note(find(photo), alpha, (FILES, f"{FILES}: {what}"), place, overlaps, alarms)
    return {
        "protocol": "segmenter",
        "model": name,
        "data": {"name": data, "faces": len(faces), **counted(people)},
        "seed": SEED,
        "interval": described(people),
        "iou": _estimates({"all": everything} | overlaps, people),
        "false_positive": _estimates(alarms, people),
    }


def _file(face: Photo, files: FileOccluders, rng: Seeded) -> tuple[str, Hidden]:
    """A face behind one of the files, and what it is."""
    floats, clean = rng.floats(), np.ascontiguousarray(face)
    head = Head.of(clean)
    template = files.choose(floats, head)
    return template.anchor.kind, compose(clean, files.put_on(floats, head, template), floats)


def _note(
    found: NDArray[np.float32],
    alpha: NDArray[np.float32],
    names: Sequence[str],
    place: int,
    overlaps: dict[str, Values],
    alarms: dict[str, Values],
) -> None:
    """Keep how well an occluder was found, or, of one that hides nothing, how much of it was."""
    truth = alpha > THRESHOLD
    for name in names:
        if truth.any():
            overlaps.setdefault(name, {})[place] = iou(found, truth, THRESHOLD)
        else:
            alarms.setdefault(name, {})[place] = float((found > THRESHOLD).mean())


def _estimates(values: dict[str, Values], people: People | None) -> dict[str, dict[str, float]]:
    """By kind; one face or person alone has no interval, and is left to the mean over all."""
    found = {}
    for kind, some in values.items():
        who = None if people is None else people[list(some)]
        if units(len(some), who) > 1:
            found[kind] = asdict(estimate(list(some.values()), who))
    return found


def lead(results: dict[str, Any]) -> str:
    """What the tables are of."""
    data = results["data"]
    return (
        f"{faces_of(data)} ({data['name']}), model {results['model']}; mean and 95 % interval, cut "
        "off where no value can lie: of a few faces it is a rough one."
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """The results, worst kind first."""
    found = sorted(results["iou"].items(), key=lambda item: float(item[1]["mean"]))
    kinds_of = tuple((kind, _interval(value, 1, 3)) for kind, value in found)
    alarms = tuple(
        (kind, _interval(value, 100, 2)) for kind, value in results["false_positive"].items()
    )
    return [
        Table("", ("occluder", "IoU"), kinds_of),
        Table("", ("nothing to find", "pixels found, %"), alarms),
    ]


def _interval(value: dict[str, float], scale: float, digits: int) -> str:
    """Of a share, 0..1, times `scale`: Student's interval reaches further where faces are few."""
    shares = (min(max(value[key], 0.0), 1.0) for key in ("mean", "low", "high"))
    mean, low, high = (f"{scale * share:.{digits}f}" for share in shares)
    return f"{mean} ({low} to {high})"
