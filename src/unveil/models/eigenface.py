"""A closed-form prior of aligned faces: the most likely hidden part, without a network.

Aligned faces are close to a low-rank Gaussian: x = mean + W z + e, with z ~ N(0, diag(lam)) and a
residual e of variance s2. That is probabilistic PCA (Tipping and Bishop, 1999, "Probabilistic
Principal Component Analysis", section 3) over eigenfaces (Turk and Pentland, 1991). Given the known
pixels, the mean of z solves one k x k system; the eigenfaces come from a randomised SVD (Halko,
Martinsson and Tropp, 2011, algorithm 4.4). numpy only: this is part of the runtime.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.errors import ImageError, UsageError, WeightsError
from unveil.faces.blend import extrapolate
from unveil.files import atomic_path
from unveil.imaging import Mask, Photo, check_mask, check_photo, resize, to_uint8

Array = NDArray[np.float32]

FORMAT = 1
OVERSAMPLE = 20
POWER_PASSES = 2
ROUNDING = 1 / 12  # the variance that rounding to uint8 alone leaves
# The residual of neighbouring pixels is correlated, so that a known pixel says less than its
# variance alone would have it; 6 to 25 differ by less than 0.1 dB.
RESIDUAL_CORRELATION = 12.0


@dataclass(frozen=True)
class Eigenface:
    """Mean face, eigenfaces and variances at r x r; values in 0..255, RGB, D = r * r * 3.

    Attributes:
        mean: (D,) float32, the mean face.
        components: (D, k) float32, orthonormal columns, largest variance first.
        variances: (k,) float32, the variance along each component.
        residual: the variance that is left, an entry.
        size: r, the side in pixels at which the prior works.
    """

    mean: Array
    components: Array
    variances: Array
    residual: float
    size: int

    def fill(self, face: Photo, mask: Mask) -> Photo:
        """The face with its hidden part replaced by the most likely one.

        Args:
            face: (S, S, 3) uint8 RGB, an aligned face; S >= r. What stands in the hidden pixels
                does not matter.
            mask: (S, S), True = hidden.

        Returns:
            (S, S, 3) uint8, equal to `face` in every known pixel.

        Raises:
            ImageError, MaskError: for other shapes or types.
        """
        check_photo(face)
        hidden = check_mask(mask, face.shape[:2])
        side = face.shape[0]
        if face.shape[1] != side or side < self.size:
            raise ImageError(f"the prior fills square faces of at least {self.size}x{self.size}")
        if not hidden.any():
            return face.copy()
        low, weight = _shrink_known(face, hidden, self.size)
        guess = resize(self._most_likely(low, weight), side)
        guess += extrapolate((face - guess) * ~hidden[..., None], ~hidden)
        return np.where(hidden[..., None], to_uint8(guess), face)

    def _most_likely(self, low: Array, weight: Array) -> Array:
        """(r, r, 3) known averages, (r, r) known fractions -> (r, r, 3) mean + W E[z | known]."""
        entries = np.repeat(weight.reshape(-1), 3)  # (D,)
        known = self.components.T @ (entries * (low.reshape(-1) - self.mean))  # (k,)
        ridge = RESIDUAL_CORRELATION * self.residual / np.maximum(self.variances, 1e-6)
        # W' diag(w) W = I - W' diag(1 - w) W: the side with fewer rows is the cheaper one.
        lost = np.flatnonzero(entries < 1)
        if 2 * len(lost) <= len(entries):
            system = np.diag(ridge + 1) - _gram(self.components[lost], 1 - entries[lost])
        else:
            kept = np.flatnonzero(entries)
            system = np.diag(ridge) + _gram(self.components[kept], entries[kept])
        z = np.linalg.solve(system, known)
        return (self.mean + self.components @ z).reshape(self.size, self.size, 3)

    def save(self, path: Path) -> None:
        """Write the prior as .npz, at once or not at all.

        The components are kept as float16, which halves the file (14.7 MB at r = 64, k = 600) and
        changes the PSNR by less than 0.01 dB.

        Raises:
            WeightsError: the path cannot be written.
        """
        try:
            with atomic_path(path) as partial, open(partial, "wb") as file:
                np.savez(
                    file,
                    format=np.int64(FORMAT),
                    mean=self.mean,
                    components=self.components.astype(np.float16),
                    variances=self.variances,
                    residual=np.float64(self.residual),
                    size=np.int64(self.size),
                )
        except OSError as error:
            raise WeightsError(f"{path}: cannot be written: {error.strerror or error}") from None

    @classmethod
    def load(cls, path: Path) -> Eigenface:
        """Read a prior that `save` or `unveil fit-prior` wrote.

        Raises:
            WeightsError: no such file, damaged, or not a prior of this version.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                if int(file["format"]) != FORMAT:
                    raise WeightsError(f"{path}: a prior of another version: fit it again")
                prior = cls(
                    mean=file["mean"].astype(np.float32),
                    components=file["components"].astype(np.float32),
                    variances=file["variances"].astype(np.float32),
                    residual=float(file["residual"]),
                    size=int(file["size"]),
                )
        except FileNotFoundError:
            raise WeightsError(f"{path}: no such prior: make one with `unveil fit-prior`") from None
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise WeightsError(f"{path}: not a prior, or damaged: {error}") from None
        entries = prior.size * prior.size * 3
        shapes = (prior.mean.shape, prior.components.shape, prior.variances.shape)
        k = prior.variances.size
        arrays = (prior.mean, prior.components, prior.variances)
        if shapes != ((entries,), (entries, k), (k,)) or not all(
            np.isfinite(a).all() for a in arrays
        ):
            raise WeightsError(f"{path}: damaged: its arrays do not fit together")
        return prior


