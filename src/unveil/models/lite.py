"""The generator `lite`: adds to the closed-form prior what a linear model cannot see.

It gets the face with the prior's fill (`eigenface.py`), the mask, and the mirror image of both (a
hidden eye's best witness is the other one), and its output is a correction of the hidden part. The
trunk's last layer starts at zero, so it starts as good as the prior is.

The prior has seen the whole face, so the network need not: it is convolutional but for the code of
each place, and it is trained on windows around the hidden part, at a quarter of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unveil.models.folded import FoldedShape, FoldedUNet, cut_windows

LITE = FoldedShape(widths=(48, 96, 192), blocks=(2, 2, 4), mirror=False, attention=False)


class Lite(nn.Module):
    """(filled face, mask) -> restored face.

    Args:
        shape: of the trunk.
        mirrored: whether it gets the mirror image too.
    """

    def __init__(self, shape: FoldedShape = LITE, *, mirrored: bool = True) -> None:
        super().__init__()
        self.mirrored = mirrored
        self.trunk = FoldedUNet(8 if mirrored else 4, 3, shape)

    def forward(
        self,
        face: Tensor,
        mask: Tensor,
        corners: Sequence[tuple[int, int]] | None = None,
        side: int = 0,
    ) -> Tensor:
        """Correct the fill of the hidden part.

        Args:
            face: (B, 3, S, S) in [-1, 1], RGB, the hidden part filled by the prior.
            mask: (B, 1, S, S), 1 = hidden.
            corners, side: restore only a window of each face: its top and left, multiples of 16,
                and its side in pixels, one too.

        Returns:
            (B, 3, S, S), or (B, 3, side, side); equal to `face` where `mask` is 0.
        """
        x = torch.cat([face, mask * 2 - 1], dim=1)
        if self.mirrored:
            x = torch.cat([x, x.flip(-1)], dim=1)
        if corners is not None:
            x, face, mask = (cut_windows(part, corners, side) for part in (x, face, mask))
        correction: Tensor = self.trunk(x, corners)
        return face + mask * correction
