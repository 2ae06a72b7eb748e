"""The patch discriminator of pix2pix, which Shift-Net takes too.

Source: Isola, Zhu, Zhou and Efros, "Image-to-Image Translation with Conditional Adversarial
Networks", CVPR 2017, sections 3.2.2 and 6.1.2 (the 70x70 one): plain 4x4 convolutions of 64, 128,
256 and 512 channels, the first three of stride 2. A re-implementation; it differs in `width`, and
in InstanceNorm where the paper has BatchNorm (which at its batch of 1 is the same). It is trained
by least squares (`losses/adversarial.py`), where the paper (equation 1) has the log loss.
"""

from __future__ import annotations

from torch import Tensor, nn

from unveil.models.paper import init_normal

CHANNELS = (64, 128, 256, 512)


class PatchGan(nn.Module):
    """(N, in_channels, H, W) -> (N, 1, H/8 - 2, W/8 - 2) scores, 1 for real.

    Args:
        in_channels: 3 for images; 6 for images with their condition.
        width: channels relative to the paper's.
    """

    def __init__(self, in_channels: int = 3, width: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        last = in_channels
        for i, full in enumerate(CHANNELS):
            channels = max(4, round(full * width))
            stride = 2 if i < len(CHANNELS) - 1 else 1
            layers.append(nn.Conv2d(last, channels, 4, stride=stride, padding=1))
            if i > 0:
                layers.append(nn.InstanceNorm2d(channels))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            last = channels
        layers.append(nn.Conv2d(last, 1, 4, padding=1))
        self.model = nn.Sequential(*layers)
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.model(x)
        return scores
