"""A model over aligned faces: what is hidden, and what could be there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.errors import UsageError
from unveil.faces.blend import finish
from unveil.faces.exposure import gains, lit, unlit
from unveil.imaging import Mask, Photo, grow, paint, resize_mask
from unveil.models.face_vector import enlarge
from unveil.models.prior import FacePrior
from unveil.runtime.session import FaceNetwork
from unveil.runtime.weights import (
    DEFAULT_DETAIL,
    DEFAULT_MODEL,
    Weights,
    find_weights,
    read_checked,
)

# Pixels: so far into the known part a hidden one reaches when it is put back into its photo.
RIM = 2


@dataclass(frozen=True)
class Manner:
    """How the hidden part is invented.

    Attributes:
        detail: 0 = the most likely face, soft; 1 = a sharp one. A model without a prior has no such
            choice.
        seed: draw one of many plausible faces, the same for the same seed; None: the most likely.

    Raises:
        UsageError: detail outside [0, 1].
    """

    detail: float = DEFAULT_DETAIL
    seed: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.detail <= 1:
            raise UsageError(f"detail must be between 0 and 1, not {self.detail:g}")

    @classmethod
    def several(cls, detail: float, seed: int, n: int) -> list[Manner]:
        """Of `n` plausible faces; those of the next seed are the same but for the first."""
        return [cls(detail, seed + i) for i in range(n)]


PLAIN = Manner()


class FaceModel:
    """What the pipeline asks of a model; its networks stay loaded."""

    def __init__(self, network: FaceNetwork) -> None:
        self.network = network

    @classmethod
    def load(cls, name: str | Path, threads: int = 0, device: str = "cpu") -> FaceModel:
        """The model of a name (see `find_weights`); threads of one run, 0 = all cores.

        Raises:
            WeightsError: no such model.
        """
        return cls(FaceNetwork.load(name, threads, device))

    @property
    def weights(self) -> Weights:
        """What the manifest says of it."""
        return self.network.weights

    def find(self, faces: Photo) -> NDArray[np.float32]:
        """Occluders of aligned faces: (N, 256, 256, 3) uint8 -> (N, 256, 256) float32 in [0, 1]."""
        return self.network.find_mask(faces)

    def check(self, manner: Manner) -> None:
        """Refuse what this model cannot do.

        Raises:
            UsageError: a draw asked of a model that gives one result only.
        """
        if manner.seed is not None and not self.network.draws:
            raise UsageError(f"model {self.weights.name} gives one result only: no samples")

    def fill(self, faces: Photo, hidden: Mask, manner: Manner = PLAIN) -> Photo:
        """Invent the hidden part of aligned faces.

        Args:
            faces: (N, 256, 256, 3) uint8 RGB.
            hidden: (N, 256, 256) bool, True = hidden.
            manner: how.

        Returns:
            (N, 256, 256, 3) uint8, equal to `faces` in every known pixel.

        Raises:
            UsageError: as `check`.
        """
        self.check(manner)
        # In that light, for edges and steps are told by their height.
        brighter = gains(faces, hidden)
        shown = lit(faces, brighter)
        outputs = self.network.restore_lit(shown, hidden, detail=manner.detail, seed=manner.seed)
        made = np.stack([finish(*each) for each in zip(shown, outputs, hidden, strict=True)])
        filled = faces.copy()
        for each in zip(filled, unlit(made, brighter), hidden, strict=True):
            paint(*each)
        return filled

    def confidence(self, faces: Photo, hidden: Mask) -> NDArray[np.float32]:
        """How sure the invented pixels are; arguments as `fill`'s.

        Returns:
            (N, 256, 256) float32 in [0, 1]: the share of the pixel's variance over all faces that
            the known part explains (`FacePrior.confidence`); 1 in known pixels, but for those
            that an enlarged hidden part reaches into.
        """
        maps = np.ones(hidden.shape, np.float32)
        shown = lit(faces, gains(faces, hidden))
        for face, mask, confidence in zip(shown, hidden, maps, strict=True):
            known = self.prior.look(face, mask)
            if known is not None:
                # Two more pixels on each side, for it is enlarged.
                near = grow(resize_mask(mask, self.prior.size), 2)
                small = self.prior.confidence(self.prior.ask(known), near)
                large = np.clip(enlarge(small, len(face)), 0, 1)
                np.copyto(confidence, large, where=grow(mask, RIM))
        return maps

    @cached_property
    def prior(self) -> FacePrior:
        """The model's own prior; for a model without one, that of the default model."""
        if self.network.prior:
            return self.network.prior
        file = find_weights(DEFAULT_MODEL).file("prior")
        return FacePrior.from_bytes(read_checked(file), file.path)
