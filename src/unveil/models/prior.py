"""The closed-form prior of aligned faces: the most likely hidden part, without a network.

Two Gaussians (`eigenface.py`), one of faces seen from the front and one of heads turned to the
picture's right, which a face turned to the left is mirrored for. How far a head is turned is read
off what the first one makes of the known part, and between the two the fill goes over from one to
the other. Which of several Gaussians a face comes from cannot be read off how likely they make the
known part: that was tried, and was worse than one Gaussian (docs/log.md). numpy only: this is part
of the runtime; `prior_fit.py` fits it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from unveil.errors import ImageError
from unveil.faces.blend import extrapolate
from unveil.imaging import Mask, Photo, check_mask, check_photo, paint, to_uint8
from unveil.models import prior_file
from unveil.models.eigenface import Eigenface, Posterior
from unveil.models.face_vector import Array, Known, average_known, enlarge, unpack

# What is carried into the hidden part from its edge, at most, in 0..255 steps: more is what is left
# of an occluder, or another thing behind the face, and not light.
CARRIED = 32.0

# Truncated, as samplers of generative models are: the whole variance gives faces whose light and
# contrast are as far out as one in three people's are.
SAMPLE_SPREAD = 0.4

# From the first turn on, in radians, the second Gaussian has a say; from the second one on, all.
TURNS = (0.1, 0.4)


@dataclass(frozen=True)
class Opinion:
    """What one Gaussian says of a face.

    Attributes:
        share: how much it counts; those of a face add up to 1.
        gaussian: whose opinion it is.
        mirrored: whether it was shown the face as a mirror shows it.
        posterior: of the amounts of its eigenfaces.
    """

    share: float
    gaussian: Eigenface
    mirrored: bool
    posterior: Posterior

    def face(self, amounts: Array) -> Array:
        """(k,) amounts of its eigenfaces -> (r, r, 3) float32 RGB, as the face stands."""
        return self._back(self.gaussian.face(amounts))

    def variance(self, where: Mask | None) -> Array:
        """(r, r) the posterior's variance, `Eigenface.variance`."""
        asked = where[:, ::-1] if where is not None and self.mirrored else where
        return self._back(self.gaussian.variance(self.posterior, asked))

    @property
    def texture(self) -> Array:
        """(r, r), `Eigenface.texture`."""
        return self._back(self.gaussian.texture)

    @property
    def marginal(self) -> Array:
        """(r, r), `Eigenface.marginal`."""
        return self._back(self.gaussian.marginal)

    def _back(self, plane: Array) -> Array:
        return plane[:, ::-1] if self.mirrored else plane


