"""Light goes over from what is known on one side to what is known on the other."""

import numpy as np
import pytest

from unveil.video.light import COARSE, inwards


def test_between_two_lights_it_goes_over_from_one_to_the_other():
    change, told = np.zeros((256, 256, 3), np.float32), np.zeros((256, 256), np.float32)
    change[:, :64], change[:, 192:] = 10, 30
    told[:, :64] = told[:, 192:] = 1
    change[:, 64:192] = 99  # nobody says so
    light = inwards(change, told, 0.5)
    assert light.shape == (COARSE, COARSE, 3)
    assert light[:, :8] == pytest.approx(10)
    assert light[:, 24:] == pytest.approx(30)
    steps = np.diff(light[COARSE // 2, 7:25, 0])
    assert (steps > 0).all()
    assert steps.max() < 5


def test_too_little_tells_nothing():
    change, told = np.full((256, 256, 3), 20, np.float32), np.full((256, 256), 0.3, np.float32)
    assert not inwards(change, told, 0.5).any()
    assert inwards(change, told, 0.2) == pytest.approx(20)
