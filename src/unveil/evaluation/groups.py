"""For whom does it work less well? The scores of a protocol, by skin tone, sex and age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unveil import __version__
from unveil.data.faces import FaceSet
from unveil.evaluation.candidates import Spec
from unveil.evaluation.document import Table
from unveil.evaluation.intervals import (
    People,
    counted,
    described,
    estimate,
    faces_of,
    quantile,
    sum_by_person,
    units,
)
from unveil.evaluation.measures import MEASURES
from unveil.evaluation.protocols import SEED, MaskSet
from unveil.evaluation.recognisers import see
from unveil.evaluation.scores import SCORES
from unveil.evaluation.skin_tone import CLASSES, NO_COLOUR, SkinTone, measure
from unveil.imaging import Mask
from unveil.models.faceres import PACKAGE

PROTOCOL = "groups"
TONES = (*(name for name, _ in CLASSES), NO_COLOUR)
SEXES = ("female", "male")
AGES = (("under 30", 0), ("30 to 44", 30), ("45 and over", 45))  # and the age each begins with
TONE, SEX, AGE = "skin tone", "sex", "age"
GUESSED = f"guessed by HSE-FaceRes ({PACKAGE}) from the clean photo"
FEW = 30  # faces; a group of fewer says little
NOT_SCORES = ("coverage",)
SHOWN = ("psnr_pasted", "psnr_hidden", "ssim_hidden_pasted", "perceptual_pasted", "mask_iou")


@dataclass(frozen=True)
class Attribute:
    """What parts the faces into groups.

    Attributes:
        name: what it is.
        how: measured, or guessed by whom.
        order: of the groups' names.
        groups: (N,) each face's.
        more: what else there is to say, for the results.
    """

    name: str
    how: str
    order: tuple[str, ...]
    groups: NDArray[np.str_]
    more: dict[str, Any] = field(default_factory=dict)


def attributes(faces: FaceSet, faceres: Path | None) -> list[Attribute]:
    """Skin tone, measured; sex and age too, guessed, with `faceres.json` at hand.

    Raises:
        WeightsError: `faceres` is not that file.
    """
    tones = [measure(np.ascontiguousarray(face)) for face in faces.faces]
    how = (
        "individual typology angle of the cheeks of the clean photo, Chardon et al. (1991), sRGB, "
        "D65, in the light the photo was taken in"
    )
    more = {"angle": _angles(tones), "classes": dict(CLASSES)}
    found = [Attribute(TONE, how, TONES, np.array([tone.group for tone in tones]), more)]
    if faceres is not None:
        seen = see(np.asarray(faces.faces), faceres)
        sexes = np.where(seen.male.numpy() > 0.5, "male", "female")
        starts = [start for _, start in AGES[1:]]
        names = tuple(name for name, _ in AGES)
        ages = np.array(names)[np.digitize(seen.age.numpy(), starts)]
        found += [Attribute(SEX, GUESSED, SEXES, sexes), Attribute(AGE, GUESSED, names, ages)]
    return found


def by_group(
    columns: Mapping[tuple[str, str], Mapping[str, Sequence[Any]]],
    specs: Sequence[Spec],
    sets: Sequence[MaskSet],
    parted: Sequence[Attribute],
    *,
    data: str,
    sha256: str,
    people: People | None = None,
) -> dict[str, Any]:
    """Results, `groups.json`.

    Args:
        columns: (set's name, model's label) -> score -> one value a face.
        specs, sets: what those were measured with.
        parted: by what the faces are parted.
        data: what the faces are called in the results.
        sha256: of the faces (`benchmark.faces_sha256`).
        people: (N,) who is on each face, the units of the intervals; None: faces are.
    """
    n = len(parted[0].groups)
    return {
        "protocol": PROTOCOL,
        "unveil": __version__,
        "data": {"name": data, "faces": n, **counted(people), "sha256": sha256},
        "seed": SEED,
        "masks_sha256": {s.name: s.sha256(range(n)) for s in sets},
        "interval": described(people) + "; differences: Welch",
        "models": {spec.label: {"sha256": dict(spec.sha256)} for spec in specs},
        "attributes": {
            each.name: _of_attribute(columns, specs, sets, each, people) for each in parted
        },
    }


def _of_attribute(
    columns: Mapping[tuple[str, str], Mapping[str, Sequence[Any]]],
    specs: Sequence[Spec],
    sets: Sequence[MaskSet],
    attribute: Attribute,
    people: People | None,
) -> dict[str, Any]:
    """How the faces are parted, and the scores of each part."""
    members = {name: attribute.groups == name for name in attribute.order}
    count = {name: int(of.sum()) for name, of in members.items()}
    # What one face or person is the whole of has no interval, and nothing is compared with it.
    parts = {name: of for name, of in members.items() if _units(of, people) > 1}
    largest = max(parts or members, key=lambda name: count[name])
    return {
        "how": attribute.how,
        **attribute.more,
        "faces": count,
        **(
            {}
            if people is None
            else {"people": {n: _units(of, people) for n, of in members.items()}}
        ),
        "largest": largest,
        "sets": {
            s.name: {
                "label": s.label,
                "models": {
                    spec.label: _of_model(columns[s.name, spec.label], parts, largest, people)
                    for spec in specs
                },
            }
            for s in sets
        },
    }


def _angles(tones: Sequence[SkinTone]) -> dict[str, float]:
    """How the angles lie, and how far the two cheeks of one face differ."""
    angles = [tone.angle for tone in tones if tone.angle is not None]
    apart = [abs(tone.cheeks[0] - tone.cheeks[1]) for tone in tones if tone.cheeks is not None]
    if not angles:
        return {}
    quartiles = dict(
        zip(("low", "median", "high"), np.percentile(angles, [25, 50, 75]), strict=True)
    )
    rounded = {name: round(float(value), 2) for name, value in quartiles.items()}
    return rounded | {"cheeks_apart": round(float(np.median(apart)), 2)}


def _units(members: Mask, people: People | None) -> int:
    return units(int(members.sum()), None if people is None else people[members])


def _of_model(
    scores: Mapping[str, Sequence[Any]],
    parts: Mapping[str, Mask],
    largest: str,
    people: People | None,
) -> dict[str, Any]:
    """Group -> every score, and its difference from the largest group's."""
    columns = {
        n: np.array(scores[n]) for n in SCORES if n not in NOT_SCORES and None not in scores[n]
    }
    summary: dict[str, Any] = {}
    for group, of in parts.items():
        who = None if people is None else people[of]
        summary[group] = {n: asdict(estimate(values[of], who)) for n, values in columns.items()}
        summary[group]["difference"] = {
            n: _difference(values, of, parts[largest], people) for n, values in columns.items()
        }
    return summary


