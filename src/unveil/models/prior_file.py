"""The file of a prior: .npz with its eigenfaces as float16, of symmetric ones half.

A quarter or half of the bytes of what is in memory, at less than 0.01 dB.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unveil.errors import WeightsError
from unveil.files import atomic_path
from unveil.models.eigenface import Eigenface
from unveil.models.face_vector import Array

if TYPE_CHECKING:
    from unveil.models.prior import FacePrior

FORMAT = 4
ONE_GAUSSIAN = 3  # as 4, of a prior that has no Gaussian of turned heads


def write(prior: FacePrior, path: Path) -> None:
    """Write a prior, at once or not at all.

    Raises:
        WeightsError: the path cannot be written.
    """
    left, odd = _halve(prior.front)
    arrays: dict[str, Any] = {
        "format": np.int64(ONE_GAUSSIAN),
        "left": left.astype(np.float16),
        "odd": odd,
        "size": np.int64(prior.size),
        "chroma": np.int64(prior.front.chroma),
        "calibration": np.array(prior.calibration),
    } | _fields(prior.front)
    if prior.turned is not None:
        arrays |= {
            "format": np.int64(FORMAT),
            "direction": prior.direction,
            "turned_components": prior.turned.components.astype(np.float16),
        } | _fields(prior.turned, "turned_")
    try:
        with atomic_path(path) as partial, open(partial, "wb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be written: {error.strerror or error}") from None


def read(path: Path) -> FacePrior:
    """The prior in a file.

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


def parse(data: bytes, path: Path) -> FacePrior:
    """As `read`, of a file whose bytes are known; `path` is for messages."""
    from unveil.models.prior import FacePrior

    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            version = int(file["format"])
            if version not in (ONE_GAUSSIAN, FORMAT):
                raise WeightsError(f"{path}: a prior of another version: fit it again")
            size, chroma = int(file["size"]), int(file["chroma"])
            left, odd = file["left"], file["odd"]
            entries = size * size + 2 * chroma * chroma
            if left.shape != (entries // 2, odd.size):
                raise _unfit(path)
            whole = _whole(left.astype(np.float32), odd, size, chroma)
            calibration = tuple(float(v) for v in file["calibration"])
            if len(calibration) != 2 or not np.isfinite(calibration).all():
                raise _unfit(path)
            front, turned, direction = _gaussian(file, whole, size, chroma, path), None, None
            if version == FORMAT:
                components = file["turned_components"].astype(np.float32)
                turned = _gaussian(file, components, size, chroma, path, "turned_")
                direction = file["direction"].astype(np.float32)
                if direction.shape != (odd.size,) or not np.isfinite(direction).all():
                    raise _unfit(path)
    # RuntimeError: the header of one of its parts asks for a password, or another compression.
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        TypeError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        # numpy's own words would have the file loaded unsafely.
        raise WeightsError(f"{path}: damaged, or not a prior of `unveil fit-prior`") from error
    return FacePrior(front, turned, direction, (calibration[0], calibration[1]))


def _fields(gaussian: Eigenface, prefix: str = "") -> dict[str, Any]:
    """What is written as it is."""
    return {
        f"{prefix}mean": gaussian.mean,
        f"{prefix}variances": gaussian.variances,
        f"{prefix}residual": np.float64(gaussian.residual),
        f"{prefix}texture": gaussian.texture,
    }


def _gaussian(
    file: Mapping[str, Any],
    components: Array,
    size: int,
    chroma: int,
    path: Path,
    prefix: str = "",
) -> Eigenface:
    """The Gaussian whose other fields are these of a file."""
    mean, variances, texture = (file[f"{prefix}{n}"] for n in ("mean", "variances", "texture"))
    arrays = (mean, components, variances, texture)
    entries = size * size + 2 * chroma * chroma
    shapes = ((entries,), (entries, variances.size), (variances.size,), (size, size))
    if tuple(a.shape for a in arrays) != shapes or not all(np.isfinite(a).all() for a in arrays):
        raise _unfit(path)
    mean, components, variances, texture = (a.astype(np.float32) for a in arrays)
    residual = float(file[f"{prefix}residual"])
    return Eigenface(mean, components, variances, residual, size, chroma, texture)


def _unfit(path: Path) -> WeightsError:
    return WeightsError(f"{path}: damaged: its arrays do not fit together")


def _halve(gaussian: Eigenface) -> tuple[Array, NDArray[np.bool_]]:
    """The left halves (D / 2, k) of symmetric eigenfaces, and which are antisymmetric."""
    size, chroma = gaussian.size, gaussian.chroma
    luma, colour = _planes(gaussian.components, size, chroma)
    left = (luma[:, : size // 2], colour[:, : chroma // 2])
    k = gaussian.components.shape[1]
    return np.concatenate([part.reshape(-1, k) for part in left]), gaussian.odd


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
