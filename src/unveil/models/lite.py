"""The generator `lite`: adds to the closed-form prior what a linear model cannot see.

It gets the face with the prior's fill (`eigenface.py`), the mask, and the mirror image of both (a
hidden eye's best witness is the other one), and its output is two corrections of the hidden part:
one trained to be near the truth, and soft as every mean is, one trained to look like a face. What
users call detail lies between the two. The trunk's last layer starts at zero, so it starts as good
as the prior is.

The prior has seen the whole face, so the network need not: it is convolutional but for the code of
each place, and it is trained on windows around the hidden part, at a quarter of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unveil.models.folded import FoldedShape, FoldedUNet, cut_windows

LITE = FoldedShape(widths=(48, 96, 192), blocks=(2, 2, 4))


class Lite(nn.Module):
    """(filled face, mask) -> restored face, soft and sharp.

    Args:
        shape: of the trunk.
        mirrored: whether it gets the mirror image too.
    """

    def __init__(self, shape: FoldedShape = LITE, *, mirrored: bool = True) -> None:
        super().__init__()
        self.mirrored = mirrored
        self.trunk = FoldedUNet(8 if mirrored else 4, 6, shape)

    def forward(
        self,
        face: Tensor,
        mask: Tensor,
        corners: Sequence[tuple[int, int]] | None = None,
        side: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Correct the fill of the hidden part.

        Args:
            face: (B, 3, S, S) in [-1, 1], RGB, the hidden part filled by the prior.
            mask: (B, 1, S, S), 1 = hidden.
            corners, side: restore only a window of each face: its top and left, multiples of 16,
                and its side in pixels, one too.

        Returns:
            The likeliest face and a sharp one, (B, 3, S, S) or (B, 3, side, side) each; equal to
            `face` where `mask` is 0.
        """
        x = torch.cat([face, mask * 2 - 1], dim=1)
        if self.mirrored:
            x = torch.cat([x, x.flip(-1)], dim=1)
        if corners is not None:
            x, face, mask = (cut_windows(part, corners, side) for part in (x, face, mask))
        likely, sharp = self.trunk(x, corners).chunk(2, dim=1)
        return face + mask * likely, face + mask * sharp


class Detailed(nn.Module):
    """`Lite` with one output: (filled face, mask, detail) -> restored face.

    Detail is (B, 1, 1, 1) in [0, 1]: 0 is the likeliest face, 1 the sharp one. A mixture of the two
    outputs, and not of two sets of weights, costs one trunk in training and in use.
    """

    def __init__(self, lite: Lite) -> None:
        super().__init__()
        self.lite = lite

    def forward(self, face: Tensor, mask: Tensor, detail: Tensor) -> Tensor:
        """(B, 3, S, S), (B, 1, S, S), (B, 1, 1, 1) -> (B, 3, S, S)"""
        likely, sharp = self.lite(face, mask)
        restored: Tensor = likely + detail * (sharp - likely)
        return restored
