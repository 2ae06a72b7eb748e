"""The file of a prior: .npz with half of each eigenface, as float16.

A quarter of the bytes of what is in memory, at less than 0.01 dB.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unveil.errors import WeightsError
from unveil.files import atomic_path
from unveil.models.face_vector import Array

if TYPE_CHECKING:
    from unveil.models.eigenface import Eigenface

FORMAT = 3


def write(prior: Eigenface, path: Path) -> None:
    """Write a prior, at once or not at all.

    Raises:
        WeightsError: the path cannot be written.
    """
    left, odd = _halve(prior.components, prior.size, prior.chroma)
    try:
        with atomic_path(path) as partial, open(partial, "wb") as file:
            np.savez(
                file,
                format=np.int64(FORMAT),
                mean=prior.mean,
                left=left.astype(np.float16),
                odd=odd,
                variances=prior.variances,
                residual=np.float64(prior.residual),
                size=np.int64(prior.size),
                chroma=np.int64(prior.chroma),
                texture=prior.texture,
                calibration=np.array(prior.calibration),
            )
    except OSError as error:
        raise WeightsError(f"{path}: cannot be written: {error.strerror or error}") from None


def read(path: Path) -> dict[str, Any]:
    """The fields of the prior in a file.

    Raises:
        WeightsError: no such file, damaged, or not a prior of this version.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such prior: make one with `unveil fit-prior`") from None
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror or error}") from None
    return parse(data, path)


def parse(data: bytes, path: Path) -> dict[str, Any]:
    """As `read`, of a file whose bytes are known; `path` is for messages."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            if int(file["format"]) != FORMAT:
                raise WeightsError(f"{path}: a prior of another version: fit it again")
            size, chroma = int(file["size"]), int(file["chroma"])
            mean, variances = file["mean"], file["variances"]
            left, odd = file["left"], file["odd"]
            residual, texture = float(file["residual"]), file["texture"]
            calibration = tuple(float(v) for v in file["calibration"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path}: not a prior, or damaged: {error}") from None
    entries, k = size * size + 2 * chroma * chroma, variances.size
    arrays = (mean, left, variances, odd, texture)
    shapes = ((entries,), (entries // 2, k), (k,), (k,), (size, size))
    finite = all(np.isfinite(a).all() for a in (*arrays, np.array(calibration)))
    if tuple(a.shape for a in arrays) != shapes or len(calibration) != 2 or not finite:
        raise WeightsError(f"{path}: damaged: its arrays do not fit together")
    return {
        "mean": mean.astype(np.float32),
        "components": _whole(left.astype(np.float32), odd, size, chroma),
        "variances": variances.astype(np.float32),
        "residual": residual,
        "size": size,
        "chroma": chroma,
        "texture": texture.astype(np.float32),
        "calibration": (calibration[0], calibration[1]),
    }


def _halve(components: Array, size: int, chroma: int) -> tuple[Array, NDArray[np.bool_]]:
    """(D, k) -> the left halves (D / 2, k), and which components are antisymmetric."""
    luma, colour = _planes(components, size, chroma)
    left = (luma[:, : size // 2], colour[:, : chroma // 2])
    odd = np.einsum("hwk,hwk->k", left[0], luma[:, : size // 2 - 1 : -1]) < 0
    k = components.shape[1]
    return np.concatenate([part.reshape(-1, k) for part in left]), odd


def _whole(left: Array, odd: NDArray[np.bool_], size: int, chroma: int) -> Array:
    """The inverse of `_halve`."""
    k = left.shape[1]
    sign = np.where(odd, np.float32(-1), np.float32(1))
    cut = size * size // 2
    luma = left[:cut].reshape(size, size // 2, k)
    colour = left[cut:].reshape(chroma, chroma // 2, 2, k)
    return np.concatenate(
        [
            np.concatenate([part, part[:, ::-1] * sign], axis=1).reshape(-1, k)
            for part in (luma, colour)
        ]
    )


def _planes(vectors: Array, size: int, chroma: int) -> tuple[Array, Array]:
    """(D, k) -> luma (r, r, k) and chroma (c, c, 2, k)."""
    k = vectors.shape[1]
    cut = size * size
    return vectors[:cut].reshape(size, size, k), vectors[cut:].reshape(chroma, chroma, 2, k)
