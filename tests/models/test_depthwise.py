"""The depthwise layer that is trained quickly: what the library's own says, by another way."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unveil.models.depthwise import Depthwise


def gradients(layer: Depthwise, x: Tensor, toward: Tensor) -> dict[str, Tensor]:
    """Of the sum of `toward` times what the layer makes of `x`, by name, and the result."""
    x = x.detach().requires_grad_()
    y = layer(x)
    (y * toward).sum().backward()
    assert x.grad is not None
    found = {name: p.grad for name, p in layer.named_parameters() if p.grad is not None}
    return {"y": y.detach(), "x": x.grad, **found}


def drawn(*shape: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(3)
    x, toward = torch.randn(shape), torch.randn(shape)
    return (
        x.contiguous(memory_format=torch.channels_last),
        toward.contiguous(memory_format=torch.channels_last),
    )


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (2, 5, 6, 9), (3, 8, 16, 16), (2, 4, 1, 3)])
@pytest.mark.parametrize("kernel", [3, 5])
def test_gradients_are_those_of_the_library(shape: tuple[int, ...], kernel: int) -> None:
    layer = Depthwise(shape[1], kernel)
    theirs = deepcopy(layer).eval()
    ours = gradients(layer, *drawn(*shape))
    reference = gradients(theirs, *drawn(*shape))
    assert ours.keys() == reference.keys() == {"y", "x", "weight", "bias"}
    for name, expected in reference.items():
        torch.testing.assert_close(ours[name], expected, rtol=1e-4, atol=1e-5, msg=name)


def test_a_derivative_is_what_a_small_step_says() -> None:
    layer = Depthwise(2, 3).double()
    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


def test_under_autocast_the_gradients_are_rounded_and_no_worse() -> None:
    x, toward = drawn(4, 6, 16, 16)
    layer = Depthwise(6, 5)
    exact = gradients(deepcopy(layer), x, toward)
    with torch.autocast("cpu", torch.bfloat16):
        ours = gradients(layer, x, toward)
    assert ours["y"].dtype == torch.bfloat16
    assert ours["weight"].dtype == ours["x"].dtype == torch.float32
    for name, expected in exact.items():
        error = (ours[name].float() - expected).abs().max() / expected.abs().max()
        assert error < 0.02, name  # bfloat16 has eight bits


def test_parts_that_are_not_trained_get_no_gradient() -> None:
    x, toward = drawn(2, 3, 8, 8)
    layer = Depthwise(3, 5)
    layer.weight.requires_grad_(False)
    assert gradients(deepcopy(layer), x, toward).keys() == {"y", "x", "bias"}
    layer.requires_grad_(False)
    assert gradients(layer, x, toward).keys() == {"y", "x"}


def test_weights_have_the_names_of_an_ordinary_layer() -> None:
    layer = Depthwise(4, 5)
    plain = torch.nn.Conv2d(4, 4, 5, padding=2, groups=4)
    plain.load_state_dict(layer.state_dict())
    x, _ = drawn(1, 4, 8, 8)
    torch.testing.assert_close(layer.eval()(x), plain(x))
    torch.testing.assert_close(
        layer.train()(x), F.conv2d(x, plain.weight, plain.bias, padding=2, groups=4)
    )
