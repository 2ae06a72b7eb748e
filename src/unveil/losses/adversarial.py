"""Least-squares adversarial loss (Mao et al., 2017; the paper's section 3.5.1, MSE)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def generator_loss(fake_scores: Tensor) -> Tensor:
    """Mean squared distance of the scores of generated images, (N, 1, h, w), from 1 (valid)."""
    return (fake_scores - 1.0).square().mean()


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Half the sum of the mean squared distances of real scores from 1 and of fake ones from 0.

    Args:
        real_scores, fake_scores: (N, 1, h, w).
    """
    return 0.5 * ((real_scores - 1.0).square().mean() + fake_scores.square().mean())


def place_generator_loss(fake_scores: Sequence[Tensor], mask: Tensor) -> Tensor:
    """`generator_loss` over the hidden places alone, mean over the scales.

    Args:
        fake_scores: (N, 1, h, w) of each scale.
        mask: (N, 1, S, S), 1 = hidden.
    """
    losses = []
    for fake in fake_scores:
        hidden = _places(mask, fake)
        losses.append(((fake - 1.0).square() * hidden).sum() / hidden.sum().clamp(min=1))
    return torch.stack(losses).mean()


def place_discriminator_loss(
    real_scores: Sequence[Tensor], fake_scores: Sequence[Tensor], mask: Tensor
) -> Tensor:
    """Real faces score 1 everywhere; restored ones 1 where they are known, 0 where invented.

    Args:
        real_scores, fake_scores: (N, 1, h, w) of each scale.
        mask: (N, 1, S, S), 1 = hidden.
    """
    losses = []
    for real, fake in zip(real_scores, fake_scores, strict=True):
        hidden = _places(mask, real)
        share = hidden.sum().clamp(min=1)
        right = ((real - 1.0).square() * hidden).sum() / share
        wrong = (fake.square() * hidden).sum() / share
        known = ((fake - 1.0).square() * (1 - hidden)).mean()
        losses.append(0.5 * (right + wrong) + 0.1 * known)
    return torch.stack(losses).mean()


def _places(mask: Tensor, scores: Tensor) -> Tensor:
    """How much of each place that the discriminator judges is hidden, in [0, 1]."""
    return F.interpolate(mask, size=tuple(scores.shape[-2:]), mode="area")
