"""A Gaussian of aligned faces: what the known part says of the hidden one, in closed form.

Aligned faces are close to a low-rank Gaussian: x = mean + W z + e, with z ~ N(0, diag(lam)) and a
residual e of variance s2. That is probabilistic PCA (Tipping and Bishop, 1999, "Probabilistic
Principal Component Analysis", section 3) over eigenfaces (Turk and Pentland, 1991). Given the known
pixels, z is Gaussian too: its mean solves one k x k system, whose inverse is its covariance, so
that a fill comes with an error for each pixel and with other faces as likely as itself.

A face is a vector of D entries, `face_vector.py`. `prior.py` makes fills of it, `eigenface_fit.py`
fits it. numpy only: this is part of the runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Mask, grow, resize_mask
from unveil.models.face_vector import Array, Known, entries, mirror, unpack, widen
from unveil.noise import normal

# The residual of neighbouring pixels is correlated, so that a known pixel says less than its
# variance alone would have it; 6 to 25 differ by less than 0.1 dB.
RESIDUAL_CORRELATION = 12.0


@dataclass(frozen=True)
class Posterior:
    """What the known pixels say about the eigenfaces' amounts z ~ N(mean, covariance).

    Attributes:
        mean: (k,) float32.
        system: (k, k) float32; covariance = noise * system^-1.
        noise: RESIDUAL_CORRELATION times the prior's residual variance.
    """

    mean: Array
    system: Array
    noise: float

    @cached_property
    def _root(self) -> Array:
        """(k, k) R with R R' = covariance."""
        lower = np.linalg.cholesky(self.system.astype(np.float64))
        root = _inverse(lower).T * np.sqrt(self.noise)
        return np.asarray(root, dtype=np.float32)

    def draw(self, seed: int, spread: float = 1.0) -> Array:
        """(k,) one sample, with `spread` times the covariance."""
        noise = normal(seed, self.mean.size)
        return self.mean + self._root @ (noise * np.float32(np.sqrt(spread)))

    def variance(self, rows: Array) -> Array:
        """(n, k) rows of eigenfaces -> (n,) variance of what they add up to."""
        return np.asarray(np.square(rows @ self._root).sum(axis=1), np.float32)


@dataclass(frozen=True)
class Eigenface:
    """Mean face, eigenfaces and variances; D = r r + 2 c c entries, luma first, in 0..255 steps.

    Attributes:
        mean: (D,) float32, the mean face.
        components: (D, k) float32, orthonormal columns, largest variance first.
        variances: (k,) float32, the variance along each component.
        residual: the variance that is left, an entry.
        size: r, side in pixels of the luma.
        chroma: c, side in pixels of the chroma.
        texture: (r, r) float32, mean squared difference, a channel, between faces at their own size
            and what the eigenfaces make of them: fine detail, which nothing predicts.
    """

    mean: Array
    components: Array
    variances: Array
    residual: float
    size: int
    chroma: int
    texture: Array

    def posterior(self, known: Known) -> Posterior:
        """The amounts of the eigenfaces, given the known pixels."""
        values, weight = entries(known, self.chroma)
        ridge = RESIDUAL_CORRELATION * self.residual / np.maximum(self.variances, 1e-6)
        # W' diag(w) W = I - W' diag(1 - w) W: the side with fewer rows is the cheaper one.
        lost = np.flatnonzero(weight < 1)
        if 2 * len(lost) <= len(weight):
            system = np.diag(ridge + 1) - _gram(self.components[lost], 1 - weight[lost])
        else:
            kept = np.flatnonzero(weight)
            system = np.diag(ridge) + _gram(self.components[kept], weight[kept])
        mean = np.linalg.solve(system, (weight * (values - self.mean)) @ self.components)
        noise = RESIDUAL_CORRELATION * self.residual
        return Posterior(np.asarray(mean, np.float32), np.asarray(system, np.float32), noise)

    def face(self, amounts: Array) -> Array:
        """(k,) amounts of the eigenfaces -> (r, r, 3) float32 RGB, about 0..255."""
        return unpack(self.mean + self.components @ amounts, self.size, self.chroma)

    def variance(self, posterior: Posterior, where: Mask | None = None) -> Array:
        """(r, r) float32, the posterior's variance of each pixel, mean over its channels.

        where: (r, r), the pixels that are asked for; None: all.
        """
        rows = slice(None) if where is None else self._entries_of(where)
        variance = np.zeros(len(self.mean), np.float32)
        variance[rows] = posterior.variance(self.components[rows])
        return self._spread(variance)

    def _entries_of(self, pixels: Mask) -> NDArray[np.intp]:
        """The entries that tell of these pixels (r, r)."""
        chroma = grow(resize_mask(pixels, self.chroma), 1)  # neighbours, for it is enlarged
        return np.flatnonzero(np.concatenate([pixels.ravel(), np.repeat(chroma.ravel(), 2)]))

    @cached_property
    def marginal(self) -> Array:
        """(r, r) variance of faces about the mean face, a channel."""
        modelled = np.square(self.components) @ self.variances
        return self._spread(modelled) + self.texture

    @cached_property
    def odd(self) -> NDArray[np.bool_]:
        """(k,) which eigenfaces are their own mirror image with the sign changed."""
        mirrored = self.components[mirror(self.size, self.chroma)]
        return np.asarray(np.einsum("dk,dk->k", self.components, mirrored) < 0)

    def _spread(self, variance: Array) -> Array:
        """(D,) variances of the entries -> (r, r), mean over the three channels."""
        cut, c = self.size * self.size, self.chroma
        luma = variance[:cut].reshape(self.size, self.size)
        colour = variance[cut:].reshape(c, c, 2).sum(axis=2) * np.float32((c / self.size) ** 2)
        return np.asarray(np.maximum(luma + widen(colour, self.size), 0) / 3, np.float32)


def _gram(rows: Array, weights: Array) -> Array:
    """rows' diag(weights) rows, symmetric, (k, k)."""
    scaled = rows * np.sqrt(weights)[:, None]
    return np.asarray(scaled.T @ scaled)


def _inverse(lower: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of a lower triangular matrix, half by half: faster than any matrix's."""
    if len(lower) <= 64:
        return np.asarray(np.linalg.inv(lower), dtype=np.float64)
    half = len(lower) // 2
    first, last = _inverse(lower[:half, :half]), _inverse(lower[half:, half:])
    inverse = np.zeros_like(lower)
    inverse[:half, :half], inverse[half:, half:] = first, last
    inverse[half:, :half] = -last @ (lower[half:, :half] @ first)
    return inverse
