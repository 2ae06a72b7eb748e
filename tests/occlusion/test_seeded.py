"""The stream may never change: every benchmark's occlusions are drawn from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unveil.occlusion.seeded import Seeded


@pytest.mark.parametrize(
    ("rng", "expected"),
    [
        (Seeded(0), [100, 42, 6, 2, 127, 143]),
        (Seeded(1, 2, 3), [105, 17, 80, 55, 110, 75]),
    ],
)
def test_stream_is_the_recorded_one(rng, expected):
    assert [rng.integer(0, 156) for _ in expected] == expected


def test_stream_of_a_name_is_the_recorded_one():
    rng = Seeded.for_name(0, "000040")
    drawn = [rng.integer(0, 10**9) for _ in range(4)]
    assert drawn == [857867312, 497240365, 392755598, 233832082]


def test_permutation_is_the_recorded_one():
    assert Seeded(7).permutation(10).tolist() == [6, 3, 4, 9, 0, 2, 8, 7, 5, 1]


@given(st.integers(0, 2**63), st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_integer_stays_in_its_range(seed, low, span):
    assert low <= Seeded(seed).integer(low, low + span) <= low + span


def test_integer_reaches_both_ends_about_as_often():
    rng = Seeded(3)
    counts = np.bincount([rng.integer(0, 4) for _ in range(5000)], minlength=5)
    # 1000 each; the standard deviation is 28.
    assert counts.min() > 880
    assert counts.max() < 1120


def test_empty_range_is_refused():
    with pytest.raises(ValueError, match=r"empty range 3\.\.2"):
        Seeded(0).integer(3, 2)


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_permutation_holds_each_number_once(seed, n):
    assert sorted(Seeded(seed).permutation(n)) == list(range(n))


def test_name_in_another_unicode_form_is_the_same_name():
    composed, decomposed = "Ren\u00e9e", "Rene\u0301e"
    assert composed != decomposed
    first, second = Seeded.for_name(5, composed), Seeded.for_name(5, decomposed)
    assert first.integer(0, 2**60) == second.integer(0, 2**60)


def test_seed_and_name_both_matter():
    drawn = {
        Seeded.for_name(seed, name).integer(0, 2**60) for seed in (0, 1) for name in ("a", "b", "")
    }
    assert len(drawn) == 6
