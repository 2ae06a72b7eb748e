import torch

from unveil.losses.pixel import hidden_l1, hidden_l2, l1_loss


def test_by_hand():
    output = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    target = torch.zeros(1, 1, 2, 2)
    hidden = torch.tensor([[[[True, False], [False, False]]]])
    assert l1_loss(output, target).item() == 2.5
    assert l1_loss(output, target, hidden, 1.0).item() == 2.5
    assert l1_loss(output, target, hidden, 5.0).item() == (5 + 2 + 3 + 4) / 4


def test_only_hidden_pixels_count():
    output = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    target = torch.zeros(1, 1, 2, 2)
    mask = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    assert hidden_l1(output, target, mask).item() == 3.0
    assert hidden_l2(output, target, mask).item() == 10.0
    assert hidden_l2(output, target, torch.zeros_like(mask)).item() == 0.0


def test_the_best_of_one_is_the_median_of_the_other_the_mean():
    targets = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0]).reshape(5, 1, 1, 1)
    everything = torch.ones_like(targets)
    guesses = torch.linspace(0, 1, 11)
    for loss, best in ((hidden_l1, 0.0), (hidden_l2, 0.4)):
        losses = [loss(g.expand_as(targets), targets, everything).item() for g in guesses]
        assert guesses[losses.index(min(losses))].item() == torch.tensor(best)
