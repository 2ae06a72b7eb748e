"""Losses of the occluder segmenter."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

# Bands and strands, thinner than THIN pixels, weigh so many times more, with what lies NEAR them:
# they are a hundredth of what hides a face, and all that is left of a mask when they are missed.
THIN, NEAR, THIN_WEIGHT = 9, 5, 4.0


def thin_parts(mask: Tensor) -> Tensor:
    """What a square of THIN pixels does not fit into, (N, 1, H, W) in [0, 1], and what is near.

    The mask less its grey opening (Serra, 1982), dilated.
    """
    half = THIN // 2
    opened = F.max_pool2d(-F.max_pool2d(-mask, THIN, 1, half), THIN, 1, half)
    return F.max_pool2d(mask - opened, NEAR, 1, NEAR // 2)


def mask_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice (Milletari et al., 2016, section 3), equal weights.

    The first is right pixel by pixel, thin parts before others; the second counts a small occluder
    as much as a large one.

    Args:
        logits: (N, 1, H, W).
        mask: (N, 1, H, W) in [0, 1], how much of each pixel is occluder.
    """
    found = logits.sigmoid()
    both = (found * mask).sum((1, 2, 3))
    all_of_them = found.square().sum((1, 2, 3)) + mask.square().sum((1, 2, 3))
    # One hundred pixels keep the loss of an empty mask finite, and near 0 for a good answer.
    dice = 1 - (2 * both + 100) / (all_of_them + 100)
    weight = 1 + THIN_WEIGHT * thin_parts(mask)
    return F.binary_cross_entropy_with_logits(logits, mask, weight) + dice.mean()
