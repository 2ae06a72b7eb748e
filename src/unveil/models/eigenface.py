"""A closed-form prior of aligned faces: the most likely hidden part, without a network.

Aligned faces are close to a low-rank Gaussian: x = mean + W z + e, with z ~ N(0, diag(lam)) and a
residual e of variance s2. That is probabilistic PCA (Tipping and Bishop, 1999, "Probabilistic
Principal Component Analysis", section 3) over eigenfaces (Turk and Pentland, 1991). Given the known
pixels, z is Gaussian too: its mean solves one k x k system, whose inverse is its covariance, so
that the fill comes with an error for each pixel and with other faces as likely as itself.

A face is a vector of D = r r + 2 c c entries: its luma at r x r pixels, its two chroma channels at
c x c, for faces have little detail in colour. Faces are symmetric about the canonical frame's
middle, so each eigenface is its own mirror image up to the sign, and half of it is kept in the
file. numpy only: this is part of the runtime; `eigenface_fit.py` fits it.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.errors import ImageError, WeightsError
from unveil.faces.blend import extrapolate
from unveil.files import atomic_path
from unveil.imaging import (
    Mask,
    Photo,
    check_mask,
    check_photo,
    from_luma_chroma,
    grow,
    paint,
    resize,
    resize_mask,
    to_luma_chroma,
    to_uint8,
)
from unveil.noise import normal

Array = NDArray[np.float32]

FORMAT = 3
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
class Known:
    """A face at the prior's size, averaged over its known pixels alone.

    Attributes:
        colour: (r, r, 3) float32 RGB, 0..255; anything where nothing is known.
        weight: (r, r) float32, the known fraction.
    """

    colour: Array
    weight: Array


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
        return _average_known(face, hidden, self.size) if hidden.any() else None

    def posterior(self, known: Known) -> Posterior:
        """The amounts of the eigenfaces, given the known pixels."""
        values, weight = _entries(known, self.chroma)
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
        return np.asarray(np.maximum(luma + _widen(colour, self.size), 0) / 3, np.float32)

    @cached_property
    def mean_face(self) -> Photo:
        """(r, r, 3) uint8."""
        return to_uint8(unpack(self.mean, self.size, self.chroma))

    def save(self, path: Path) -> None:
        """Write the prior as .npz, at once or not at all.

        Half of each component, as float16: a quarter of the bytes, at less than 0.01 dB.

        Raises:
            WeightsError: the path cannot be written.
        """
        left, odd = _halve(self.components, self.size, self.chroma)
        try:
            with atomic_path(path) as partial, open(partial, "wb") as file:
                np.savez(
                    file,
                    format=np.int64(FORMAT),
                    mean=self.mean,
                    left=left.astype(np.float16),
                    odd=odd,
                    variances=self.variances,
                    residual=np.float64(self.residual),
                    size=np.int64(self.size),
                    chroma=np.int64(self.chroma),
                    texture=self.texture,
                    calibration=np.array(self.calibration),
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
            data = path.read_bytes()
        except FileNotFoundError:
            raise WeightsError(f"{path}: no such prior: make one with `unveil fit-prior`") from None
        except OSError as error:
            raise WeightsError(f"{path}: {error.strerror or error}") from None
        return cls.from_bytes(data, path)

    @classmethod
    def from_bytes(cls, data: bytes, path: Path) -> Eigenface:
        """As `load`, of a file whose bytes are known; `path` is for messages."""
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
        return cls(
            mean=mean.astype(np.float32),
            components=_whole(left.astype(np.float32), odd, size, chroma),
            variances=variances.astype(np.float32),
            residual=residual,
            size=size,
            chroma=chroma,
            texture=texture.astype(np.float32),
            calibration=(calibration[0], calibration[1]),
        )


def pack(face: Photo, size: int, chroma: int) -> Array:
    """(S, S, 3) RGB -> (D,) entries; chroma weighs as many pixels as it stands for."""
    whole = np.ones((size, size), np.float32)
    return _entries(Known(resize(face, size).astype(np.float32), whole), chroma)[0]


def unpack(entries: Array, size: int, chroma: int) -> Array:
    """(D,) entries -> (r, r, 3) RGB, float32 about 0..255."""
    luma = entries[: size * size].reshape(size, size, 1)
    colour = entries[size * size :].reshape(chroma, chroma, 2) * np.float32(chroma / size)
    return from_luma_chroma(np.concatenate([luma, enlarge(colour, size)], axis=2))


def _entries(known: Known, chroma: int) -> tuple[Array, Array]:
    """(D,) entries and (D,) known fraction of each."""
    size = len(known.weight)
    planes = to_luma_chroma(known.colour)
    weight = resize(known.weight, chroma)
    colour = resize(planes[..., 1:] * known.weight[..., None], chroma)
    colour *= np.float32(size / chroma) / np.maximum(weight, 1e-6)[..., None]
    values = np.concatenate([planes[..., 0].reshape(-1), colour.reshape(-1)])
    return values, np.concatenate([known.weight.reshape(-1), np.repeat(weight.reshape(-1), 2)])


def _average_known(face: Photo, hidden: Mask, size: int) -> Known:
    known = 1 - hidden.astype(np.float32)
    weight = resize(known, size)
    total = resize(face * known[..., None], size)
    return Known(total / np.maximum(weight, 1e-6)[..., None], weight)


def _widen(plane: Array, side: int) -> Array:
    wide = cv2.resize(plane, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, dtype=np.float32)


def enlarge(plane: Array, side: int) -> Array:
    """(r, r[, channels]) -> (side, side[, channels]), cubic: as the prior's fill is enlarged."""
    large = cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, dtype=np.float32)


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
