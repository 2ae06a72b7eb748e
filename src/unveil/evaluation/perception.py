"""How alike two faces look to a network that was trained to name what it sees, and its features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unveil.imaging import Mask, Photo, to_network
from unveil.losses.perceptual import SqueezeFeatures, perceptual_distance


@dataclass(frozen=True)
class Seen:
    """What the network makes of an output, beside the clean face.

    Attributes:
        whole, hidden: perceptual distance over all places, and over those of the hidden part.
        pooled_whole, pooled_hidden: (d,) the last layer's features of the output, averaged alike;
            for `frechet.frechet_distance`.
    """

    whole: float
    hidden: float
    pooled_whole: NDArray[np.float32]
    pooled_hidden: NDArray[np.float32]


class Eye:
    """SqueezeNet's features of faces."""

    def __init__(self, network: SqueezeFeatures) -> None:
        self.network = network

    @classmethod
    def load(cls, path: Path) -> Eye:
        """With the weights that the package `ndf` carries.

        Raises:
            WeightsError: not that file.
        """
        return cls(SqueezeFeatures.load(path))

    def compare(self, clean: Photo, outputs: list[Photo], mask: Mask) -> list[Seen]:
        """The clean face itself, then each output, against the clean face.

        A place of a layer counts for the hidden part by as much as its pixels are hidden; what it
        sees reaches over the edge, as SSIM's windows do.

        Args:
            clean: (S, S, 3) uint8; outputs alike; S a multiple of 16.
            mask: (S, S) bool, True = hidden; hides at least one pixel.
        """
        with torch.no_grad():
            layers = self.network(torch.from_numpy(to_network(np.stack([clean, *outputs]))))
            weight = torch.from_numpy(mask)[None, None].float()
            shares = [_share(weight, layer) for layer in layers]
            pooled = layers[-1].mean((2, 3)), (layers[-1] * shares[-1]).sum((2, 3))
            seen = []
            for i in range(len(outputs) + 1):
                ours, truth = ([layer[j : j + 1] for layer in layers] for j in (i, 0))
                apart = [
                    ((a - b).square().sum(1, keepdim=True) * share).sum()
                    for a, b, share in zip(ours, truth, shares, strict=True)
                ]
                whole, hidden = perceptual_distance(ours, truth), torch.stack(apart).mean()
                vectors = (p[i].float().numpy() for p in pooled)
                seen.append(Seen(float(whole), float(hidden), *vectors))
        return seen


def _share(mask: Tensor, layer: Tensor) -> Tensor:
    """(1, 1, S, S) mask -> (1, 1, H, W) weights of a layer's places, which add up to 1."""
    small = F.adaptive_avg_pool2d(mask, (layer.shape[-2], layer.shape[-1]))
    return small / small.sum()
