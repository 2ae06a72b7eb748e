"""How far two sets of faces are apart as sets: the Fréchet distance of their features.

Both sets' features are taken for Gaussians; the distance is that of Dowson and Landau (1982),
|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), as Heusel et al. (2017) use it. The features here are
SqueezeNet's (`perception.py`), not those of the Inception network, so this is not FID and no number
of it may stand beside one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from unveil.evaluation.intervals import People

Features = NDArray[np.floating]

GROUPS = 10


def frechet_distance(a: Features, b: Features) -> float:
    """Squared Fréchet distance of two sets of features, (n, d) and (m, d); n and m at least 2.

    No matrix square root is taken: with centred features A and B, scaled so that C1 = A'A and
    C2 = B'B, the eigenvalues of C1 C2 are the squared singular values of A B', so that the trace of
    its root is the sum of those. That loses no digits where a covariance is singular, as it is with
    fewer faces than features.

    >>> set_of = np.array([[-1.0, 0], [1, 0], [0, -1], [0, 1]])
    >>> round(frechet_distance(set_of, 3 * set_of + 5), 6)  # 2 x 5^2 and 2 x (1 - 3)^2 x 2/3
    55.333333
    """
    mean_a, root_a = _gaussian(a)
    mean_b, root_b = _gaussian(b)
    common = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    spread = np.square(root_a).sum() + np.square(root_b).sum() - 2 * common
    return max(0.0, float(np.square(mean_a - mean_b).sum() + spread))


def _gaussian(features: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean, and R with R'R = the sample covariance."""
    values = np.asarray(features, dtype=np.float64)
    if len(values) < 2:
        raise ValueError("a covariance takes two faces at least")
    mean = values.mean(axis=0)
    triangle = np.linalg.qr((values - mean) / np.sqrt(len(values) - 1), mode="r")
    return mean, np.asarray(triangle)


@dataclass(frozen=True)
class Grouped:
    """A measure of a whole set of `n` faces, and the same with each tenth of them left out.

    The tenths are the same faces for every model, so that two models' can be compared in pairs, and
    all faces of a person, where people are known, are in one: else the intervals are too narrow.
    `intervals.jackknife` makes an interval of it.
    """

    value: float
    without: tuple[float, ...]
    n: int

    def __sub__(self, other: Grouped) -> Grouped:
        """How much larger this is than another of the same faces."""
        if (self.n, len(self.without)) != (other.n, len(other.without)):
            raise ValueError(f"not of the same faces: {self.n} and {other.n}")
        pairs = zip(self.without, other.without, strict=True)
        return Grouped(self.value - other.value, tuple(a - b for a, b in pairs), self.n)


def grouped_distance(a: Features, b: Features, people: People | None = None) -> Grouped | None:
    """`frechet_distance` of the same n faces, restored (n, d) and clean (n, d), and its jackknife.

    Args:
        people: (n,) who is on each; None: nobody is on two faces.

    Returns:
        None where there are too few faces, or people, for an interval: fewer than 2 `GROUPS`.
    """
    n = len(a)
    units = np.arange(n) if people is None else np.unique(people, return_inverse=True)[1]
    if n == 0 or units.max() + 1 < 2 * GROUPS:
        return None
    group = units % GROUPS
    without = tuple(frechet_distance(a[group != g], b[group != g]) for g in range(GROUPS))
    return Grouped(frechet_distance(a, b), without, n)
