"""Losses of the occluder segmenter."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Bands and strands, thinner than THIN pixels, weigh so many times more, with what lies NEAR them:
# they are a hundredth of what hides a face, and all that is left of a mask when they are missed.
THIN, NEAR, THIN_WEIGHT = 9, 5, 4.0


def thin_parts(mask: Tensor) -> Tensor:
    """What a square of THIN pixels does not fit into, (N, 1, H, W) in [0, 1], and what is near.

    The mask less its grey opening (Serra, 1982), dilated.
    """
    opened = _largest(-_largest(-mask, THIN), THIN)
    return _largest(mask - opened, NEAR)


def _largest(x: Tensor, side: int) -> Tensor:
    """`max_pool2d(x, side, 1, side // 2)`, which looks at each pixel `side` squared times.

    Row by row, then column by column, and each as the larger of two that overlap.
    """
    half = side // 2
    for dim, pad in ((-1, (half, half, 0, 0)), (-2, (0, 0, half, half))):
        x, reach = F.pad(x, pad, value=-torch.inf), 1
        while reach < side:
            step = min(reach, side - reach)
            length = x.shape[dim] - step
            x = torch.maximum(x.narrow(dim, 0, length), x.narrow(dim, step, length))
            reach += step
    return x


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
