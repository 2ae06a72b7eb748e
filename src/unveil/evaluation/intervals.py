"""Means of scores with their 95 % intervals: over faces or, where the data say it, over people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

if TYPE_CHECKING:
    from unveil.evaluation.frechet import Grouped

# From so many degrees of freedom on, the normal distribution's quantile does: Student's is 1.2 %
# wider here and 0.1 % at a thousand faces, and the results that are kept were measured without it.
MANY = 100
QUANTILE = f"t: Student's 97.5 % quantile, 1.96 from {MANY} degrees of freedom on"
OF_FACES = f"mean +- t sample deviations / sqrt(n), faces as the units; {QUANTILE}"
OF_PEOPLE = (
    "mean +- t standard errors, people as the units; of n faces of G people, sqrt(G / (G - 1) x S) "
    f"/ n, S: sum over people of the squared sum of their faces' deviations; {QUANTILE}"
)

People = NDArray[np.integer[Any]]  # (n,) who is on each face, one number a person


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` faces with its 95 % interval low..high; see `described`."""

    mean: float
    low: float
    high: float
    n: int


def described(people: People | None = None) -> str:
    """What results say of the intervals of `estimate`."""
    return OF_FACES if people is None else OF_PEOPLE


def units(n: int, people: People | None = None) -> int:
    """How many independent ones there are among n faces: people, where they are known."""
    return n if people is None else len(np.unique(people))


def counted(people: People | None) -> dict[str, int]:
    """What results say of the people on their faces: how many they are, if they are known."""
    return {} if people is None else {"people": units(len(people), people)}


def faces_of(data: dict[str, Any]) -> str:
    """The faces of results in words, from what they say of their data.

    >>> faces_of({"faces": 1000, "people": 408}), faces_of({"faces": 1000})
    ('1,000 faces of 408 people', '1,000 faces')
    """
    people = f" of {data['people']:,} people" if "people" in data else ""
    return f"{data['faces']:,} faces{people}"


def quantile(degrees: float) -> float:
    """How many standard errors a 95 % interval reaches to each side; see `MANY`.

    >>> round(quantile(9), 4), quantile(999)
    (2.2622, 1.96)
    """
    return float(stdtrit(degrees, 0.975)) if degrees < MANY else 1.96


def estimate(
    values: Sequence[float] | NDArray[np.floating], people: People | None = None
) -> Estimate:
    """Mean and 95 % interval of one value a face.

    Faces of one person are not independent. Where people are known, the standard error is that of
    clusters, G people: sqrt(G / (G - 1) x the sum over people of (the sum of their deviations)^2)
    / n (Cameron and Miller, 2015, A practitioner's guide to cluster-robust inference, section II).
    With one face a person it is the usual one.

    Args:
        values: (n,), each face counts as much as any other.
        people: (n,) who is on each; None: nobody is on two faces.

    Returns:
        Its interval is NaN where there is one face or one person alone.

    Raises:
        ValueError: there are more or fewer people named than values.

    >>> estimate([1.0, 2.0, 3.0]).mean
    2.0
    """
    array = np.asarray(values, dtype=np.float64)
    n, mean = len(array), float(array.mean())
    sums = array - mean if people is None else sum_by_person(array - mean, people)
    g = len(sums)
    if g < 2:
        return Estimate(mean, float("nan"), float("nan"), n)
    deviation = sqrt(np.square(sums).sum() / (g - 1))
    half = quantile(g - 1) * deviation / sqrt(n) * sqrt(g / n)
    return Estimate(mean, mean - half, mean + half, n)


def sum_by_person(values: NDArray[np.float64], people: People) -> NDArray[np.float64]:
    """One value a face, (n,), summed over each person's faces, (G,)."""
    if len(values) != len(people):
        raise ValueError(f"one person a face: {len(people)} and {len(values)}")
    _, place = np.unique(people, return_inverse=True)
    return np.asarray(np.bincount(place, values), dtype=np.float64)


def paired(a: Sequence[float], b: Sequence[float], people: People | None = None) -> Estimate:
    """How much larger `a` is than `b` on the same faces, in the same order; as `estimate`."""
    if len(a) != len(b):
        raise ValueError(f"paired values must be of the same faces: {len(a)} and {len(b)}")
    return estimate(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64), people)


def jackknife(found: Grouped) -> Estimate:
    """A measure of a whole set with its 95 % interval by the delete-a-group jackknife (Shao and Tu,
    1995, section 2.3): a bootstrap would repeat faces, and repeated faces look like a narrower set.
    """
    groups = len(found.without)
    middle = sum(found.without) / groups
    spread = sum((each - middle) ** 2 for each in found.without)
    half = quantile(groups - 1) * sqrt((groups - 1) / groups * spread)
    return Estimate(found.value, found.value - half, found.value + half, found.n)
