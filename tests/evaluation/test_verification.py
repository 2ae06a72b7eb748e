import numpy as np
import pytest

from unveil.errors import DataError
from unveil.evaluation.verification import (
    FALSE_ACCEPTS,
    Condition,
    Pairs,
    Thresholds,
    best_threshold,
    bootstrap,
    decide,
    false_accepts,
    threshold_at,
    thresholds,
    two_people,
)


def on_a_line(*places: float) -> np.ndarray:
    """Embeddings whose distances are plain to see."""
    return np.array(places, np.float32)[:, None]


# Two folds of two people with two photos each; photos 0..3 and 4..7.
PERSON = np.array([0, 0, 1, 1, 2, 2, 3, 3])
FIRST, SECOND = np.array([0, 2, 0, 1, 4, 6, 4, 5]), np.array([1, 3, 2, 3, 5, 7, 6, 7])
SAME = np.array([True, True, False, False] * 2)
PAIRS = Pairs(FIRST, SECOND, SAME, np.repeat([1, 2], 4), PERSON)
# Fold 1: 1 apart of one person, 10 of two. Fold 2: the same in other units, 3 and 30.
PHOTOS = on_a_line(0, 1, 10, 11, 0, 3, 30, 33)
CONDITION = Condition(PHOTOS, PHOTOS)


def test_distances_are_of_the_listed_pairs_in_their_order():
    assert CONDITION.distances(PAIRS).tolist() == [1, 1, 10, 10, 3, 3, 30, 30]
    asymmetric = Condition(PHOTOS, PHOTOS + 5)
    assert asymmetric.distances(PAIRS)[0] == 6  # |0 - (1 + 5)|
    crossed = asymmetric.crossed(np.array([0, 2]))
    np.testing.assert_allclose(crossed, [[5, 15], [5, 5]], atol=1e-4)


def test_best_threshold_is_in_the_middle_of_the_best_gap():
    rng = np.random.default_rng(0)
    distances = rng.uniform(0, 1, 400).astype(np.float32)
    same = rng.uniform(0, 1, 400) > distances
    found = best_threshold(distances, same)
    right = [((distances < t) == same).sum() for t in np.linspace(-0.1, 1.1, 5000)]
    assert ((distances < found) == same).sum() == max(right)
    assert best_threshold(on_a_line(1, 2, 4, 5)[:, 0], np.array([1, 1, 0, 0], bool)) == 3
    assert best_threshold(on_a_line(1, 2)[:, 0], np.array([1, 1], bool)) > 2
    assert best_threshold(on_a_line(1, 2)[:, 0], np.array([0, 0], bool)) < 1


@pytest.mark.parametrize(("rate", "accepted"), [(0.0, 0), (0.001, 1), (0.01, 10), (0.0105, 10)])
def test_threshold_of_false_accepts(rate, accepted):
    impostors = np.random.default_rng(1).permutation(1000).astype(np.float32)
    assert (impostors < threshold_at(impostors, rate)).sum() == accepted


def test_a_fold_is_judged_by_the_other_folds():
    fixed = thresholds(CONDITION, PAIRS)
    assert fixed[1].accuracy == pytest.approx((3 + 30) / 2)  # of fold 2
    assert fixed[2].accuracy == pytest.approx((1 + 10) / 2)
    outcome = decide(CONDITION, PAIRS, fixed)
    # Fold 1: all below 16.5, so both pairs of two people are taken for one. Fold 2 is right.
    assert outcome.right.tolist() == [True, True, False, False, True, True, True, True]
    assert outcome.accepted.tolist() == [True] * 4 + [True, True, False, False]
    # What fold 1 shows changes nothing of how it is judged.
    moved = PHOTOS.copy()
    moved[:4] *= 7
    again = thresholds(Condition(moved, moved), PAIRS)
    assert again[1] == fixed[1]
    assert again[2].accuracy == pytest.approx(7 * fixed[2].accuracy)


