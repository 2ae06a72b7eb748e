"""A depthwise convolution that is trained quickly on a processor.

There, the gradient of a depthwise layer's kernels takes ten to forty times as long as the layer
itself, and was two fifths of all that training `lite` takes. But it is a depthwise convolution
too: of each channel of each image with the gradient of what came of it, which is as large as the
image, and has only as many results as the kernel has numbers. Asked for like that, it takes a
sixth of the time in bfloat16, half of it or less in float32.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input


class Depthwise(nn.Conv2d):
    """(B, C, H, W) -> (B, C, H, W): each channel with a kernel of its own.

    Args:
        channels: C.
        kernel: side of the kernels, odd.
    """

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__(channels, channels, kernel, padding=kernel // 2, groups=channels)

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)"""
        if not self.training or input.device.type != "cpu":
            return super().forward(input)
        parts: tuple[Tensor | None, ...] = (input, self.weight, self.bias)
        if torch.is_autocast_enabled("cpu"):
            low = torch.get_autocast_dtype("cpu")
            parts = tuple(part if part is None else part.to(low) for part in parts)
        result: Tensor = _Convolution.apply(*parts)  # type: ignore[no-untyped-call]
        return result


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        padding = weight.shape[-1] // 2
        to_x = to_weight = to_bias = None
        if ctx.needs_input_grad[0]:
            made: Any = conv2d_input  # its library says nothing of types
            to_x = made(x.shape, weight, gradient, padding=padding, groups=len(weight))
        if ctx.needs_input_grad[1]:
            images, channels, height, width = x.shape
            each = images * channels
            sums = F.conv2d(
                x.reshape(1, each, height, width),
                gradient.reshape(each, 1, height, width),
                padding=padding,
                groups=each,
            )
            to_weight = sums.reshape(images, *weight.shape).sum(0, dtype=torch.float32)
            to_weight = to_weight.to(weight.dtype)
        if ctx.needs_input_grad[2]:
            to_bias = gradient.sum((0, 2, 3))
        return to_x, to_weight, to_bias