def fit(faces: Photo, r: int, k: int, seed: int = 0) -> Eigenface:
    """Fit the prior to aligned faces and their mirror images.

    Args:
        faces: (N, S, S, 3) uint8 RGB, aligned, S >= r; may be memory-mapped.
        r: side in pixels at which the prior works.
        k: number of eigenfaces, below both 2 N and r * r * 3.
        seed: of the randomised SVD; the same seed gives the same prior.

    Raises:
        UsageError: if r or k does not fit the faces.
    """
    if faces.ndim != 4 or faces.dtype != np.uint8 or faces.shape[1] < r:
        raise UsageError(f"a prior of size {r} needs uint8 faces of at least {r}x{r}")
    entries = r * r * 3
    if r < 2 or r % 2 or not 0 < k < min(len(faces), entries // 2):
        raise UsageError(
            f"{k} components need more than {k} faces and a larger, even size than {r}"
        )
    small = np.stack([resize(face, r) for face in faces])  # (N, r, r, 3)
    mean = small.mean(axis=0, dtype=np.float64)
    mean = ((mean + mean[:, ::-1]) / 2).astype(np.float32)
    # With every face beside its mirror image the covariance falls apart into one of the symmetric
    # and one of the antisymmetric halves, so that mirroring doubles the faces at no cost.
    rng = np.random.default_rng(seed)
    even_lam, even = _principal(small, mean, 1, k, rng)
    odd_lam, odd = _principal(small, mean, -1, k, rng)
    variances = np.concatenate([even_lam, odd_lam])
    best = np.argsort(-variances, kind="stable")[:k]
    components = np.concatenate([even, odd], axis=1)[:, best]
    total = sum(float(np.square(part).sum(dtype=np.float64)) for _, part in _centred(small, mean))
    left = total / len(small) - float(variances[best].sum())
    residual = max(left / (entries - k), ROUNDING)
    return Eigenface(mean.reshape(-1), components, variances[best].astype(np.float32), residual, r)


def _principal(
    small: Photo, mean: Array, sign: int, k: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], Array]:
    """Variances (l,) and eigenfaces (D, l), l about k, of one parity under mirroring."""
    half = mean.size // 2
    width = min(k + OVERSAMPLE, half, len(small))
    basis = np.linalg.qr(rng.standard_normal((half, width), dtype=np.float32))[0]
    for _ in range(POWER_PASSES):
        image = np.zeros_like(basis)
        for block in _folded(small, mean, sign):
            image += block.T @ (block @ basis)
        basis = np.linalg.qr(image)[0]
    scatter = np.zeros((width, width))
    for block in _folded(small, mean, sign):
        scores = block @ basis
        scatter += scores.T @ scores
    variances, rotation = np.linalg.eigh(scatter / len(small))
    order = np.argsort(-variances)[:k]
    left = (basis @ rotation[:, order].astype(np.float32)) / np.float32(np.sqrt(2))
    left = left.reshape(mean.shape[0], mean.shape[1] // 2, 3, -1)
    whole = np.concatenate([left, sign * left[:, ::-1]], axis=1)
    return np.maximum(variances[order], 0), whole.reshape(mean.size, -1)


def _centred(small: Photo, mean: Array, block: int = 1024) -> Iterator[tuple[int, Array]]:
    for start in range(0, len(small), block):
        yield start, small[start : start + block] - mean


def _folded(small: Photo, mean: Array, sign: int) -> Iterator[Array]:
    """Blocks of faces, (n, D / 2): the left half plus or minus the mirrored right half."""
    middle = mean.shape[1] // 2
    for _, faces in _centred(small, mean):
        halves = faces[:, :, :middle] + sign * faces[:, :, : -middle - 1 : -1]
        yield halves.reshape(len(faces), -1) / np.float32(np.sqrt(2))


def _gram(rows: Array, weights: Array) -> Array:
    """rows' diag(weights) rows, symmetric, (k, k)."""
    scaled = rows * np.sqrt(weights)[:, None]
    return np.asarray(scaled.T @ scaled)


def _shrink_known(face: Photo, hidden: Mask, size: int) -> tuple[Array, Array]:
    """Average the known pixels only: (size, size, 3) averages and (size, size) known fractions."""
    known = 1 - hidden.astype(np.float32)
    weight = resize(known, size)
    total = resize(face * known[..., None], size)
    return total / np.maximum(weight, 1e-6)[..., None], weight
