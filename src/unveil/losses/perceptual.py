"""Distance of two images in the features of a network that was trained to name what it sees.

The network is SqueezeNet (`models.squeezenet`). The distance is that of Zhang et al. (2018,
section 3.1) without their learned weights, so it is not LPIPS: features of about unit length,
squared differences, mean over places, mean over layers.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from unveil.models.squeezenet import SqueezeNet

# Layers, and their channels.
LAYERS = {"conv1": 64, "fire3": 128, "fire5": 256, "fire7": 384}
FLOOR = 0.3  # of the image's mean feature length


class SqueezeFeatures(nn.Module):
    """Frozen features of images in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.network = SqueezeNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.requires_grad_(False)

    @classmethod
    def load(cls, path: Path) -> SqueezeFeatures:
        """Read the weights that `ndf` carries.

        Raises:
            WeightsError: not that file.
        """
        features = cls()
        features.network.load(path)
        return features

    def look(self, image: Tensor) -> list[Tensor]:
        """(N, 3, H, W) RGB in [-1, 1] -> four maps of features as they are, about 1 in size."""
        features = self.network(image)
        return [features[name] for name in LAYERS]

    def forward(self, image: Tensor) -> list[Tensor]:
        """(N, 3, H, W) RGB in [-1, 1] -> four maps of unit-length features."""
        return [unit(x) for x in self.look(image)]


def unit(x: Tensor) -> Tensor:
    """(N, C, h, w) features with a length of about 1 over C; those of flat places stay shorter.

    Without that floor a flat cheek, all noise after division, gets most of the gradient.
    """
    length = x.norm(dim=1, keepdim=True)
    floor = FLOOR * length.detach().mean((2, 3), keepdim=True) + 1e-6
    unit: Tensor = x / (length + floor)
    return unit


def perceptual_distance(ours: list[Tensor], theirs: list[Tensor]) -> Tensor:
    """(N,) distance of the images that two lists of features belong to; 0 for equal ones."""
    layers = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(ours, theirs, strict=True)]
    return torch.stack(layers).mean(0)
