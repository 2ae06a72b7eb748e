"""The generator `lite`: adds to the closed-form prior what a linear model cannot see.

It gets the face with the prior's fill (`eigenface.py`) and the mask, and its output is a correction
of the hidden part. The trunk's last layer starts at zero, so it starts as good as the prior is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unveil.models.folded import FoldedShape, FoldedUNet

LITE = FoldedShape(widths=(48, 96, 192), blocks=(2, 2, 4))


class Lite(nn.Module):
    """(filled face, mask) -> restored face."""

    def __init__(self, shape: FoldedShape = LITE) -> None:
        super().__init__()
        self.trunk = FoldedUNet(4, 3, shape)

    def forward(self, face: Tensor, mask: Tensor) -> Tensor:
        """Correct the fill of the hidden part.

        Args:
            face: (B, 3, S, S) in [-1, 1], RGB, the hidden part filled by the prior.
            mask: (B, 1, S, S), 1 = hidden.

        Returns:
            (B, 3, S, S), equal to `face` where `mask` is 0.
        """
        correction: Tensor = self.trunk(torch.cat([face, mask * 2 - 1], dim=1))
        return face + mask * correction
