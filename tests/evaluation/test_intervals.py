import math

import numpy as np
import pytest

from unveil.evaluation.frechet import GROUPS, Grouped
from unveil.evaluation.intervals import estimate, jackknife, paired, quantile


@pytest.mark.parametrize("n", [3, 100])
def test_the_interval_covers_the_true_mean_95_times_in_100(n):
    rng = np.random.default_rng(2)
    intervals = [estimate(rng.normal(3, 2, n)) for _ in range(4000)]
    covered = np.mean([e.low < 3 < e.high for e in intervals])
    assert 0.94 < covered < 0.96


def test_estimate_by_hand():
    e = estimate([1.0, 2.0, 3.0, 6.0])  # sample deviation sqrt(14 / 3)
    assert (e.mean, e.n) == (3, 4)
    t = 3.182446  # three degrees of freedom
    assert e.high - e.mean == pytest.approx(t * math.sqrt(14 / 3) / 2)
    assert e.mean - e.low == pytest.approx(e.high - e.mean)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(1, 12.706205), (9, 2.262157), (2.5, 3.574655), (99, 1.984217), (100, 1.96), (999, 1.96)],
)
def test_few_faces_have_the_quantile_of_student(degrees, expected):
    assert quantile(degrees) == pytest.approx(expected, abs=1e-5)


def test_pairing_takes_out_what_the_faces_share():
    rng = np.random.default_rng(3)
    hard = rng.normal(25, 4, 500)
    a, b = hard + 0.2 + rng.normal(0, 0.1, 500), hard
    difference = paired(list(a), list(b))
    assert difference.low > 0.15
    assert difference.high < 0.25
    assert estimate(a).low < estimate(b).high  # unpaired, the two intervals overlap
    with pytest.raises(ValueError, match="500 and 499"):
        paired(list(a), list(b[1:]))


def test_the_jackknife_by_hand():
    """Ten groups: Student's t of nine degrees of freedom, and nine tenths of the squares' sum."""
    without = tuple(5.0 + (-1) ** g * 0.3 for g in range(GROUPS))
    found = jackknife(Grouped(5.2, without, 100))
    half = 2.262157 * math.sqrt(0.9 * 10 * 0.3**2)
    assert (found.low, found.mean, found.high) == pytest.approx((5.2 - half, 5.2, 5.2 + half))
