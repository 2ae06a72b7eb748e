import math

import numpy as np
import pytest

from unveil.evaluation.frechet import GROUPS, Grouped
from unveil.evaluation.intervals import (
    OF_FACES,
    counted,
    described,
    estimate,
    jackknife,
    paired,
    quantile,
)


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


def some_people(rng, count):
    """Who is on some faces, one to six a person, and scores that are partly the person's."""
    faces = rng.permutation(np.repeat(np.arange(count), rng.integers(1, 7, count)))
    return faces, rng.normal(25, 3, count)[faces] + rng.normal(0, 2, len(faces))


@pytest.mark.parametrize("n", [2, 30, 1000])
def test_people_with_one_face_each_have_the_interval_of_faces_to_the_digit(n):
    values = np.random.default_rng(5).normal(25, 4, n)
    half = quantile(n - 1) * values.std(ddof=1) / np.sqrt(n)
    expected = (values.mean(), values.mean() - half, values.mean() + half, n)
    for people in (None, np.arange(n), 3 * np.arange(n) + 7):
        found = estimate(values, people)
        assert (found.mean, found.low, found.high, found.n) == expected


def test_the_interval_of_people_by_hand():
    """Of 1 and 3, one person's, and 8: deviations -3, -1 and 4, sums -4 and 4, G = 2, n = 3."""
    found = estimate([1.0, 8.0, 3.0], np.array([4, 9, 4]))
    half = 12.706205 * math.sqrt(2 / 1 * (16 + 16)) / 3
    assert (found.mean, found.n) == (4, 3)
    assert (found.low, found.high) == pytest.approx((4 - half, 4 + half))


def test_the_interval_of_people_is_that_of_redrawn_people():
    rng = np.random.default_rng(6)
    people, values = some_people(rng, 300)
    found = estimate(values, people)
    faces = [np.flatnonzero(people == who) for who in range(300)]
    means = [
        values[np.concatenate([faces[who] for who in rng.integers(0, 300, 300)])].mean()
        for _ in range(3000)
    ]
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * np.std(means), rel=0.05)


@pytest.mark.parametrize("count", [12, 150])
def test_the_interval_of_people_covers_the_true_mean_where_that_of_faces_does_not(count):
    rng = np.random.default_rng(7)
    drawn = [some_people(rng, count) for _ in range(2000)]
    of_people = [estimate(values, people) for people, values in drawn]
    of_faces = [estimate(values) for _, values in drawn]
    assert 0.92 < np.mean([e.low < 25 < e.high for e in of_people]) < 0.965
    assert np.mean([e.low < 25 < e.high for e in of_faces]) < 0.85


def test_a_difference_has_people_as_its_units_too():
    people, a = some_people(np.random.default_rng(8), 40)
    b = a**2 / 25
    assert paired(list(a), list(b), people) == estimate(a - b, people)
    assert paired(list(a), list(b), people) != paired(list(a), list(b))


def test_one_person_alone_has_no_interval():
    found = estimate([1.0, 2.0, 3.0], np.zeros(3, int))
    assert found.mean == 2
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    with pytest.raises(ValueError, match="2 and 3"):
        estimate([1.0, 2.0, 3.0], np.arange(2))


def test_what_results_say_of_people():
    people = np.array([5, 2, 5])
    assert counted(people) == {"people": 2}
    assert counted(None) == {}
    assert described() == OF_FACES
    assert "faces as the units" in OF_FACES
    assert "people as the units" in described(people)
