"""Means of scores with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

if TYPE_CHECKING:
    from unveil.evaluation.frechet import Grouped

# From so many degrees of freedom on, the normal distribution's quantile does: Student's is 1.2 %
# wider here and 0.1 % at a thousand faces, and the results that are kept were measured without it.
MANY = 100
INTERVAL = (
    "mean +- t sample deviations / sqrt(n), faces as the units; t: Student's 97.5 % quantile, 1.96 "
    f"from {MANY} degrees of freedom on"
)


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` faces with its 95 % interval low..high; see `INTERVAL`."""

    mean: float
    low: float
    high: float
    n: int


def quantile(degrees: float) -> float:
    """How many standard errors a 95 % interval reaches to each side; see `MANY`.

    >>> round(quantile(9), 4), quantile(999)
    (2.2622, 1.96)
    """
    return float(stdtrit(degrees, 0.975)) if degrees < MANY else 1.96


def estimate(values: Sequence[float] | NDArray[np.floating]) -> Estimate:
    """Mean and 95 % interval of one value a face.

    >>> estimate([1.0, 2.0, 3.0]).mean
    2.0
    """
    array = np.asarray(values, dtype=np.float64)
    n, mean = len(array), float(array.mean())
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"), n)
    half = quantile(n - 1) * float(array.std(ddof=1)) / float(np.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)


def paired(a: Sequence[float], b: Sequence[float]) -> Estimate:
    """How much larger `a` is than `b` on the same faces, in the same order."""
    if len(a) != len(b):
        raise ValueError(f"paired values must be of the same faces: {len(a)} and {len(b)}")
    return estimate(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))


def jackknife(found: Grouped) -> Estimate:
    """A measure of a whole set with its 95 % interval by the delete-a-group jackknife (Shao and Tu,
    1995, section 2.3): a bootstrap would repeat faces, and repeated faces look like a narrower set.
    """
    groups = len(found.without)
    middle = sum(found.without) / groups
    spread = sum((each - middle) ** 2 for each in found.without)
    half = quantile(groups - 1) * sqrt((groups - 1) / groups * spread)
    return Estimate(found.value, found.value - half, found.value + half, found.n)
