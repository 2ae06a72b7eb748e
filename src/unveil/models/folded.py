"""A small U-Net that never works at full resolution: the trunk of `lite`.

The segmenter and the aligner take its blocks.

What is notable:
- The image is folded 4 x 4 into channels first (pixel unshuffle; Shi et al., 2016, section 3.2) and
  unfolded last: depthwise layers at full resolution cost more time than all the rest.
- Blocks are a depthwise 5 x 5 and two pointwise layers (ConvNeXt's order; Liu et al., 2022,
  section 2.4), with no norms: nothing depends on the batch, and two sets of weights can be mixed.
- Aligned faces give more: each place has a learned code of its own (1/16); in the segmenter, the
  mirrored half comes beside each feature; attention over all places at 1/16 sees the whole face
  (Vaswani et al., 2017, section 3.2), in the segmenter too, and in `lite` where it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unveil.models.depthwise import Depthwise

FOLD = 4
CELL = 4 * FOLD  # pixels of a place at 1/16
KERNEL = 5  # side of the depthwise kernels
EXPAND = 2  # hidden channels of a block, relative to its width
HEADS = 4  # of the attention


@dataclass(frozen=True)
class FoldedShape:
    """What decides the parameters.

    Attributes:
        widths: channels at 1/4, 1/8 and 1/16 of the face's side.
        blocks: blocks at each; those of the first two come once before and once after.
        code, attention: whether the parts that aligned faces allow are there.
        side: of the face in pixels, a multiple of 16; decides the number of codes.
    """

    widths: tuple[int, int, int]
    blocks: tuple[int, int, int]
    code: bool = True
    attention: bool = False
    side: int = 256

    def scaled(self, width: float) -> FoldedShape:
        """The same with `width` times the channels, in multiples of 8."""
        first, second, third = (max(8, 8 * round(n * width / 8)) for n in self.widths)
        return replace(self, widths=(first, second, third))


@dataclass(frozen=True)
class Places:
    """A rectangle of a square image, in places at 1/16, as int64 tensors of no dimension: exported,
    they are worked out anew for each face."""

    top: Tensor
    bottom: Tensor
    left: Tensor
    right: Tensor

    @classmethod
    def around(cls, mask: Tensor) -> Places:
        """(B, 1, S, S), 1 = hidden -> all that is hidden of any face; everything, if nothing is."""
        hidden = F.max_pool2d(mask, CELL).amax(dim=(0, 1))
        return cls(*_ends(hidden.amax(1)), *_ends(hidden.amax(0)))

    def grown(self, by: int, n: int) -> Places:
        """This and `by` places on each side, as far as the image of n x n goes."""
        top, left = (self.top - by).clamp(min=0), (self.left - by).clamp(min=0)
        return Places(top, (self.bottom + by).clamp(max=n), left, (self.right + by).clamp(max=n))

    def of(self, x: Tensor, scale: int = 1, within: Places | None = None) -> Tensor:
        """Cut it out of (B, C, H, W), `scale` pixels a place, which shows `within` or the whole."""
        top, left = (within.top, within.left) if within else (0, 0)
        rows = slice((self.top - top) * scale, (self.bottom - top) * scale)
        columns = slice((self.left - left) * scale, (self.right - left) * scale)
        return x[:, :, rows, columns]

    def put(self, x: Tensor, side: int) -> Tensor:
        """Pixels (B, C, h, w) of it -> (B, C, side, side), 0 elsewhere."""
        left, top = self.left * CELL, self.top * CELL
        right, bottom = side - self.right * CELL, side - self.bottom * CELL
        return F.pad(x, (left, right, top, bottom))  # type: ignore[arg-type]


def _ends(values: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) -> the first place of the largest value, and the place behind its last."""
    return values.argmax(0), values.shape[0] - values.flip(0).argmax(0)


