import torch

from unveil.losses.adversarial import discriminator_loss, generator_loss


def test_by_hand():
    scores = torch.tensor([0.5, 1.0])
    assert generator_loss(scores).item() == 0.125
    assert discriminator_loss(torch.tensor([1.0]), torch.tensor([0.0])).item() == 0
    assert discriminator_loss(torch.tensor([0.5]), torch.tensor([0.5])).item() == 0.25
