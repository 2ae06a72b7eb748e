"""Who says whether two aligned faces are one person: networks that know nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Photo
from unveil.models import dlib_face, faceres
from unveil.models.dlib_face import DlibFace
from unveil.models.faceres import FaceRes, Seen

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float32]

BATCH = 32
# What FaceRes sees of the canonical face: top, left, side. This square, and colours less their mean
# in the order of Caffe, were chosen on the very pairs that recognition is measured on: 98.0 % of
# the clean ones are judged rightly there, and 97.0 of 300 others, where other squares do as well.
# See docs/log.md.
FACERES_SQUARE = (50, 28, 200)
CAFFE_MEAN = (123.68, 116.779, 103.939)  # red, green, blue


@dataclass(frozen=True)
class Recogniser:
    """A network that turns faces into vectors, which lie the closer the likelier it is one person.

    Attributes:
        name: in results.
        label: what it is.
        files: what it is read from; its content decides the vectors.
        length: of a vector.
        embed: aligned faces (N, 256, 256, 3) uint8 -> vectors (N, length); goes to other processes.
        unit: the vectors have unit length.
    """

    name: str
    label: str
    files: tuple[Path, ...]
    length: int
    embed: Callable[[Photo], Array]
    unit: bool = False

    def mean(self, vectors: Sequence[Array]) -> Array:
        """Of several (N, length), of the same N faces: (N, length)."""
        mean: Array = np.mean(np.stack(vectors), axis=0, dtype=np.float32)
        return _unit_length(mean) if self.unit else mean


def dlib() -> Recogniser:
    """dlib's.

    Raises:
        WeightsError: it is not installed.
    """
    label = "dlib's ResNet (face-recognition-models 0.3.0), Euclidean distance"
    file = dlib_face.trained_file()
    return Recogniser("dlib", label, (file,), dlib_face.LENGTH, partial(_embed_dlib, path=file))


def hse_faceres(path: Path) -> Recogniser:
    """Savchenko's, of `faceres.json`.

    Raises:
        WeightsError: missing, or not that network.
    """
    _faceres(path)
    label = f"HSE-FaceRes ({faceres.PACKAGE}), distance of vectors of unit length"
    files, embed = (path, path.with_suffix(".bin")), partial(_embed_faceres, path=path)
    return Recogniser("faceres", label, files, faceres.LENGTH, embed, unit=True)


def see(faces: Photo, path: Path) -> Seen:
    """What FaceRes says of aligned faces (N, 256, 256, 3) uint8.

    Raises:
        WeightsError: `path` is missing, or not `faceres.json`.
    """
    import torch

    top, left, side = FACERES_SQUARE
    size, seen = (faceres.SIDE, faceres.SIDE), []
    for start in range(0, len(faces), BATCH):
        cut = faces[start : start + BATCH, top : top + side, left : left + side]
        rgb = np.stack([cv2.resize(face, size) for face in cut]).astype(np.float32)
        bgr = (rgb - np.array(CAFFE_MEAN, np.float32))[..., ::-1]
        seen.append(_faceres(path)(_tensor(bgr)).columns)
    return Seen(*(torch.cat(column) for column in zip(*seen, strict=True)))


def _embed_dlib(faces: Photo, path: Path) -> Array:
    top, left, side = dlib_face.TOP, dlib_face.LEFT, dlib_face.SIDE
    chips = faces[:, top : top + side, left : left + side].astype(np.float32)
    return np.asarray(_dlib(path)(_tensor(chips)).numpy(), dtype=np.float32)


def _embed_faceres(faces: Photo, path: Path) -> Array:
    return _unit_length(see(faces, path).embedding.numpy())


def _unit_length(vectors: Array) -> Array:
    """Vectors (N, length), each divided by its length."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _tensor(images: Array) -> Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


@lru_cache(maxsize=1)
def _dlib(path: Path) -> DlibFace:
    return DlibFace.load(path)


@lru_cache(maxsize=1)
def _faceres(path: Path) -> FaceRes:
    return FaceRes.load(path)
