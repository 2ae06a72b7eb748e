"""Are two photos of one person? Accuracy and true accepts of distances, with thresholds fixed on
other folds (the protocol of Labeled Faces in the Wild; Huang et al., 2007).

Two photos match if their distance is below a threshold. A false accept is a match of two people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unveil.errors import DataError
from unveil.evaluation.intervals import Estimate
from unveil.imaging import Mask

Array = NDArray[np.float32]

FALSE_ACCEPTS = (0.01, 0.001)
DRAWS, SEED = 2000, 2025


@dataclass(frozen=True)
class Pairs:
    """Pairs of photos, in folds of which no two show the same person.

    Attributes:
        first, second: (P,) places in the list of photos.
        same: (P,) bool, True = one person.
        fold: (P,) int.
        person: (N,) int, who is on each photo.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    same: Mask
    fold: NDArray[np.intp]
    person: NDArray[np.intp]

    def __post_init__(self) -> None:
        if len(np.unique(self.fold)) < 2:
            raise DataError("a threshold is fixed on other folds: the pairs need at least two")
        for fold in np.unique(self.fold):
            here, there = (self.person[self.photos(fold, out)] for out in (False, True))
            if np.intersect1d(here, there).size:
                raise DataError(f"fold {fold} shows a person of another fold")

    def check_both(self) -> None:
        """Folds are judged by thresholds that the others fix, on pairs of one person and of two.

        Raises:
            DataError: the other folds of one have only pairs of one kind.
        """
        for fold in np.unique(self.fold):
            if len(set(self.same[self.fold != fold].tolist())) < 2:
                raise DataError(
                    f"the thresholds of fold {fold} are fixed on the other folds, which need pairs "
                    "of one person and pairs of two"
                )

    def photos(self, fold: int, others: bool = False) -> NDArray[np.intp]:
        """The photos of a fold's pairs, or of all other folds'."""
        of = (self.fold == fold) != others
        return np.unique(np.concatenate([self.first[of], self.second[of]]))


@dataclass(frozen=True)
class Thresholds:
    """What one fold is judged by: the threshold of most accuracy, and those of `FALSE_ACCEPTS`."""

    accuracy: float
    accepts: tuple[float, ...]


@dataclass(frozen=True)
class Condition:
    """Embeddings under which the pairs are compared.

    Attributes:
        first: (N, D) of every photo as the first of a pair.
        second: (N, D) as the second: equal to `first` where both are treated alike.
    """

    first: Array
    second: Array

    def distances(self, pairs: Pairs) -> Array:
        """(P,) Euclidean distances of the listed pairs."""
        difference = self.first[pairs.first] - self.second[pairs.second]
        return np.asarray(np.linalg.norm(difference, axis=1), dtype=np.float32)

    def crossed(self, photos: NDArray[np.intp]) -> Array:
        """(n, n) distances of each of these photos, as a first one, to each as a second one."""
        a, b = self.first[photos], self.second[photos]
        square = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        return np.asarray(np.sqrt(np.maximum(square, 0)), dtype=np.float32)


