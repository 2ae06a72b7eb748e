"""An image folded into channels by the convolution that reads them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unveil.models.folded import FoldIn


@pytest.mark.parametrize("times", [4, 8])
def test_folding_in_is_a_pointwise_layer_over_the_folded_image(times):
    torch.manual_seed(0)
    layer, plain = FoldIn(3, 5, times), nn.Conv2d(3 * times * times, 5, 1)
    plain.load_state_dict(layer.state_dict())  # weights of before fit, too
    x = torch.rand(2, 3, 4 * times, 2 * times)
    assert torch.allclose(layer(x), plain(F.pixel_unshuffle(x, times)), atol=1e-6)


def test_its_gradients_are_those_of_that_layer():
    torch.manual_seed(0)
    layer, plain = FoldIn(2, 3), nn.Conv2d(32, 3, 1)
    plain.load_state_dict(layer.state_dict())
    x = torch.rand(1, 2, 8, 8)
    (layer(x) ** 2).sum().backward()
    (plain(F.pixel_unshuffle(x, 4)) ** 2).sum().backward()
    for mine, theirs in zip(layer.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6)
