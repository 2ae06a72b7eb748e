"""The paper's patch discriminator.

Source: Zhou and Lu, 2025, section 3.4 and Algorithm 2.

What the text fixes: the image and its condition stacked on channels; four depthwise-separable
blocks with 64, 128, 256, 512 channels; "a zero fill layer and a volume layer" at the end; a map of
patch scores out.

Decided here: the first block is not normalised (pix2pix); the zero pad is on the left and top and
the last layer a plain 4x4 convolution to one channel without bias (pix2pix), which keeps the map at
16x16 for 256x256; Algorithm 2 puts no activation behind the pointwise convolution, and so none is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unveil.models.paper import InstanceNorm, separable

CHANNELS = (64, 128, 256, 512)


class PatchDiscriminator(nn.Module):
    """(N, image_channels, H, W) and (N, 3, H, W) -> (N, 1, H/16, W/16) scores, 1 for real.

    Args:
        image_channels: 3 for a face (B), 1 for a mask image (C).
        width: the paper's 1.0; smaller for tests.
    """

    def __init__(self, image_channels: int = 3, *, width: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        last = image_channels + 3
        for i, full in enumerate(CHANNELS):
            channels = max(4, round(full * width))
            layers += separable(last, channels)
            if i > 0:
                layers.append(InstanceNorm(channels))
            last = channels
        layers += [nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(last, 1, 4, padding=1, bias=False)]
        self.model = nn.Sequential(*layers)

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        scores: Tensor = self.model(torch.cat((image, condition), dim=1))
        return scores