def best_threshold(distances: Array, same: Mask) -> float:
    """The threshold that decides most pairs rightly; of several, the middle one.

    >>> round(best_threshold(np.float32([0.2, 0.4, 0.6, 0.8]), np.array([1, 1, 0, 0], bool)), 3)
    0.5
    """
    order = np.argsort(distances, kind="stable")
    d, s = distances[order], same[order]
    # With the k nearest accepted: same ones among them, and different ones beyond.
    right = np.concatenate([[0], np.cumsum(s)]) + (~s).sum() - np.concatenate([[0], np.cumsum(~s)])
    edges = np.concatenate([[d[0] - 1], (d[1:] + d[:-1]) / 2, [d[-1] + 1]])
    best = np.flatnonzero(right == right.max())
    return float(edges[best[len(best) // 2]])


def threshold_at(impostors: Array, rate: float) -> float:
    """The largest threshold that accepts at most this share of the distances of two people.

    >>> threshold_at(np.arange(100, dtype=np.float32), 0.02)
    2.0
    """
    count = int(np.floor(rate * len(impostors)))
    return float(np.partition(impostors, count)[count])


def thresholds(condition: Condition, pairs: Pairs) -> dict[int, Thresholds]:
    """For each fold, fixed on all other folds than it.

    The one of most accuracy on their listed pairs, those of false accepts on all pairs of two
    people that their photos form: 300 listed ones do not show one in a thousand.
    """
    distances, fixed = condition.distances(pairs), {}
    for fold in np.unique(pairs.fold):
        others = pairs.fold != fold
        photos = pairs.photos(fold, others=True)
        impostors = condition.crossed(photos)[two_people(pairs, photos)]
        fixed[int(fold)] = Thresholds(
            best_threshold(distances[others], pairs.same[others]),
            tuple(threshold_at(impostors, rate) for rate in FALSE_ACCEPTS),
        )
    return fixed


def two_people(pairs: Pairs, photos: NDArray[np.intp]) -> Mask:
    """(n, n) True where two of these photos show different people."""
    who = pairs.person[photos]
    return np.asarray(who[:, None] != who, dtype=np.bool_)


@dataclass(frozen=True)
class Outcome:
    """What thresholds, one set for each fold, decide.

    Attributes:
        right: (P,) bool, the decision on each listed pair is right.
        accepted: (P,) bool, it is taken for one person (threshold of most accuracy).
        accepts: for each of `FALSE_ACCEPTS`, (P,) bool.
    """

    right: Mask
    accepted: Mask
    accepts: tuple[Mask, ...]


def decide(condition: Condition, pairs: Pairs, fixed: Mapping[int, Thresholds]) -> Outcome:
    """Judge every fold's listed pairs by the thresholds that `fixed` has for it."""
    listed = [fixed[int(fold)] for fold in pairs.fold]
    distances = condition.distances(pairs)
    accepted = distances < np.array([t.accuracy for t in listed])
    return Outcome(
        right=accepted == pairs.same,
        accepted=accepted,
        accepts=tuple(
            distances < np.array([t.accepts[i] for t in listed]) for i in range(len(FALSE_ACCEPTS))
        ),
    )


def bootstrap(values: Sequence[float] | NDArray[np.generic]) -> Estimate:
    """The mean of one value a pair, with its 95 % percentile interval over redrawn pairs.

    >>> bootstrap([1, 1, 1]).low
    1.0
    """
    array = np.asarray(values, dtype=np.float64)
    means = _counts(len(array)) @ array / len(array)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


@lru_cache(maxsize=16)
def _counts(n: int, twin: int = 0) -> NDArray[np.float64]:
    """How often each of n units is in each of `DRAWS` redrawn samples: (DRAWS, n); other draws for
    another `twin`.
    """
    rng = np.random.default_rng([SEED, twin])
    return rng.multinomial(n, np.full(n, 1 / n), DRAWS).astype(np.float64)


def false_accepts(condition: Condition, pairs: Pairs, limits: Mapping[int, float]) -> Estimate:
    """The share of pairs of two people, all that the photos of each fold form, below its limit.

    These pairs share photos and people, so whole people are redrawn.
    """
    accepted, total = np.zeros(DRAWS + 1), np.zeros(DRAWS + 1)
    count = 0
    sizes: list[int] = []
    for fold, limit in limits.items():
        photos = pairs.photos(fold)
        different = two_people(pairs, photos)
        _, person = np.unique(pairs.person[photos], return_inverse=True)
        people = int(person.max()) + 1
        # Folds of as many people are not redrawn alike: they would be one in all draws.
        draws = _counts(people, sizes.count(people))
        sizes.append(people)
        weights = np.concatenate([np.ones((1, people)), draws])[:, person]
        weights = weights.astype(np.float32)
        taken = different & (condition.crossed(photos) < limit)
        for sums, of in ((accepted, taken), (total, different)):
            sums += np.einsum("di,di->d", weights @ of.astype(np.float32), weights)
        count += int(different.sum())
    some = total > 0  # a draw may hold one person only
    low, high = np.percentile(accepted[1:][some[1:]] / total[1:][some[1:]], [2.5, 97.5])
    return Estimate(float(accepted[0] / total[0]), float(low), float(high), count)
