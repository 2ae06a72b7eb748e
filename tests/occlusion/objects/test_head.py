"""Where a worn thing goes as the head turns aside."""

from __future__ import annotations

import numpy as np
import pytest

from unveil.occlusion.objects import head
from unveil.occlusion.objects.head import Turned

X = np.linspace(-200, 200, 801)


def test_a_straight_head_moves_nothing():
    np.testing.assert_allclose(Turned(0.0).forth(X), X, atol=1e-9)
    assert Turned(0.0).sees(X[np.abs(X) < head.WIDE]).all()


@pytest.mark.parametrize("turn", [-0.75, -0.3, 0.1, 0.5, 0.75])
def test_a_turned_head(turn):
    turned = Turned(turn)
    moved, way = turned.forth(X), np.sign(turn)
    assert np.diff(moved).min() > 0  # nothing folds over, so the way back exists
    # The nose points to where the head turns; the ear on the other side comes into view.
    assert turned.forth(np.array([0.0]))[0] * way > 0
    near, far = turned.forth(np.array([-75.0 * way, 75.0 * way])) * way
    assert -near > far
    # What is seen lies where an ellipse of that width and depth, turned, has its points.
    seen = X[turned.sees(X) & (np.abs(X) < head.WIDE) & (np.abs(X) > head.NOSE_WIDE)]
    depth = head.DEEP * np.sqrt(1 - (seen / head.WIDE) ** 2)
    expected = seen * np.cos(turn) + (depth - head.HELD * head.DEEP) * np.sin(turn)
    np.testing.assert_allclose(turned.forth(seen), expected, atol=1e-6)
    np.testing.assert_allclose(turned.back(turned.forth(seen)), seen, atol=0.3)


def test_left_and_right_are_alike():
    np.testing.assert_allclose(Turned(0.4).forth(X), -Turned(-0.4).forth(-X), atol=1e-9)


def test_a_nose_is_drawn_where_it_is_measured():
    from unveil.faces.align import CANONICAL_POINTS, turn_of

    for turn in (-0.5, -0.2, 0.3, 0.6):
        points = CANONICAL_POINTS - (CANONICAL_POINTS[[0, 1]].mean(0)[0], 0)
        points[2, 0] = Turned(turn).forth(np.zeros(1))[0]
        assert turn_of(points) == pytest.approx(turn, abs=0.04)