def _difference(
    values: NDArray[np.float64], ours: Mask, theirs: Mask, people: People | None
) -> dict[str, float]:
    """Mean of ours minus mean of theirs, with its 95 % interval: Welch's (1947), from the standard
    errors of `intervals.estimate`.

    Somebody with faces in both groups moves both means, and the difference by less than each: that
    counts, too. Between groups that share nobody it is Welch's error.
    """
    mean = float(values[ours].mean() - values[theirs].mean())
    a, b = (_errors(values, of, people) for of in (ours, theirs))
    half, error = 0.0, float(np.sqrt(np.square(a - b).sum()))
    if error:
        squares = np.array([np.square(each).sum() for each in (a, b)])
        counts = np.array([_units(of, people) for of in (ours, theirs)])
        degrees = squares.sum() ** 2 / (squares**2 / (counts - 1)).sum()
        half = quantile(float(degrees)) * error
    return {"mean": mean, "low": mean - half, "high": mean + half}


def _errors(
    values: NDArray[np.float64], members: Mask, people: People | None
) -> NDArray[np.float64]:
    """How far each person moves the members' mean; the sum of the squares is its error squared."""
    count = _units(members, people)
    deviations = np.where(members, values - values[members].mean(), 0.0)
    sums = deviations if people is None else sum_by_person(deviations, people)
    return np.asarray(sums * np.sqrt(count / (count - 1)) / members.sum())


