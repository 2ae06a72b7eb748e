import torch

from unveil.training.validation import grid


def test_rows_of_a_grid_lie_one_under_another():
    levels = torch.tensor([[-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]])
    rows = [row[:, None, None, None].expand(3, 3, 4, 4) for row in levels]
    shown = grid(rows)
    assert shown.shape == (8, 12, 3)
    assert shown[::4, ::4, 0].tolist() == [[0, 128, 255], [255, 0, 128]]
    assert (shown.reshape(2, 4, 3, 4, 3) == shown[::4, ::4].reshape(2, 1, 3, 1, 3)).all()
