"""Differences of pixels: over all alike (the paper's section 3.5.2), or of the hidden ones."""

from __future__ import annotations

import torch.nn.functional as F
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


# A mean squared difference, in [-1, 1], that is as good as none: 30 dB.
NEGLIGIBLE = 0.004


def hidden_log_l2(output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Logarithm of each face's mean squared difference over its hidden pixels, their mean.

    It is what a mean of PSNRs measures (as in Chen et al., 2022, "Simple baselines for image
    restoration"): a face whose hidden part nobody could guess does not outweigh ten others. What is
    best by it for one face is near the mean of all that the known part allows, not their median.
    Arguments as `hidden_l1`'s.
    """
    hidden = (mask.sum((1, 2, 3)) * output.shape[1]).clamp(min=1)
    squares = ((output - target).square() * mask).sum((1, 2, 3)) / hidden
    return (squares + NEGLIGIBLE).log().mean()


NEAR = 9  # pixels: side of the square in which a hidden pixel has known ones beside it


def border_l1(output: Tensor, target: Tensor, mask: Tensor, known: Tensor) -> Tensor:
    """Mean absolute difference of the hidden pixels that have known ones beside them, face by face.

    They are few and nearly right, so they count for little in the other losses; but a step there is
    a line that everybody sees. A pixel counts as the share of known ones around it.

    Args:
        output, target, mask: as `hidden_l1`'s.
        known: (N, 1, H, W), 1 = known, and as it is in `target`: in an occluder's shadow it is not,
            and what fits the target there is a line.
    """
    weight = F.avg_pool2d(known, NEAR, 1, NEAR // 2, count_include_pad=False) * mask
    total = (weight.sum((1, 2, 3)) * output.shape[1]).clamp(min=1)
    return (((output - target).abs() * weight).sum((1, 2, 3)) / total).mean()
