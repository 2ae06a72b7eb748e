import torch

from unveil.losses.pixel import l1_loss


def test_by_hand():
    output = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    target = torch.zeros(1, 1, 2, 2)
    hidden = torch.tensor([[[[True, False], [False, False]]]])
    assert l1_loss(output, target).item() == 2.5
    assert l1_loss(output, target, hidden, 1.0).item() == 2.5
    assert l1_loss(output, target, hidden, 5.0).item() == (5 + 2 + 3 + 4) / 4
