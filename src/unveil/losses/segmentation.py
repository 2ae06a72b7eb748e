"""Losses of the occluder segmenter."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def mask_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice (Milletari et al., 2016, section 3), equal weights.

    The first is right pixel by pixel; the second counts a small occluder as much as a large one.

    Args:
        logits: (N, 1, H, W).
        mask: (N, 1, H, W) in [0, 1], how much of each pixel is occluder.
    """
    found = logits.sigmoid()
    both = (found * mask).sum((1, 2, 3))
    all_of_them = found.square().sum((1, 2, 3)) + mask.square().sum((1, 2, 3))
    # One hundred pixels keep the loss of an empty mask finite, and near 0 for a good answer.
    dice = 1 - (2 * both + 100) / (all_of_them + 100)
    return F.binary_cross_entropy_with_logits(logits, mask) + dice.mean()
