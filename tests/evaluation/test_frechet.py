import math

import numpy as np
import pytest
from scipy.linalg import sqrtm

from unveil.evaluation.frechet import GROUPS, frechet_distance, grouped_distance
from unveil.evaluation.intervals import jackknife


def sample(rng, n, mean, covariance):
    """n rows whose own mean and sample covariance are exactly these."""
    rows = rng.normal(size=(n, len(mean)))
    rows -= rows.mean(axis=0)
    own = np.linalg.cholesky(np.cov(rows, rowvar=False))
    wanted = np.linalg.cholesky(covariance)
    return rows @ np.linalg.inv(own).T @ wanted.T + mean


def random_covariance(rng, d):
    root = rng.normal(size=(d, d))
    return root @ root.T / d + 0.05 * np.eye(d)


def test_gaussians_whose_covariances_commute_have_a_closed_form():
    rng = np.random.default_rng(0)
    first, second = np.array([4.0, 1.0, 0.25]), np.array([1.0, 9.0, 0.25])
    a = sample(rng, 200, np.array([1.0, 2.0, 3.0]), np.diag(first))
    b = sample(rng, 300, np.array([1.0, 0.0, 6.0]), np.diag(second))
    expected = 4 + 9 + np.square(np.sqrt(first) - np.sqrt(second)).sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_any_two_gaussians_as_by_the_matrix_root():
    rng = np.random.default_rng(1)
    first, second = random_covariance(rng, 12), random_covariance(rng, 12)
    means = rng.normal(size=(2, 12))
    a, b = sample(rng, 60, means[0], first), sample(rng, 90, means[1], second)
    root = sqrtm(first @ second).real
    expected = np.square(means[0] - means[1]).sum() + np.trace(first + second - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)


def test_fewer_faces_than_features_lose_no_digits():
    """On a line in many dimensions both covariances are singular, and the answer is that of 1-D."""
    rng = np.random.default_rng(2)
    direction = rng.normal(size=400)
    direction /= np.linalg.norm(direction)
    x, y = rng.normal(0, 2, 30), rng.normal(3, 5, 30)
    a, b = np.outer(x, direction), np.outer(y, direction)
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + direction) == pytest.approx(1, rel=1e-9)


def test_the_interval_covers_the_distance_of_the_populations():
    """Means 1 apart in one of three dimensions: the distance of many samples is 1 in the middle."""
    rng = np.random.default_rng(3)
    inside, middle = 0, []
    for _ in range(200):
        a, b = rng.normal(size=(200, 3)), rng.normal((1, 0, 0), size=(200, 3))
        found = jackknife(grouped_distance(a, b))
        middle.append(found.mean)
        inside += found.low < 1 < found.high
    assert 0.88 < inside / 200 < 0.99
    assert np.mean(middle) == pytest.approx(1, abs=0.1)


def test_faces_of_one_person_are_left_out_together():
    """200 people with three faces each, who differ from each other more than their faces do."""
    rng = np.random.default_rng(6)
    people = np.repeat(np.arange(200), 3)
    inside = {"people": 0, "faces": 0}
    for _ in range(150):
        clean, shift = rng.normal(size=(200, 3)), rng.normal((1, 0, 0), size=(200, 3))
        a, b = clean[people], clean[people] + shift[people] + rng.normal(0, 0.3, (600, 3))
        expected = 1 + (1 - math.sqrt(2.09)) ** 2 * 3
        for name, who in (("people", people), ("faces", None)):
            found = jackknife(grouped_distance(a, b, who))
            inside[name] += found.low < expected < found.high
    assert 0.88 < inside["people"] / 150 < 0.99
    assert inside["faces"] / 150 < 0.85


def test_people_are_the_units_whatever_their_numbers():
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(60, 3)), rng.normal(size=(60, 3))
    found = grouped_distance(a, b, np.arange(60) + 7)
    assert found == grouped_distance(a, b)
    few = np.arange(60) % (2 * GROUPS - 1)
    assert grouped_distance(a, b, few) is None


def test_pairs_share_their_faces():
    rng = np.random.default_rng(4)
    clean = rng.normal(size=(100, 5))
    noise = rng.normal(size=(100, 5))
    near, far = (grouped_distance(clean + s * noise, clean) for s in (1.0, 1.1))
    difference = jackknife(far - near)
    assert difference.mean == pytest.approx(far.value - near.value)
    half = (difference.high - difference.low) / 2
    alone = [(e.high - e.low) / 2 for e in (jackknife(near), jackknife(far))]
    assert half < 0.5 * math.hypot(*alone)
    with pytest.raises(ValueError, match="same faces"):
        far - grouped_distance(clean[:50], clean[:50])


def test_too_few_faces_have_no_interval():
    rows = np.random.default_rng(5).normal(size=(2 * GROUPS - 1, 3))
    assert grouped_distance(rows, rows) is None
    with pytest.raises(ValueError, match="two faces"):
        frechet_distance(rows[:1], rows)
