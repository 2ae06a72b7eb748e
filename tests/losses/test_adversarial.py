import torch

from unveil.losses.adversarial import (
    discriminator_loss,
    generator_loss,
    place_discriminator_loss,
    place_generator_loss,
)


def test_by_hand():
    scores = torch.tensor([0.5, 1.0])
    assert generator_loss(scores).item() == 0.125
    assert discriminator_loss(torch.tensor([1.0]), torch.tensor([0.0])).item() == 0
    assert discriminator_loss(torch.tensor([0.5]), torch.tensor([0.5])).item() == 0.25


def test_known_places_count_as_real_and_hidden_ones_as_invented():
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1  # two of four columns, one of two places
    right = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    ones = torch.ones(1, 1, 2, 2)
    assert place_discriminator_loss([ones], [right], mask).item() == 0
    assert place_discriminator_loss([ones], [ones], mask).item() == 0.5  # fooled
    assert place_generator_loss([right], mask).item() == 1
    known_changed = torch.tensor([[[[0.0, 5.0], [0.0, 5.0]]]])
    assert place_generator_loss([known_changed], mask).item() == 1
    # Two scales: their mean.
    assert place_generator_loss([right, torch.ones(1, 1, 4, 4)], mask).item() == 0.5
