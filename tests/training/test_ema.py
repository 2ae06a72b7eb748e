import torch
from torch import nn

from unveil.training.ema import Ema


def test_average_of_a_constant_model_is_that_model():
    model = nn.Conv2d(2, 2, 1)
    ema = Ema(model, 0.9)
    for _ in range(5):
        ema.update(model)
    assert torch.equal(ema.model.weight, model.weight)


def test_decay_and_its_warm_up():
    model = nn.BatchNorm2d(1)
    ema = Ema(model, 0.5)
    with torch.no_grad():
        model.weight.fill_(3.0)
        model.running_mean.fill_(1.0)
    ema.update(model)
    first = 2 / 11  # the warm-up decay of the first step
    assert torch.isclose(ema.model.weight, torch.tensor(first * 1 + (1 - first) * 3.0))
    assert torch.isclose(ema.model.running_mean, torch.tensor(1 - first))
    before = ema.model.weight.clone()
    for _ in range(20):
        ema.update(model)
    ema.update(model)
    assert before < ema.model.weight <= 3.0
    assert not ema.model.weight.requires_grad
