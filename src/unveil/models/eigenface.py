"""A closed-form prior of aligned faces: the most likely hidden part, without a network.

Aligned faces are close to a low-rank Gaussian: x = mean + W z + e, with z ~ N(0, diag(lam)) and a
residual e of variance s2. That is probabilistic PCA (Tipping and Bishop, 1999, "Probabilistic
Principal Component Analysis", section 3) over eigenfaces (Turk and Pentland, 1991). Given the known
pixels, z is Gaussian too: its mean solves one k x k system, whose inverse is its covariance, so
that the fill comes with an error for each pixel and with other faces as likely as itself.

A face is a vector of D entries, `face_vector.py`. Faces are symmetric about the canonical frame's
middle, so each eigenface is its own mirror image up to the sign, and half of it is kept in the
file, `eigenface_file.py`. numpy only: this is part of the runtime; `eigenface_fit.py` fits it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.errors import ImageError
from unveil.faces.blend import extrapolate
from unveil.imaging import Mask, Photo, check_mask, check_photo, grow, paint, resize_mask, to_uint8
from unveil.models import eigenface_file
from unveil.models.face_vector import Array, Known, average_known, enlarge, entries, unpack, widen
from unveil.noise import normal

# The residual of neighbouring pixels is correlated, so that a known pixel says less than its
# variance alone would have it; 6 to 25 differ by less than 0.1 dB.
RESIDUAL_CORRELATION = 12.0

# What is carried into the hidden part from its edge, at most, in 0..255 steps: more is what is left
# of an occluder, or another thing behind the face, and not light.
CARRIED = 32.0

# Truncated, as samplers of generative models are: the whole variance gives faces whose light and
# contrast are as far out as one in three people's are.
SAMPLE_SPREAD = 0.4


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
        components: (D, k) float32, orthonormal columns, largest variance first, each symmetric or
            antisymmetric.
        variances: (k,) float32, the variance along each component.
        residual: the variance that is left, an entry.
        size: r, side in pixels of the luma.
        chroma: c, side in pixels of the chroma.
        texture: (r, r) float32, mean squared difference, a channel, between faces at their own size
            and what the eigenfaces make of them: fine detail, which nothing predicts.
        calibration: what the posterior's variance and the texture count for in the expected error,
            of this prior or of the network on top of it; see `eigenface_fit.calibrate`.
    """

    mean: Array
    components: Array
    variances: Array
    residual: float
    size: int
    chroma: int
    texture: Array
    calibration: tuple[float, float] = (1.0, 1.0)

    def fill(self, face: Photo, mask: Mask, seed: int | None = None) -> Photo:
        """The face with its hidden part replaced by the most likely one, or by a plausible one.

        Args:
            face: (S, S, 3) uint8 RGB, an aligned face; S >= r. What stands in the hidden pixels
                does not matter.
            mask: (S, S), True = hidden.
            seed: draw from the posterior, with `SAMPLE_SPREAD` of the variance that errors have.

        Returns:
            (S, S, 3) uint8, equal to `face` in every known pixel.

        Raises:
            ImageError, MaskError: for other shapes or types.
        """
        known = self.look(face, mask)
        if known is None:
            return face.copy()
        posterior = self.posterior(known)
        spread = SAMPLE_SPREAD * self.calibration[0]
        amounts = posterior.mean if seed is None else posterior.draw(seed, spread)
        return self.render(face, mask, known, amounts)

    def look(self, face: Photo, mask: Mask) -> Known | None:
        """What is known of a face at the prior's size; None if nothing is hidden."""
        check_photo(face)
        hidden = check_mask(mask, face.shape[:2])
        side = face.shape[0]
        if face.shape[1] != side or side < self.size:
            raise ImageError(f"the prior fills square faces of at least {self.size}x{self.size}")
        return average_known(face, hidden, self.size) if hidden.any() else None

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

    def render(self, face: Photo, mask: Mask, known: Known, amounts: Array) -> Photo:
        """Put the face of some amounts z (k,) into the hidden pixels, without a step in colour.

        What the eigenfaces cannot explain of the known pixels is carried into the hidden ones, at
        the prior's size: a tenth of the time that it takes at the face's, and as good.
        """
        guess = unpack(self.mean + self.components @ amounts, self.size, self.chroma)
        seen = known.weight > 0
        residual = np.clip(known.colour - guess, -CARRIED, CARRIED)
        guess += extrapolate(residual * seen[..., None], seen)
        filled = face.copy()
        paint(filled, to_uint8(enlarge(guess, len(face))), np.asarray(mask, dtype=np.bool_))
        return filled

    def expected_error(self, posterior: Posterior, where: Mask | None = None) -> Array:
        """(r, r) float32: root of the expected squared error, a channel, in 0..255 steps.

        where: (r, r), the pixels that are asked for; None: all.
        """
        ours, texture = self.calibration
        rows = slice(None) if where is None else self._entries_of(where)
        variance = np.zeros(len(self.mean), np.float32)
        variance[rows] = posterior.variance(self.components[rows])
        return np.asarray(np.sqrt(ours * self.spread(variance) + texture * self.texture))

    def _entries_of(self, pixels: Mask) -> NDArray[np.intp]:
        """The entries that tell of these pixels (r, r)."""
        chroma = grow(resize_mask(pixels, self.chroma), 1)  # neighbours, for it is enlarged
        return np.flatnonzero(np.concatenate([pixels.ravel(), np.repeat(chroma.ravel(), 2)]))

    def confidence(self, posterior: Posterior, where: Mask | None = None) -> Array:
        """(r, r) float32 in [0, 1]: the share of a pixel's variance that the known part explains.

        1: certain; 0: the known part says no more of this pixel than the mean face does.
        where: (r, r), the pixels that are asked for; None: all.
        """
        explained = 1 - np.square(self.expected_error(posterior, where)) / self._marginal
        return np.asarray(np.clip(explained, 0, 1), np.float32)

    @cached_property
    def _marginal(self) -> Array:
        """(r, r) variance of faces about the mean face, a channel."""
        modelled = np.square(self.components) @ self.variances
        return self.spread(modelled) + self.texture

    def spread(self, variance: Array) -> Array:
        """(D,) variances of the entries -> (r, r), mean over the three channels."""
        cut, c = self.size * self.size, self.chroma
        luma = variance[:cut].reshape(self.size, self.size)
        colour = variance[cut:].reshape(c, c, 2).sum(axis=2) * np.float32((c / self.size) ** 2)
        return np.asarray(np.maximum(luma + widen(colour, self.size), 0) / 3, np.float32)

    @cached_property
    def mean_face(self) -> Photo:
        """(r, r, 3) uint8."""
        return to_uint8(unpack(self.mean, self.size, self.chroma))

    def save(self, path: Path) -> None:
        """Write the prior as .npz, at once or not at all.

        Raises:
            WeightsError: the path cannot be written.
        """
        eigenface_file.write(self, path)

    @classmethod
    def load(cls, path: Path) -> Eigenface:
        """Read a prior that `save` or `unveil fit-prior` wrote.

        Raises:
            WeightsError: no such file, damaged, or not a prior of this version.
        """
        return cls(**eigenface_file.read(path))

    @classmethod
    def from_bytes(cls, data: bytes, path: Path) -> Eigenface:
        """As `load`, of a file whose bytes are known; `path` is for messages."""
        return cls(**eigenface_file.parse(data, path))


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
