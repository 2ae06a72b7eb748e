"""Where a face lies in its frame, told from what can be seen of it: better aligned than it came.

The detector's points are drawn along by what hides some of them; no fit can tell that from another
face (docs/log.md). This network sees the face as the detector aligned it, without its hidden part,
and says how the frame is to move.

What is notable:
- The way down is SqueezeNet's (`models.squeezenet`) as far as `fire5`, and starts from what it
  learned on ImageNet: that learns in a third of the faces what a network of `lite`'s blocks does.
- It works at half the face's side: a frame is a thing of a few pixels. And it sees the middle of
  the frame alone: where training faces end, their edge is drawn out, and would tell how the face
  was moved.
- At last every place has weights of its own, since where a thing is seen is all that counts.
- It says nothing (zeros) before it is trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor, nn

from unveil.models.folded import Block, FoldIn
from unveil.models.squeezenet import SqueezeNet

HALF = 2
# Left, top and side of what is seen, in parts of the face's side: brows to chin, ear to ear.
LEFT, TOP, SEEN = 1 / 8, 5 / 32, 3 / 4
STRIDE = 8  # of `fire5`


@dataclass(frozen=True)
class AlignerShape:
    """What decides the parameters behind the trunk.

    Attributes:
        widths: channels at 1/16 and 1/32 of the face's side.
        blocks: blocks at each.
        kept: channels of each place at 1/32 that the answer is made of.
        mixed: width of the layer before the answer.
        side: of the face in pixels, a multiple of 128.
    """

    widths: tuple[int, int] = (96, 160)
    blocks: tuple[int, int] = (2, 3)
    kept: int = 24
    mixed: int = 96
    side: int = 256

    def scaled(self, width: float) -> AlignerShape:
        """The same with `width` times the channels, in multiples of 8."""
        first, second, kept, mixed = (
            max(8, 8 * round(n * width / 8)) for n in (*self.widths, self.kept, self.mixed)
        )
        return replace(self, widths=(first, second), kept=kept, mixed=mixed)


ALIGNER = AlignerShape()


class Aligner(nn.Module):
    """Aligned face and what is hidden of it -> how its frame is to move."""

    def __init__(self, shape: AlignerShape = ALIGNER) -> None:
        super().__init__()
        first, second = shape.widths

        def blocks(channels: int, n: int) -> nn.Sequential:
            return nn.Sequential(*(Block(channels) for _ in range(n)))

        self.trunk = SqueezeNet(last="fire5")
        self.see_face = nn.Conv2d(256, first, 1)
        self.see_mask = FoldIn(1, first, STRIDE)
        self.middle = blocks(first, shape.blocks[0])
        self.to_coarse = nn.Conv2d(first, second, 2, stride=2)
        self.coarse = blocks(second, shape.blocks[1])
        self.keep = nn.Conv2d(second, shape.kept, 1)
        places = round(SEEN * shape.side / (HALF * 2 * STRIDE)) ** 2
        self.mix = nn.Linear(shape.kept * places, shape.mixed)
        self.answer = nn.Linear(shape.mixed, 4)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(self, face: Tensor, mask: Tensor) -> Tensor:
        """Args: (B, 3, S, S) in [-1, 1], RGB; (B, 1, S, S), 1 = hidden.

        Returns:
            (B, 4) in pixels of a frame of 256: with a point of the face as it lies written as a
            complex number z counted from the frame's middle, it belongs to
            z + (a + b i) z / 128 + (x + y i). a: larger, b: turned clockwise, x, y: shifted.
        """
        # What is beside the hidden part is mixed with it when pixels are.
        hidden = F.max_pool2d(F.max_pool2d(_seen(mask), HALF), 3, stride=1, padding=1)
        small = F.avg_pool2d(_seen(face), HALF) * (1 - hidden)
        middle = self.see_face(self.trunk(small)["fire5"])
        middle = self.middle(middle + self.see_mask(hidden))
        kept = F.relu(self.keep(self.coarse(self.to_coarse(middle))))
        moved: Tensor = self.answer(F.relu(self.mix(kept.flatten(1))))
        return moved


def _seen(images: Tensor) -> Tensor:
    """(B, C, S, S) -> the middle of each."""
    side = int(images.shape[-1])  # a number, not a step of what is exported
    top, left, seen = round(TOP * side), round(LEFT * side), round(SEEN * side)
    return images[..., top : top + seen, left : left + seen]
