from functools import partial
from itertools import pairwise

import pytest
import torch
from counting import count, multiply_adds
from torch import nn
from torch.nn import functional as F

from unveil.models.paper import Down, Dropout, OutputLayer, PaperGenerator, Up, init_normal

DOWN = [3, 64, 128, 256, 512, 512, 512, 512, 512]
UP_IN = [512, 1024, 1024, 1024, 1024, 512, 256]
UP_OUT = [512, 512, 512, 512, 256, 128, 64]


FACE = torch.zeros(1, 3, 256, 256)


def as_written(layer: OutputLayer, x: torch.Tensor) -> torch.Tensor:
    """The output layer one operation after the other: the reference of the folded one."""
    x = F.pad(F.interpolate(x, scale_factor=2.0), (2, 1, 2, 1))
    return torch.tanh(layer.pointwise(layer.depthwise(x)))


def test_parameters_by_hand():
    depthwise = 16 * (sum(DOWN[:-1]) + sum(UP_IN))
    pointwise = sum(a * b for a, b in pairwise(DOWN))
    pointwise += sum(a * b for a, b in zip(UP_IN, UP_OUT, strict=True))
    norms = 2 * (sum(DOWN[:-1]) + sum(UP_IN))
    output = 128 * 16 + 128 * 3 + 3
    assert depthwise + pointwise + norms + output == 3_544_057
    assert count(PaperGenerator()) == 3_544_057


def test_multiply_adds_by_hand():
    total = 0
    for i, (a, b) in enumerate(pairwise(DOWN)):
        total += (128 >> i) ** 2 * (16 * a + a * b)
    for i, (a, b) in enumerate(zip(UP_IN, UP_OUT, strict=True)):
        # A transposed kernel touches 4x4 outputs for each input pixel.
        total += (1 << i) ** 2 * 16 * a + (2 << i) ** 2 * a * b
    total += 256 * 256 * (128 * 16 + 128 * 3)
    assert round(total / 1e9, 2) == 1.31
    network = PaperGenerator()
    network.output.forward = partial(as_written, network.output)
    assert multiply_adds(network, FACE) == total


def test_plain_unet_is_the_54_million_of_the_comparison():
    plain = PaperGenerator(plain=True)
    downs = sum(16 * a * b for a, b in pairwise(DOWN))
    ups = sum(16 * a * b for a, b in zip(UP_IN, UP_OUT, strict=True))
    assert count(plain) == downs + ups + 16 * 128 * 3 + 3 == 54_404_099
    total = sum((128 >> i) ** 2 * 16 * a * b for i, (a, b) in enumerate(pairwise(DOWN)))
    total += sum(
        (1 << i) ** 2 * 16 * a * b for i, (a, b) in enumerate(zip(UP_IN, UP_OUT, strict=True))
    )
    assert multiply_adds(plain, FACE) == total + 256 * 256 * 16 * 128 * 3


@pytest.mark.parametrize("channels", [1, 3])
def test_output_layer_equals_the_operations_as_written(channels):
    layer = OutputLayer(10, channels)
    nn.init.normal_(layer.pointwise.bias)
    x = torch.randn(2, 10, 6, 6)
    torch.testing.assert_close(layer(x), as_written(layer, x), atol=1e-6, rtol=1e-5)


def test_gradients_of_the_folded_output_layer():
    layer = OutputLayer(5, 3)
    x = torch.randn(1, 5, 4, 4)
    layer(x).sum().backward()
    ours = layer.depthwise.weight.grad.clone()
    layer.zero_grad()
    as_written(layer, x).sum().backward()
    torch.testing.assert_close(ours, layer.depthwise.weight.grad, atol=1e-5, rtol=1e-4)


def test_shape_and_range():
    network = PaperGenerator(1, width=0.05).eval()
    out = network(torch.rand(2, 3, 256, 256) * 2 - 1)
    assert out.shape == (2, 1, 256, 256)
    assert out.abs().max() <= 1


def test_dropout_only_in_the_first_five_downs():
    network = PaperGenerator()
    where = [any(isinstance(m, Dropout) for m in down) for down in network.downs]
    assert where == [True] * 5 + [False] * 3
    assert not any(isinstance(m, Dropout) for m in network.ups.modules())


def test_dropout_keeps_the_mean_and_drops_the_rate():
    torch.manual_seed(0)
    layer, x = Dropout(0.25), torch.ones(4, 16, 64, 64)
    y = layer(x)
    assert sorted(y.unique().tolist()) == pytest.approx([0.0, 4 / 3])
    assert abs((y == 0).float().mean() - 0.25) < 0.005
    assert abs(y.mean() - 1) < 0.01
    # Channels, rows and images are drawn apart.
    assert not torch.equal(y[0, 0], y[0, 1])
    assert torch.equal(layer.eval()(x), x)


def test_the_largest_dropout_keeps_the_mean_of_what_is_left():
    torch.manual_seed(0)
    y = Dropout(0.9999)(torch.ones(4, 16, 64, 64))
    assert y.unique().tolist() == [0.0, 256.0]
    assert abs(y.mean() - 1) < 0.1


@pytest.mark.parametrize("make", [lambda: Down(6, 8), lambda: Up(6, 8)])
def test_one_image_alone_has_its_gradient_in_any_memory_order(make):
    torch.manual_seed(0)
    block = nn.Sequential(make(), nn.Conv2d(8, 4, 3, padding=1)).double()
    x, gradients = torch.randn(1, 6, 8, 8, dtype=torch.float64), []
    for order in (torch.contiguous_format, torch.channels_last):
        block.to(memory_format=order).zero_grad()
        block(x.contiguous(memory_format=order)).square().sum().backward()
        gradients.append([parameter.grad.contiguous() for parameter in block.parameters()])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_initialisation(mean):
    torch.manual_seed(0)
    network = PaperGenerator(width=0.5)
    init_normal(network, conv_mean=mean)
    weights = torch.cat([m.weight.flatten() for m in network.modules() if isinstance(m, nn.Conv2d)])
    assert abs(weights.mean() - mean) < 1e-3
    assert abs(weights.std() - 0.02) < 1e-3
    scales = torch.cat([m.weight for m in network.modules() if isinstance(m, nn.BatchNorm2d)])
    assert abs(scales.mean() - 1) < 1e-2