def test_true_accepts_count_what_lies_below_the_threshold_of_false_accepts():
    fixed = {1: Thresholds(5.0, (1.5, 0.5)), 2: Thresholds(5.0, (1.5, 3.5))}
    outcome = decide(CONDITION, PAIRS, fixed)
    assert [a[SAME].mean() for a in outcome.accepts] == [0.5, 0.5]
    assert outcome.accepts[1].tolist() == [False] * 4 + [True, True, False, False]


def test_false_accepts_are_over_all_pairs_of_two_people_of_a_fold():
    # Fold 1, both orders: 10, 11, 9, 10 apart; fold 2: 30, 33, 27, 30.
    share = false_accepts(CONDITION, PAIRS, {1: 9.5, 2: 30.5})
    assert share.mean == pytest.approx((2 + 6) / 16)
    assert share.n == 16
    assert share.low <= share.mean <= share.high
    assert false_accepts(CONDITION, PAIRS, {1: 1.0, 2: 1.0}).high == 0
    assert two_people(PAIRS, np.array([0, 1, 2])).tolist() == [
        [False, False, True],
        [False, False, True],
        [True, True, False],
    ]


def test_thresholds_reach_their_rates_on_the_folds_they_are_fixed_on():
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(200), 2)
    photos = (rng.normal(size=(200, 8))[person] + 0.3 * rng.normal(size=(400, 8))).astype("f4")
    first = np.arange(0, 400, 2)
    pairs = Pairs(first, first + 1, np.ones(200, bool), np.repeat([0, 1], 100), person)
    condition = Condition(photos, photos)
    fixed = thresholds(condition, pairs)
    for i, rate in enumerate(FALSE_ACCEPTS):
        # Swapped, each fold is judged by its own: the rate comes out, but for each pair's twin.
        own = {0: fixed[1].accepts[i], 1: fixed[0].accepts[i]}
        assert false_accepts(condition, pairs, own).mean == pytest.approx(rate, abs=1e-4)


@pytest.mark.parametrize("same", [[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 1]])
def test_thresholds_need_pairs_of_both_kinds(same):
    of_two = Pairs(FIRST[::2], SECOND[::2], np.array(same, bool), np.array([1, 1, 2, 2]), PERSON)
    with pytest.raises(DataError, match="which need pairs of one person and pairs of two"):
        of_two.check_both()


def test_folds_of_as_many_people_are_redrawn_each_by_itself():
    """Sixteen folds that show the same: the interval is a quarter as wide as of one of them."""
    folds, people = 16, 30
    place = np.arange(people, dtype=float) ** 2
    photos = on_a_line(*np.tile(place, folds))
    each = np.arange(folds * people)
    pairs = Pairs(each, each, np.ones(len(each), bool), each // people, each)
    condition = Condition(photos, photos)
    one, all_of_them = (
        false_accepts(condition, pairs, dict.fromkeys(range(n), 200.0)) for n in (1, folds)
    )
    assert all_of_them.mean == pytest.approx(one.mean)
    widths = [share.high - share.low for share in (one, all_of_them)]
    assert widths[1] / widths[0] == pytest.approx(1 / 4, rel=0.15)


def test_bootstrap_agrees_with_the_normal_interval_of_many_values():
    values = np.random.default_rng(3).uniform(0, 1, 1000) < 0.3
    found = bootstrap(values)
    half = 1.96 * np.sqrt(found.mean * (1 - found.mean) / 1000)
    assert found.mean == values.mean()
    assert found.high - found.mean == pytest.approx(half, rel=0.1)
    assert found.mean - found.low == pytest.approx(half, rel=0.1)
    assert bootstrap(values) == found  # the same draws each time


@pytest.mark.parametrize(
    ("fold", "person", "message"),
    [
        ([1] * 8, PERSON, "at least two"),
        ([1, 1, 1, 1, 2, 2, 2, 2], np.array([0, 0, 1, 1, 1, 1, 2, 2]), "person of another fold"),
    ],
)
def test_folds_that_do_not_serve_are_refused(fold, person, message):
    with pytest.raises(DataError, match=message):
        Pairs(FIRST, SECOND, SAME, np.array(fold), person)
