"""Differences of pixels: over all alike (the paper's section 3.5.2), or of the hidden ones."""

from __future__ import annotations

from torch import Tensor


def l1_loss(
    output: Tensor, target: Tensor, hidden: Tensor | None = None, hidden_weight: float = 1.0
) -> Tensor:
    """Mean absolute difference.

    Args:
        output, target: (N, C, H, W).
        hidden: (N, 1, H, W) bool; those pixels count `hidden_weight` times.
        hidden_weight: 1 gives the plain mean.
    """
    difference = (output - target).abs()
    if hidden is None or hidden_weight == 1.0:
        return difference.mean()
    return (difference * (1.0 + (hidden_weight - 1.0) * hidden)).mean()


def hidden_l1(output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference over the hidden pixels of a batch.

    Args:
        output, target: (N, C, H, W).
        mask: (N, 1, H, W), 1 = hidden.
    """
    hidden = (mask.sum() * output.shape[1]).clamp(min=1)
    return ((output - target).abs() * mask).sum() / hidden


def hidden_l2(output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference over the hidden pixels of a batch, arguments as `hidden_l1`'s.

    What is best by it is the mean of all faces that the known part allows, and not their median.
    """
    hidden = (mask.sum() * output.shape[1]).clamp(min=1)
    return ((output - target).square() * mask).sum() / hidden