def lead(results: dict[str, Any]) -> str:
    """What the tables are of, and how far the groups can be trusted."""
    data, parted = results["data"], results["attributes"]
    angle = parted[TONE]["angle"]
    angles = (
        f" Skin tone is measured on the cheeks: the middle half of the angles lies between "
        f"{angle['low']:.0f}° and {angle['high']:.0f}°; the two cheeks of one face differ by "
        f"{angle['cheeks_apart']:.0f}° in the median, so light decides as well as skin."
        if angle
        else ""
    )
    missing = [name for name, count in parted[TONE]["faces"].items() if not count]
    none = f" No face at all: {', '.join(missing)}." if missing else ""
    guessed = [name for name in parted if name != TONE]
    guesses = (
        f" By {' and '.join(guessed)} as a network guesses them (HSE-FaceRes), wrongly for some."
        if guessed
        else ""
    )
    return (
        f"{faces_of(data)} ({data['name']}), model {next(iter(results['models']))}; mean, "
        f"and in brackets the difference from the largest group of each kind with its 95 % "
        f"interval.{angles}"
        f"{guesses} A group of under {FEW} faces is marked: it says little.{none}"
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """A table for each attribute and mask set, of the first model."""
    model = next(iter(results["models"]))
    return [
        _table(attribute, parted, of_set, of_set["models"][model])
        for attribute, parted in results["attributes"].items()
        for of_set in parted["sets"].values()
    ]


def _table(
    attribute: str, parted: dict[str, Any], of_set: dict[str, Any], groups: dict[str, Any]
) -> Table:
    classes = parted.get("classes", {})
    label = {name: f"{name} (over {least:g}°)" for name, least in classes.items()}
    shown = [m for m in SHOWN if all(m in scores for scores in groups.values())]
    rows = []
    for name, scores in groups.items():
        faces = parted["faces"][name]
        count = f"{faces} (few)" if faces < FEW else f"{faces}"
        rows.append((label.get(name, name), count, *(_cell(scores, m) for m in shown)))
    header = (attribute, "faces", *(MEASURES[m].label for m in shown))
    note = _worse(groups, shown, parted)
    return Table(f"By {attribute}: {of_set['label']}", header, tuple(rows), note)


def _worse(groups: dict[str, Any], shown: Sequence[str], parted: dict[str, Any]) -> str:
    """Where an interval of a difference leaves zero out, to the worse; not of a few faces."""
    compared = {
        name: scores["difference"]
        for name, scores in groups.items()
        if parted["faces"][name] >= FEW and name != parted["largest"]
    }
    if not compared:
        return f"No other group has {FEW} faces: nothing is compared."
    worse = {
        name: [MEASURES[m].label for m in shown if MEASURES[m].ahead(difference[m]) == -1]
        for name, difference in compared.items()
    }
    named = [f"{name} ({'; '.join(labels)})" for name, labels in worse.items() if labels]
    if not named:
        return f"No group of {FEW} faces or more is worse by more than its interval."
    cells = len(compared) * len(shown)
    return (
        f"Worse by more than its interval: {', '.join(named)}. One difference in forty is so by "
        f"chance: of the {cells} here, {cells / 40:g} on average."
    )


def _cell(scores: dict[str, Any], name: str) -> str:
    mean, off = MEASURES[name].number(scores[name]["mean"]), scores["difference"][name]
    if off["low"] == off["high"]:  # the largest group itself
        return mean
    low, high = (f"{off[key]:+.{MEASURES[name].digits}f}" for key in ("low", "high"))
    return f"{mean} ({off['mean']:+.{MEASURES[name].digits}f}; {low} to {high})"
