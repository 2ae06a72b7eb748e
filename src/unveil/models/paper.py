"""The paper's generator: a U-Net of depthwise-separable convolutions.

Source: Zhou and Lu, "Masked Face Restoration Model Based on Lightweight GAN", 2025,
doi 10.32604/cmc.2024.057554, sections 3.1, 3.2 and 3.4, Algorithm 1.

What the text fixes: 256x256 input, 8 downs and 7 ups, skips by concatenation; a down block is
depthwise 4x4 stride 2, BatchNorm, LeakyReLU 0.2, pointwise 1x1, InstanceNorm if normalised,
Dropout; dropout sits in the first five layers of the encoder; every convolution is separable;
normal initialisation with deviation 0.02.

Where the text is silent or contradicts itself, and what is decided here:

1.  Channels. Not given for the generator. Taken from pix2pix, whose code the paper's listings
    follow: 64, 128, 256, 512, 512, 512, 512, 512 down; 512, 512, 512, 512, 256, 128, 64 up.
2.  Kernel. Section 3.2 and Figure 2 say 3x3, Algorithm 1 says 4x4 stride 2. The algorithm wins.
3.  Which downs are normalised. Not given. All but the first and the last (pix2pix): the last one is
    1x1, where an InstanceNorm would erase everything.
4.  Dropout rate. Not given. 0.5 (pix2pix), in downs 1 to 5. Section 3.1 speaks of the encoder only,
    so the ups have none.
5.  Ups. "Constructed using the same method": the depthwise convolution becomes a transposed one,
    then the order of Algorithm 1; every up ends in InstanceNorm.
6.  The skip is concatenated after the up block, the decoder's channels first.
7.  Output layer. Only Tanh is implied (the range of A, B, C is [-1, 1]). pix2pix ends in nearest
    upsampling, a zero pad on the left and top, a 4x4 convolution and Tanh; here that convolution is
    depthwise-separable like all others, with no norm or activation between its two halves.
8.  Mask branch. The same network ("from A to C"); C is black and white, so one channel goes out.
9.  Initialisation. See `init_normal`: the text's mean of 1 and the usual mean of 0 are options.
10. "DWSC normalisation individually to each channel" is read as the depthwise BatchNorm.

With 3 channels out this gives 3,544,057 parameters and 1.31 G multiply-adds at 256x256; with
`plain=True` (the same U-Net of plain 4x4 convolutions, for the paper's comparison) 54.4 M.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DEVIATION = 0.02  # of initial weights (section 3.4)
DOWN_CHANNELS = (64, 128, 256, 512, 512, 512, 512, 512)
UP_CHANNELS = (512, 512, 512, 512, 256, 128, 64)
DROPOUT_DOWNS = 5


def separable(in_channels: int, out_channels: int, *, transposed: bool = False) -> list[nn.Module]:
    """Depthwise 4x4 stride 2, BatchNorm, LeakyReLU, pointwise 1x1 (Algorithm 1, lines 2 to 10)."""
    conv = nn.ConvTranspose2d if transposed else nn.Conv2d
    return [
        conv(in_channels, in_channels, 4, stride=2, padding=1, groups=in_channels, bias=False),
        nn.BatchNorm2d(in_channels),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    ]


class Dropout(nn.Module):
    """Element-wise dropout that draws one random byte an element, eight to a random number.

    The rate is rounded to 1/256, at most to 255/256. torch's own draws one random double an element
    in one thread, a tenth of a training step on a CPU.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.threshold = min(round(rate * 256), 255)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.threshold == 0:
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None)
        n, c, h, w = x.shape
        drawn = words.view(torch.uint8)[: x.numel()].view(n, h, w, c).permute(0, 3, 1, 2)
        return x * (drawn >= self.threshold).to(x.dtype).mul_(256 / (256 - self.threshold))


class InstanceNorm(nn.InstanceNorm2d):
    """torch's, with the right gradient for one image alone.

    torch 2.13 mixes up the places of a gradient that comes back channels last to a batch of one.
    """

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if len(x) == 1 and y.requires_grad:
            y.register_hook(torch.Tensor.contiguous)  # type: ignore[no-untyped-call]
        return y


