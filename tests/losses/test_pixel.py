import math

import pytest
import torch

from unveil.losses.pixel import NEAR, NEGLIGIBLE, border_l1, hidden_l1, hidden_log_l2, l1_loss


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
    assert hidden_log_l2(output, target, mask).item() == pytest.approx(math.log(10 + NEGLIGIBLE))
    nothing = hidden_log_l2(output, target, torch.zeros_like(mask)).item()
    assert nothing == pytest.approx(math.log(NEGLIGIBLE))


def test_decibels_of_faces_are_averaged_not_their_errors():
    errors = torch.tensor([0.3, 0.4, 0.9]).reshape(3, 1, 1, 1).expand(3, 3, 4, 4)
    mask = torch.zeros(3, 1, 4, 4)
    mask[0, :, 0], mask[1, :, :3], mask[2] = 1, 1, 1  # of unequal area, too
    loss = hidden_log_l2(errors, torch.zeros_like(errors), mask).item()
    psnr = [-20 * math.log10(x) for x in (0.3, 0.4, 0.9)]
    assert -10 * loss / math.log(10) == pytest.approx(sum(psnr) / 3, abs=0.15)
    doubled = hidden_log_l2(2 * errors, torch.zeros_like(errors), mask).item()
    assert -10 * (doubled - loss) / math.log(10) == pytest.approx(-6.02, abs=0.15)


def test_the_best_of_one_is_the_median_of_the_other_the_mean():
    # Five pixels of one face that nothing tells apart.
    targets = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0]).reshape(1, 1, 1, 5)
    everything = torch.ones_like(targets)
    guesses = torch.linspace(0, 1, 11)
    for loss, best in ((hidden_l1, 0.0), (hidden_log_l2, 0.4)):
        losses = [loss(g.expand_as(targets), targets, everything).item() for g in guesses]
        assert guesses[losses.index(min(losses))].item() == torch.tensor(best)


def test_at_the_border_those_beside_known_pixels_count():
    mask = torch.zeros(1, 1, 40, 40)
    mask[..., 5:35, 5:35] = 1
    target, known = torch.zeros(1, 3, 40, 40), 1 - mask
    middle, edge = torch.zeros_like(target), torch.zeros_like(target)
    middle[..., 15:25, 15:25] = 1
    edge[..., 5:35, 5] = 1
    assert border_l1(middle, target, mask, known).item() == 0
    assert border_l1(edge, target, mask, known).item() > 2 * hidden_l1(edge, target, mask).item()
    assert border_l1(torch.ones_like(target), target, mask, known).item() == pytest.approx(1)
    shaded = known.clone()
    shaded[..., : 5 + NEAR] = 0  # all that is near that edge lies in a shadow
    assert border_l1(edge, target, mask, shaded).item() == 0
