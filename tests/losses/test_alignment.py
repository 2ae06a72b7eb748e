import numpy as np
import pytest
import torch

from unveil.faces.align import corner_shift, correction
from unveil.losses.alignment import corner_distance


def test_it_is_how_far_the_corners_move():
    moved = np.array([[0, 0, 3, 4], [2, -5, 1, 0], [0, 0, 0, 0]], np.float32)
    found = corner_distance(torch.from_numpy(moved), torch.zeros(3, 4))
    expected = [corner_shift(correction(each)) for each in moved]
    assert expected[0] == pytest.approx(5)
    assert found.tolist() == pytest.approx(expected, abs=0.02)


def test_only_the_difference_counts():
    a, b = torch.randn(2, 4), torch.randn(2, 4)
    torch.testing.assert_close(corner_distance(a, b), corner_distance(a - b, torch.zeros(2, 4)))