class Down(nn.Sequential):
    """UNetDown of Algorithm 1: (N, in, H, W) -> (N, out, H/2, W/2)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        normalize: bool = True,
        dropout: float = 0.0,
        plain: bool = False,
    ) -> None:
        if plain:
            layers: list[nn.Module] = [
                nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
            ]
        else:
            layers = separable(in_channels, out_channels)
        if normalize:
            layers.append(InstanceNorm(out_channels))
        if plain:
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        if dropout:
            layers.append(Dropout(dropout))
        super().__init__(*layers)


class Up(nn.Sequential):
    """UNetUp, mirroring Algorithm 1: (N, in, H, W) -> (N, out, 2H, 2W)."""

    def __init__(self, in_channels: int, out_channels: int, *, plain: bool = False) -> None:
        if plain:
            layers: list[nn.Module] = [
                nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False),
                InstanceNorm(out_channels),
                nn.ReLU(inplace=True),
            ]
        else:
            layers = [
                *separable(in_channels, out_channels, transposed=True),
                InstanceNorm(out_channels),
            ]
        super().__init__(*layers)


class OutputLayer(nn.Module):
    """Nearest upsampling by 2, zero pad (left and top 1), separable 4x4 convolution, Tanh.

    Nothing non-linear stands between the parts, so they are computed as one 3x3 convolution at the
    lower resolution with four output phases, and a pixel shuffle: the same numbers in about a tenth
    of the time, because no 128-channel map exists at full resolution.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 4, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)
        # spread[phase, tap of the 4x4 kernel, row of the 3x3 kernel]: output 2i+a reads upsampled
        # row 2i+a+k-2, which is source row i + floor((a+k-2)/2).
        spread = torch.zeros(2, 4, 3)
        for a in range(2):
            for k in range(4):
                spread[a, k, (a + k - 2) // 2 + 1] = 1.0
        self.register_buffer("spread", spread, persistent=False)
        self.spread: Tensor

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight (4 out, C, 3, 3) and bias (4 out) of the one convolution that this layer is."""
        taps = self.depthwise.weight[:, 0]  # (C, 4, 4)
        point = self.pointwise.weight[:, :, 0, 0]  # (out, C)
        phases = torch.einsum("ckl,aki,blj->abcij", taps, self.spread, self.spread)
        weight = torch.einsum("oc,abcij->oabcij", point, phases)  # (out, 2, 2, C, 3, 3)
        assert self.pointwise.bias is not None
        return weight.flatten(0, 2), self.pointwise.bias.repeat_interleave(4)

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(x, *self.folded(), padding=1)  # (N, 4 out, H, W)
        return torch.tanh(F.pixel_shuffle(y, 2))  # (N, out, 2H, 2W)


class PaperGenerator(nn.Module):
    """A (occluded) -> B (clean face) or A -> C (occluder mask).

    Args:
        out_channels: 3 for the face branch, 1 for the mask branch.
        dropout: rate in the first five downs.
        plain: plain 4x4 convolutions in place of separable ones (the comparison, 54.4 M).
        width: channels relative to the paper's; smaller for tests.
        depth: number of downs, the paper's 8; the side of the images is a multiple of 2**depth.

    Input and output: (N, 3, 256, 256) -> (N, out_channels, 256, 256), float in [-1, 1].
    """

    def __init__(
        self,
        out_channels: int = 3,
        *,
        dropout: float = 0.5,
        plain: bool = False,
        width: float = 1.0,
        depth: int = len(DOWN_CHANNELS),
    ) -> None:
        super().__init__()
        down = [max(4, round(c * width)) for c in DOWN_CHANNELS[:depth]]
        up = [max(4, round(c * width)) for c in UP_CHANNELS[1 - depth :]]
        last = len(down) - 1
        self.downs = nn.ModuleList(
            Down(
                3 if i == 0 else down[i - 1],
                channels,
                normalize=0 < i < last,
                dropout=dropout if i < DROPOUT_DOWNS else 0.0,
                plain=plain,
            )
            for i, channels in enumerate(down)
        )
        self.ups = nn.ModuleList(
            Up(down[last] if i == 0 else up[i - 1] + down[last - i], channels, plain=plain)
            for i, channels in enumerate(up)
        )
        final_in = up[-1] + down[0]
        self.output: nn.Module
        if plain:
            self.output = nn.Sequential(
                nn.Upsample(scale_factor=2),
                nn.ZeroPad2d((1, 0, 1, 0)),
                nn.Conv2d(final_in, out_channels, 4, padding=1),
                nn.Tanh(),
            )
        else:
            self.output = OutputLayer(final_in, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for down in self.downs:  # (N, 64, 128, 128) ... (N, 512, 1, 1)
            x = down(x)
            skips.append(x)
        skips.pop()
        for up in self.ups:  # (N, 512+512, 2, 2) ... (N, 64+64, 128, 128)
            x = torch.cat((up(x), skips.pop()), dim=1)
        y: Tensor = self.output(x)
        return y


def init_normal(module: nn.Module, *, conv_mean: float = 0.0) -> None:
    """Draw weights from a normal distribution (section 3.4), in place.

    Convolutions get mean `conv_mean`, BatchNorm scales mean 1, biases 0. The text says mean 1 and
    deviation 0.02 for both kinds of layer (`conv_mean=1.0`); pix2pix, whose code the listings
    follow, has mean 0 for convolutions (`conv_mean=0.0`). `docs/log.md` tells what each does. The
    text speaks of "weights and biases", but biases are 0 with either mean, as in pix2pix.
    """
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, conv_mean, DEVIATION)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, DEVIATION)
            nn.init.zeros_(layer.bias)
