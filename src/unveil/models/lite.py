"""The generator `lite`: adds to the closed-form prior what a linear model cannot see.

It gets the face with the prior's fill (`eigenface.py`), the mask, and the mirror image of both (a
hidden eye's best witness is the other one), and its output is two corrections of the hidden part:
one trained to be near the truth, and soft as every mean is, one trained to look like a face. What
users call detail lies between the two. The trunk's last layer starts at zero, so it starts as good
as the prior is.

Most of it is convolutional but for the code of each place, and is trained on windows around the
hidden part, at a quarter of the cost. What is elsewhere in the face comes from a look at the whole
of it, a quarter as large, which costs little in training and in use.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unveil.models.folded import (
    CELL,
    FOLD,
    Block,
    FoldedShape,
    FoldedUNet,
    FoldIn,
    Places,
    cut_windows,
)

LITE = FoldedShape(widths=(48, 96, 192), blocks=(2, 2, 4))


class Overview(nn.Module):
    """What the whole face says to each place at 1/16; nothing before it is trained.

    A small U-Net at 1/16, 1/32 and 1/64 of the face's side, of two thirds of the trunk's channels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        width = max(8, 8 * round(outputs / 12))
        self.stem = FoldIn(inputs, width)
        self.near = Block(width)
        self.to_far = nn.Conv2d(width, width, 2, stride=2)
        self.far = Block(width)
        self.to_farthest = nn.Conv2d(width, width, 2, stride=2)
        self.farthest = nn.Sequential(Block(width), Block(width))
        self.from_farthest = nn.Conv2d(width, 4 * width, 1)
        self.far_out = Block(width)
        self.from_far = nn.Conv2d(width, 4 * width, 1)
        self.near_out = Block(width)
        self.head = nn.Conv2d(width, outputs, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, small: Tensor) -> Tensor:
        """(B, inputs, S/4, S/4), the face made small -> (B, outputs, S/16, S/16)"""
        near = self.near(self.stem(small))
        far = self.far(self.to_far(near))
        farthest = self.farthest(self.to_farthest(far))
        far = self.far_out(F.pixel_shuffle(self.from_farthest(farthest), 2) + far)
        result: Tensor = self.head(self.near_out(F.pixel_shuffle(self.from_far(far), 2) + near))
        return result


class Lite(nn.Module):
    """(filled face, mask) -> restored face, soft and sharp.

    Args:
        shape: of the trunk.
        mirrored: whether it gets the mirror image too.
        overview: whether it looks at the whole face too; its side is then a multiple of 64.
    """

    def __init__(
        self, shape: FoldedShape = LITE, *, mirrored: bool = True, overview: bool = True
    ) -> None:
        super().__init__()
        self.mirrored = mirrored
        inputs = 8 if mirrored else 4
        self.trunk = FoldedUNet(inputs, 6, shape)
        self.overview = Overview(inputs, shape.widths[2]) if overview else None

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
        likely, sharp = self.corrections(face, mask, corners, side)
        if corners is not None:
            face, mask = (cut_windows(part, corners, side) for part in (face, mask))
        return face + mask * likely, face + mask * sharp

    def corrections(
        self,
        face: Tensor,
        mask: Tensor,
        corners: Sequence[tuple[int, int]] | None = None,
        side: int = 0,
        asked: Places | None = None,
    ) -> tuple[Tensor, Tensor]:
        """What is added to the fill, (B, 3, S, S) twice; arguments as `forward`'s.

        asked: make only this part of them.
        """
        x = torch.cat([face, mask * 2 - 1], dim=1)
        small = F.avg_pool2d(x, CELL // FOLD)
        if self.mirrored:
            x, small = (torch.cat([part, part.flip(-1)], dim=1) for part in (x, small))
        beside = self.overview(small) if self.overview is not None else None
        if corners is not None:
            x = cut_windows(x, corners, side)
            if beside is not None:
                places = [(top // CELL, left // CELL) for top, left in corners]
                beside = cut_windows(beside, places, side // CELL)
        likely, sharp = self.trunk(x, corners, beside, asked).chunk(2, dim=1)
        return likely, sharp


class Detailed(nn.Module):
    """`Lite` with one output: (filled face, mask, detail) -> restored face.

    Detail is (B, 1, 1, 1) in [0, 1]: 0 is the likeliest face, 1 the sharp one. A mixture of the two
    outputs, and not of two sets of weights, costs one trunk in training and in use. The trunk's way
    up is made only around what is hidden.
    """

    def __init__(self, lite: Lite) -> None:
        super().__init__()
        self.lite = lite

    def forward(self, face: Tensor, mask: Tensor, detail: Tensor) -> Tensor:
        """(B, 3, S, S), (B, 1, S, S), (B, 1, 1, 1) -> (B, 3, S, S)"""
        asked = Places.around(mask)
        likely, sharp = self.lite.corrections(face, mask, asked=asked)
        correction = asked.put(likely + detail * (sharp - likely), int(face.shape[-1]))
        return face + mask * correction
