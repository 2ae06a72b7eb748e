"""Fits a Gaussian of `eigenface.py`.

By a randomised SVD (Halko, Martinsson and Tropp, 2011, "Finding structure with randomness",
algorithm 4.4).

With every face beside its mirror image the covariance falls apart into one of the symmetric and one
of the antisymmetric halves, so that mirroring doubles the faces at no cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unveil.models.eigenface import Eigenface
from unveil.models.face_vector import Array, mirror

OVERSAMPLE = 20
POWER_PASSES = 2
ROUNDING = 1 / 12  # the variance that rounding to uint8 alone leaves
BLOCK = 1024


@dataclass(frozen=True)
class Sample:
    """Packed faces, of which each counts as much as its weight.

    Attributes:
        packed: (N, D) float32, see `face_vector.py`.
        weights: (N,) float32, >= 0.
        flipped: (N,) bool, whether a face is taken as a mirror shows it.
        size, chroma: r and c of the packing.
    """

    packed: Array
    weights: Array
    flipped: NDArray[np.bool_]
    size: int
    chroma: int

    def blocks(self, mean: Array | None = None) -> Iterator[Array]:
        """Rows that count, minus the mean, times the root of their weight; all of them, by parts.

        Without a mean the rows themselves, times their weight.
        """
        rows = np.flatnonzero(self.weights)
        order = mirror(self.size, self.chroma)
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            block, weight = self.packed[part], self.weights[part, None]
            turned = self.flipped[part]
            block[turned] = block[turned][:, order]
            yield block * weight if mean is None else (block - mean) * np.sqrt(weight)

    @property
    def total(self) -> float:
        """The sum of the weights."""
        return float(self.weights.sum(dtype=np.float64))


def fit_gaussian(sample: Sample, k: int, rng: np.random.Generator, *, symmetric: bool) -> Eigenface:
    """Fit one Gaussian, without its texture.

    Args:
        sample: the faces.
        k: number of eigenfaces, below the number of faces that count and half the entries.
        rng: of the randomised SVD.
        symmetric: take each face's mirror image too: every eigenface is then its own mirror image
            up to the sign.
    """
    size, chroma, entries = sample.size, sample.chroma, sample.packed.shape[1]
    mirrored = mirror(size, chroma)
    summed = sum(block.sum(axis=0, dtype=np.float64) for block in sample.blocks())
    mean = np.asarray(summed / sample.total)
    if symmetric:
        mean = (mean + mean[mirrored]) / 2
    mean = mean.astype(np.float32)
    squares = sum(float(np.square(b).sum(dtype=np.float64)) for b in sample.blocks(mean))
    if symmetric:
        left = np.flatnonzero(mirrored > np.arange(entries))
        halves = [_half(sample, mean, left, mirrored[left], sign, k, rng) for sign in (1, -1)]
        variances = np.concatenate([lam for lam, _ in halves])
        best = np.argsort(-variances, kind="stable")[:k]
        components = np.concatenate([basis for _, basis in halves], axis=1)[:, best]
        variances = variances[best]
    else:
        variances, components = _principal(
            lambda: sample.blocks(mean), sample.total, entries, k, rng
        )
    residual = max((squares / sample.total - float(variances.sum())) / (entries - k), ROUNDING)
    blank = np.zeros((size, size), np.float32)
    return Eigenface(mean, components, variances.astype(np.float32), residual, size, chroma, blank)


def _half(
    sample: Sample,
    mean: Array,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    sign: int,
    k: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], Array]:
    """Variances (l,) and eigenfaces (D, l), l about k, of one parity under mirroring."""

    def folded() -> Iterator[Array]:
        for block in sample.blocks(mean):
            yield (block[:, left] + sign * block[:, right]) / np.float32(np.sqrt(2))

    variances, half = _principal(folded, sample.total, len(left), k, rng)
    half /= np.float32(np.sqrt(2))
    whole = np.zeros((len(mean), len(variances)), np.float32)
    whole[left], whole[right] = half, sign * half
    return variances, whole


def _principal(
    blocks: Callable[[], Iterator[Array]],
    total: float,
    entries: int,
    k: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], Array]:
    """Variances (l,) and components (entries, l), l about k, of rows centred and weighted."""
    rows = sum(len(block) for block in blocks())
    width = min(k + OVERSAMPLE, entries, rows)
    basis = np.linalg.qr(rng.standard_normal((entries, width), dtype=np.float32))[0]
    for _ in range(POWER_PASSES):
        image = np.zeros_like(basis)
        for block in blocks():
            image += block.T @ (block @ basis)
        basis = np.linalg.qr(image)[0]
    scatter = np.zeros((width, width))
    for block in blocks():
        scores = block @ basis
        scatter += scores.T @ scores
    variances, rotation = np.linalg.eigh(scatter / total)
    order = np.argsort(-variances)[:k]
    components = basis @ rotation[:, order].astype(np.float32)
    return np.maximum(variances[order], 0), components
