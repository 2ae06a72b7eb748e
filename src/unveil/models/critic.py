"""The discriminator of `lite`: which places of a face are invented?

The trunk's blocks on a folded image, for the same reason: full resolution is slow. Each place of
its 1/16 map is judged by itself, so the known places of a restored face count as real (after Zeng
et al., 2022, "Aggregated Contextual Transformations", section 3.3). Spectral norms (Miyato et al.,
2018) keep it from winning too early.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from unveil.models.folded import FOLD

WIDTHS = (64, 128, 192)


class CriticBlock(nn.Module):
    """A depthwise 5 x 5 and two pointwise layers, normed by their largest singular value."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        depthwise = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.depthwise = depthwise
        self.widen = spectral_norm(nn.Conv2d(channels, 2 * channels, 1))
        self.narrow = spectral_norm(nn.Conv2d(2 * channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)"""
        step: Tensor = self.narrow(F.leaky_relu(self.widen(self.depthwise(x)), 0.2))
        return x + step


class Critic(nn.Module):
    """(image, mask) -> scores, 1 for real, and the features on the way."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        first, second, third = (max(8, round(n * width)) for n in WIDTHS)
        self.stem = spectral_norm(nn.Conv2d(4 * FOLD * FOLD, first, 1))
        self.fine = CriticBlock(first)
        self.to_middle = spectral_norm(nn.Conv2d(first, second, 2, stride=2))
        self.middle = CriticBlock(second)
        self.to_coarse = spectral_norm(nn.Conv2d(second, third, 2, stride=2))
        self.coarse = CriticBlock(third)
        self.head = nn.Conv2d(third, 1, 1)

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Judge each place.

        Args:
            image: (B, 3, S, S) in [-1, 1].
            mask: (B, 1, S, S), 1 = hidden in the restored face; the same for the clean one.

        Returns:
            (B, 1, S/16, S/16) scores, and three maps of features.
        """
        x = F.pixel_unshuffle(torch.cat([image, mask * 2 - 1], dim=1), FOLD)
        fine = self.fine(F.leaky_relu(self.stem(x), 0.2))
        middle = self.middle(F.leaky_relu(self.to_middle(fine), 0.2))
        coarse = self.coarse(F.leaky_relu(self.to_coarse(middle), 0.2))
        return self.head(coarse), [fine, middle, coarse]
