"""An occluder is followed to where nobody saw it."""

import numpy as np
import pytest
from moving import SIZE, shift, square

from unveil.video.lingering import LINGERS, SOON, came_from, lingering

MOTION = (shift(-10), shift(10))
NOTHING = np.zeros((SIZE, SIZE), np.float32)


def test_it_lingers_where_it_came_from_and_went_to():
    doubts, coming = lingering([NOTHING, NOTHING, square(80), NOTHING, NOTHING], [MOTION] * 5, None)
    for i, doubt in enumerate(doubts):
        np.testing.assert_allclose(doubt, square(60 + 10 * i) * LINGERS ** abs(i - 2), atol=1e-3)
    assert coming[1].max() == 0
    later, _ = lingering([NOTHING], [MOTION], coming[-1])
    assert later[0].max() == pytest.approx(LINGERS**3, abs=1e-3)


def test_where_it_is_found_it_is_soon_nowhere_else():
    still, moving = (shift(0), shift(0)), [square(20 + 30 * i) for i in range(3)]
    doubts, _ = lingering(moving, [still] * 3, None)
    for i, doubt in enumerate(doubts):  # where only the first one was
        np.testing.assert_allclose(doubt[100:150, 20:50], SOON**i)
    # Half of it found is not all of it: the rest is still there.
    half = square(80)
    half[125:] = 0
    doubts, _ = lingering([square(80), half * np.float32(0.9)], [still] * 2, None)
    assert doubts[1][140, 100] == pytest.approx(LINGERS)


def test_it_is_followed_back():
    for i, place in enumerate(came_from(square(80), [MOTION] * 3), 1):
        np.testing.assert_allclose(place, square(80 - 10 * i), atol=1e-3)