class FoldIn(nn.Conv2d):
    """A pointwise layer over an image folded `times` x `times` into channels (pixel unshuffle).

    Its weights are those of that layer. It runs as one convolution of `times` x `times` pixels, for
    which nothing is moved about in memory: that took longer than the layer itself (docs/log.md).
    """

    def __init__(self, inputs: int, outputs: int, times: int = FOLD) -> None:
        super().__init__(inputs * times * times, outputs, 1)
        self.times = times

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, S, S) -> (B, outputs, S / times, S / times)"""
        weight = self.weight.reshape(self.out_channels, -1, self.times, self.times)
        return F.conv2d(x, weight, self.bias, stride=self.times)


class Block(nn.Module):
    """x + pointwise(relu(pointwise(depthwise(x))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = Depthwise(channels, KERNEL)
        self.widen = nn.Conv2d(channels, channels * EXPAND, 1)
        self.narrow = nn.Conv2d(channels * EXPAND, channels, 1)
        # Without norms, each block starts as a small step away from the identity.
        nn.init.normal_(self.narrow.weight, std=0.2 * (channels * EXPAND) ** -0.5)
        nn.init.zeros_(self.narrow.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)"""
        step: Tensor = self.narrow(F.relu(self.widen(self.depthwise(x))))
        return x + step


# Adds nothing to a sum of float32, and keeps every share, and its product with a value, a normal
# number: subnormal ones, of which a sharp softmax has many, cost a processor ten times the time.
LEAST_SHARE = 1e-30


def shares(match: Tensor) -> Tensor:
    """Softmax over the last dimension, (..., P) -> the same shape, in [LEAST_SHARE, 1]."""
    return match.softmax(-1) + LEAST_SHARE


class Attention(nn.Module):
    """x + what each place finds in all others."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ask = nn.Conv2d(channels, 3 * channels, 1)
        self.answer = nn.Conv2d(channels, channels, 1)
        nn.init.normal_(self.answer.weight, std=0.2 * channels**-0.5)
        nn.init.zeros_(self.answer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)"""
        batch, channels, height, width = x.shape
        depth = channels // HEADS
        parts = self.ask(x).reshape(batch, 3, HEADS, depth, height * width)
        query, key, value = parts.unbind(1)  # (B, heads, depth, H W)
        match = shares(query.transpose(-1, -2) @ key * depth**-0.5)  # (B, heads, H W, H W)
        found = (value @ match.transpose(-1, -2)).reshape(batch, channels, height, width)
        result: Tensor = x + self.answer(found)
        return result


class Mirror(nn.Module):
    """Mixes each place with the one mirrored about the face's middle."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * channels, channels, 1)
        nn.init.normal_(self.mix.weight, std=0.2 * (2 * channels) ** -0.5)
        nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)"""
        step: Tensor = self.mix(torch.cat([x, x.flip(-1)], dim=1))
        return x + step


class FoldedUNet(nn.Module):
    """(B, inputs, S, S) -> (B, outputs, S, S); all zeros before it is trained."""

    def __init__(self, inputs: int, outputs: int, shape: FoldedShape) -> None:
        super().__init__()
        first, second, third = shape.widths

        def blocks(channels: int, n: int) -> list[nn.Module]:
            return [Block(channels) for _ in range(n)]

        self.stem = FoldIn(inputs, first)
        self.fine = nn.Sequential(*blocks(first, shape.blocks[0]))
        self.to_middle = nn.Conv2d(first, second, 2, stride=2)
        self.middle = nn.Sequential(*blocks(second, shape.blocks[1]))
        self.to_coarse = nn.Conv2d(second, third, 2, stride=2)
        # How far the blocks of the way up see, in places at 1/16: at 1/4, and together at 1/8.
        sees = KERNEL // 2
        fine_sees = math.ceil(shape.blocks[0] * sees / 4)
        self.reach = fine_sees, fine_sees + math.ceil(shape.blocks[1] * sees / 2)
        cells = shape.side // CELL
        self.code = nn.Parameter(torch.zeros(1, third, cells, cells)) if shape.code else None
        coarse = blocks(third, shape.blocks[2])
        if shape.attention:  # after the first block, and in the middle
            coarse.insert(1 + len(coarse) // 2, Attention(third))
            coarse.insert(1, Attention(third))
        self.coarse = nn.Sequential(*coarse)
        self.from_coarse = nn.Conv2d(third, 4 * second, 1)
        self.middle_out = nn.Sequential(*blocks(second, shape.blocks[1]))
        self.from_middle = nn.Conv2d(second, 4 * first, 1)
        self.fine_out = nn.Sequential(*blocks(first, shape.blocks[0]))
        self.head = nn.Conv2d(first, outputs * FOLD * FOLD, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(
        self,
        x: Tensor,
        corners: Sequence[tuple[int, int]] | None = None,
        beside: Tensor | None = None,
        asked: Places | None = None,
    ) -> Tensor:
        """(B, inputs, S, S) -> (B, outputs, S, S)

        Args:
            corners: where the images are windows of faces, the top and left of each in the face,
                multiples of 16.
            beside: (B, third, S/16, S/16), what is known of each place from elsewhere.
            asked: make only this part of the output, the same as in the whole of it; the way up,
                a third of the time, is then only gone around it.
        """
        fine = self.fine(self.stem(x))  # (B, first, S/4, S/4)
        middle = self.middle(self.to_middle(fine))  # (B, second, S/8, S/8)
        coarse = self.to_coarse(middle)  # (B, third, S/16, S/16)
        if self.code is not None:
            coarse = coarse + self._code_of(corners, coarse.shape[-1])
        if beside is not None:
            coarse = coarse + beside
        coarse = self.coarse(coarse)
        # Cut twice, each time with as much around it as the blocks behind see.
        both = fine_only = None
        if asked is not None:
            n, (near, far) = int(coarse.shape[-1]), self.reach
            both, fine_only = asked.grown(far, n), asked.grown(near, n)
            coarse, middle = both.of(coarse), both.of(middle, 2)
        middle = self.middle_out(F.pixel_shuffle(self.from_coarse(coarse), 2) + middle)
        if fine_only is not None:
            middle, fine = fine_only.of(middle, 2, both), fine_only.of(fine, FOLD)
        fine = self.fine_out(F.pixel_shuffle(self.from_middle(middle), 2) + fine)
        made = F.pixel_shuffle(self.head(fine), FOLD)
        return made if asked is None else asked.of(made, CELL, fine_only)

    def _code_of(self, corners: Sequence[tuple[int, int]] | None, cells: int) -> Tensor:
        assert self.code is not None
        if corners is None:
            return self.code
        return cut_windows(
            self.code.expand(len(corners), -1, -1, -1),
            [(top // CELL, left // CELL) for top, left in corners],
            cells,
        )


def cut_windows(images: Tensor, corners: Sequence[tuple[int, int]], side: int) -> Tensor:
    """(N, C, S, S) and the top and left of each window -> (N, C, side, side)."""
    parts = [
        image[:, top : top + side, left : left + side]
        for image, (top, left) in zip(images, corners, strict=True)
    ]
    return torch.stack(parts).contiguous(memory_format=torch.channels_last)