@dataclass(frozen=True)
class FacePrior:
    """What is known of all faces, before one is looked at.

    Attributes:
        front: of faces seen from the front, its eigenfaces symmetric or antisymmetric; of all
            faces, where there is no other.
        turned: of heads turned to the picture's right.
        direction: (k,) float32; its product with the amounts of `front`'s eigenfaces is how far the
            head is turned to the picture's right, in radians. There is one where `turned` is.
        calibration: what the posterior's variance and the texture count for in the expected error,
            of this prior or of the network on top of it; see `prior_fit.calibrate`.
    """

    front: Eigenface
    turned: Eigenface | None = None
    direction: Array | None = None
    calibration: tuple[float, float] = (1.0, 1.0)

    @property
    def size(self) -> int:
        """r, the side in pixels of what it says."""
        return self.front.size

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
        opinions = self.ask(known)
        guess = likeliest(opinions) if seed is None else self.draw(opinions, seed)
        return _join(face, mask, known, guess)

    def look(self, face: Photo, mask: Mask) -> Known | None:
        """What is known of a face at the prior's size; None if nothing is hidden."""
        check_photo(face)
        hidden = check_mask(mask, face.shape[:2])
        side = face.shape[0]
        if face.shape[1] != side or side < self.size:
            raise ImageError(f"the prior fills square faces of at least {self.size}x{self.size}")
        return average_known(face, hidden, self.size) if hidden.any() else None

    def ask(self, known: Known) -> tuple[Opinion, ...]:
        """What the Gaussians say, given the known pixels: one of them, or both."""
        front = self.front.posterior(known)
        if self.turned is None or self.direction is None:
            return (Opinion(1, self.front, False, front),)
        turn = float(front.mean @ self.direction)
        least, most = TURNS
        share = min(max((abs(turn) - least) / (most - least), 0), 1)
        opinions = []
        if share < 1:
            opinions.append(Opinion(1 - share, self.front, False, front))
        if share > 0:
            left = turn < 0
            aside = self.turned.posterior(known.mirrored() if left else known)
            opinions.append(Opinion(share, self.turned, left, aside))
        return tuple(opinions)

    def draw(self, opinions: tuple[Opinion, ...], seed: int) -> Array:
        """(r, r, 3) a plausible face, of the Gaussian that counts more: two would make a haze."""
        first = max(opinions, key=lambda opinion: opinion.share)
        spread = SAMPLE_SPREAD * self.calibration[0]
        return first.face(first.posterior.draw(seed, spread))

    def expected_error(self, opinions: tuple[Opinion, ...], where: Mask | None = None) -> Array:
        """(r, r) float32: root of the expected squared error, a channel, in 0..255 steps.

        where: (r, r), the pixels that are asked for; None: all.
        """
        variance, texture = uncertainty(opinions, where)
        ours, theirs = self.calibration
        return np.asarray(np.sqrt(ours * variance + theirs * texture))

    def confidence(self, opinions: tuple[Opinion, ...], where: Mask | None = None) -> Array:
        """(r, r) float32 in [0, 1]: the share of a pixel's variance that the known part explains.

        1: certain; 0: the known part says no more of this pixel than the mean face does.
        where: (r, r), the pixels that are asked for; None: all.
        """
        marginal = sum(opinion.share * opinion.marginal for opinion in opinions)
        explained = 1 - np.square(self.expected_error(opinions, where)) / marginal
        return np.asarray(np.clip(explained, 0, 1), np.float32)

    @cached_property
    def mean_face(self) -> Photo:
        """(r, r, 3) uint8."""
        return to_uint8(unpack(self.front.mean, self.size, self.front.chroma))

    def save(self, path: Path) -> None:
        """Write the prior as .npz, at once or not at all.

        Raises:
            WeightsError: the path cannot be written.
        """
        prior_file.write(self, path)

    @classmethod
    def load(cls, path: Path) -> FacePrior:
        """Read a prior that `save` or `unveil fit-prior` wrote.

        Raises:
            WeightsError: no such file, damaged, or not a prior of this version.
        """
        return prior_file.read(path)

    @classmethod
    def from_bytes(cls, data: bytes, path: Path) -> FacePrior:
        """As `load`, of a file whose bytes are known; `path` is for messages."""
        return prior_file.parse(data, path)


def likeliest(opinions: tuple[Opinion, ...]) -> Array:
    """(r, r, 3) float32 RGB, the posteriors' mean."""
    faces = (opinion.share * opinion.face(opinion.posterior.mean) for opinion in opinions)
    return np.asarray(sum(faces), np.float32)


def uncertainty(opinions: tuple[Opinion, ...], where: Mask | None = None) -> tuple[Array, Array]:
    """(r, r) the variance of the posterior, and that of fine detail, a channel.

    where: (r, r), the pixels that are asked for; None: all.
    """
    mean = likeliest(opinions)
    variance, texture = np.zeros_like(mean[..., 0]), np.zeros_like(mean[..., 0])
    for opinion in opinions:
        apart = np.square(opinion.face(opinion.posterior.mean) - mean).mean(axis=2)
        variance += opinion.share * (opinion.variance(where) + apart)
        texture += opinion.share * opinion.texture
    return variance, texture


def _join(face: Photo, mask: Mask, known: Known, guess: Array) -> Photo:
    """Put a face (r, r, 3) into the hidden pixels, without a step in colour.

    What it does not explain of the known pixels is carried into the hidden ones, at the prior's
    size: a tenth of the time that it takes at the face's, and as good.
    """
    seen = known.weight > 0
    residual = np.clip(known.colour - guess, -CARRIED, CARRIED)
    guess = guess + extrapolate(residual * seen[..., None], seen)
    filled = face.copy()
    paint(filled, to_uint8(enlarge(guess, len(face))), np.asarray(mask, dtype=np.bool_))
    return filled
