"""Finds what hides a face: occluded face in, occluder mask out.

What is notable:
- The way down is SqueezeNet's (`models.squeezenet`) as far as `fire6`, and starts from what it
  learned on ImageNet: cups, hands, cloth and hair that no drawn occluder shows. A network that knew
  drawn occluders alone found half of the area of those that it had not seen.
- The way up is that of `lite` (`models.folded`): blocks at 1/16, 1/8 and 1/4, unfolded last. The
  image itself comes in beside, folded 4 x 4, for edges that lie right to the pixel.
- Faces are aligned, so each place has a code of its own, and the mirrored half comes beside: an
  occluder is where left and right differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unveil.models.folded import FOLD, Attention, Block, FoldIn, Mirror
from unveil.models.squeezenet import SqueezeNet


@dataclass(frozen=True)
class SegmenterShape:
    """What decides the parameters of the way up.

    Attributes:
        widths: channels at 1/4, 1/8 and 1/16 of the face's side.
        side: of the face in pixels, a multiple of 16; decides the number of codes.
    """

    widths: tuple[int, int, int] = (32, 64, 96)
    side: int = 256

    def scaled(self, width: float) -> SegmenterShape:
        """The same with `width` times the channels, in multiples of 8."""
        first, second, third = (max(8, 8 * round(n * width / 8)) for n in self.widths)
        return replace(self, widths=(first, second, third))


SEGMENTER = SegmenterShape()


class Segmenter(nn.Module):
    """Occluded face -> logits of the occluder mask."""

    def __init__(self, shape: SegmenterShape = SEGMENTER) -> None:
        super().__init__()
        first, second, third = shape.widths
        self.trunk = SqueezeNet(last="fire6")
        self.see_coarse = nn.Conv2d(384, third, 1)
        self.see_middle = nn.Conv2d(256, second, 1)
        self.see_fine = nn.Conv2d(128, first, 1)
        self.see_pixels = FoldIn(3, first)
        cells = shape.side // 16
        self.code = nn.Parameter(torch.zeros(1, third, cells, cells))
        self.coarse = nn.Sequential(Mirror(third), Block(third), Attention(third), Block(third))
        self.from_coarse = nn.Conv2d(third, 4 * second, 1)
        self.middle = nn.Sequential(Block(second), Block(second))
        self.from_middle = nn.Conv2d(second, 4 * first, 1)
        self.fine = nn.Sequential(Block(first), Block(first))
        self.head = nn.Conv2d(first, FOLD * FOLD, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, face: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1], RGB -> (B, 1, S, S) logits, above 0 = hidden."""
        seen = self.trunk(face)
        coarse = self.coarse(self.see_coarse(seen["fire6"]) + self.code)
        middle = self.middle(_unfold(self.from_coarse(coarse), 2) + self.see_middle(seen["fire5"]))
        pixels = self.see_pixels(face.contiguous(memory_format=torch.channels_last))
        fine = self.see_fine(seen["fire3"]) + pixels
        fine = self.fine(_unfold(self.from_middle(middle), 2) + fine)
        return F.pixel_shuffle(self.head(fine), FOLD)


def _unfold(x: Tensor, times: int) -> Tensor:
    """Pixel shuffle; without the right memory order the next layers are slow on a CPU."""
    return F.pixel_shuffle(x, times).contiguous(memory_format=torch.channels_last)
