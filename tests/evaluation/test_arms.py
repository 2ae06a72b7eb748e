"""What is compared of two photos: names, and vectors against distances taken one by one."""

import numpy as np
import pytest

from unveil.errors import UsageError, WeightsError
from unveil.evaluation.arms import AS_IS, Arm, Way, ways
from unveil.evaluation.recognisers import Recogniser
from unveil.runtime.weights import DEFAULT_DETAIL

N, LENGTH = 5, 7
JUDGE = Recogniser("looks", "a stand-in", (), LENGTH, len)
UNIT = Recogniser("unit", "a stand-in", (), LENGTH, len, unit=True)


@pytest.fixture
def faces():
    """Vectors of unit length: clean ones, hidden ones, restored ones."""
    vectors = np.random.default_rng(0).normal(size=(3, N, LENGTH)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=2, keepdims=True)


def distances(condition):
    """(N, N) of every first face to every second one."""
    return np.linalg.norm(condition.first[:, None] - condition.second, axis=2)


def far(first, second):
    return np.linalg.norm(first[:, None] - second, axis=2)


@pytest.mark.parametrize("judge", [JUDGE, UNIT])
def test_with_what_is_seen_the_mean_of_both_vectors_counts(faces, judge):
    clean, hidden, restored = faces
    way = Way("telea+seen", "telea", "+seen")
    mean = (hidden + restored) / 2
    if judge.unit:
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    for both, first in ((False, clean), (True, mean)):
        condition = way.condition({AS_IS: hidden, "telea": restored}, clean, both, judge)
        np.testing.assert_allclose(distances(condition), far(first, mean), atol=1e-6)


@pytest.mark.parametrize("both", [False, True])
def test_hidden_alike_four_comparisons_count(faces, both):
    clean, hidden, restored = faces
    looks = [hidden, restored]
    if both:
        four = [far(a, b) for a in looks for b in looks]
    else:
        four = [far(clean, b) for b in looks] + [far(b, b) for b in looks]
    way = Way("telea+alike", "telea", "+alike")
    condition = way.condition({AS_IS: hidden, "telea": restored}, clean, both, JUDGE)
    expected = np.sqrt(np.mean(np.square(four), axis=0))
    np.testing.assert_allclose(distances(condition), expected, atol=1e-6)
    # Vectors of unit length stay so: a threshold for them keeps its sense.
    np.testing.assert_allclose(np.linalg.norm(condition.first, axis=1), 1, atol=1e-6)


def test_hidden_alike_and_nothing_filled(faces):
    clean, hidden, _ = faces
    way = Way("occluded+alike", AS_IS, "+alike")
    one = distances(way.condition({AS_IS: hidden}, clean, False, JUDGE))
    two = far(clean, hidden), far(hidden, hidden)
    np.testing.assert_allclose(one, np.sqrt(np.mean(np.square(two), axis=0)), atol=1e-6)
    both = distances(way.condition({AS_IS: hidden}, clean, True, JUDGE))
    np.testing.assert_allclose(both, far(hidden, hidden), atol=1e-6)


def test_the_treated_face_alone(faces):
    clean, hidden, restored = faces
    way = Way("telea", "telea")
    for both, first in ((False, clean), (True, restored)):
        condition = way.condition({AS_IS: hidden, "telea": restored}, clean, both, JUDGE)
        assert condition.first is first
        assert condition.second is restored


def test_what_fills_nothing_comes_first():
    telea, seen = Arm.of("telea"), Arm.of("telea+seen")
    assert ways([telea, seen]) == [
        Way("occluded", "occluded"),
        Way("telea", "telea"),
        Way("telea+seen", "telea", "+seen"),
    ]
    assert ways([Arm.of("telea+alike")]) == [
        Way("occluded", "occluded"),
        Way("occluded+alike", "occluded", "+alike"),
        Way("telea+alike", "telea", "+alike"),
    ]


def test_names_of_arms(model):
    assert Arm.of("lite@0.5+found").label == "lite@0.5+found"
    assert Arm.of("lite@0.5+found").spec.detail == 0.5
    assert Arm.of("lite").spec.detail == DEFAULT_DETAIL
    both = Arm.of("lite@0.5+found+seen")
    assert both.label == "lite@0.5+found+seen"
    assert both.compared == "+seen"
    assert both.alone == Arm.of("lite@0.5+found")
    alike = Arm.of("telea+alike")
    assert (alike.label, alike.compared) == ("telea+alike", "+alike")
    assert alike.alone == Arm.of("telea") == Arm.of("telea").alone
    for name, message in (
        ("lite@soft", "after @"),
        ("lite@2", "detail must be between"),
        ("telea+found", "does not look for occluders"),
        ("lite+blend", "joins its fill to the face anyway"),
    ):
        with pytest.raises(UsageError, match=message):
            Arm.of(name)
    with pytest.raises(WeightsError, match="no model 'nobody'"):
        Arm.of("nobody@1")
