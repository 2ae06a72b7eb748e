"""Least-squares adversarial loss (Mao et al., 2017; the paper's section 3.5.1, MSE)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def generator_loss(fake_scores: Tensor) -> Tensor:
    """Mean squared distance of the scores of generated images from 1 (valid)."""
    return (fake_scores - 1.0).square().mean()


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Half the squared distance of real scores from 1 and of fake ones from 0."""
    return 0.5 * ((real_scores - 1.0).square().mean() + fake_scores.square().mean())


def feature_loss(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Feature matching (Wang et al., 2018, "pix2pixHD", section 3.2): L1 between a discriminator's
    layers on generated and on real images, mean over the layers."""
    return torch.stack([(f - r).abs().mean() for f, r in zip(fake, real, strict=True)]).mean()


def place_generator_loss(fake_scores: Tensor, hidden: Tensor) -> Tensor:
    """`generator_loss` over the hidden places alone.

    Args:
        fake_scores: (N, 1, h, w).
        hidden: (N, 1, h, w) in [0, 1], how much of each place is invented.
    """
    return ((fake_scores - 1.0).square() * hidden).sum() / hidden.sum().clamp(min=1)


def place_discriminator_loss(real_scores: Tensor, fake_scores: Tensor, hidden: Tensor) -> Tensor:
    """Real faces score 1 everywhere; restored ones 1 where they are known, 0 where invented."""
    share = hidden.sum().clamp(min=1)
    real = ((real_scores - 1.0).square() * hidden).sum() / share
    fake = (fake_scores.square() * hidden).sum() / share
    known = ((fake_scores - 1.0).square() * (1 - hidden)).mean()
    return 0.5 * (real + fake) + 0.1 * known
