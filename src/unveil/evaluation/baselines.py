"""What a network has to beat: diffusion, the mean face and the closed-form prior.

Each is called with an occluded face (S, S, 3) uint8 RGB and its mask (S, S) bool, True = hidden,
and gives its raw output (S, S, 3) uint8.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from unveil.imaging import Mask, Photo, resize
from unveil.models.eigenface import Eigenface


@dataclass(frozen=True)
class Telea:
    """OpenCV's fast-marching inpainting (Telea, 2004), which carries the edge's colours inwards.

    Attributes:
        radius: neighbourhood in pixels.
    """

    radius: float = 3.0

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        filled = cv2.inpaint(face, mask.astype(np.uint8), self.radius, cv2.INPAINT_TELEA)
        return np.asarray(filled, dtype=np.uint8)


@dataclass(frozen=True)
class MeanFace:
    """The mean of a prior's training faces for everybody; the floor of every comparison."""

    prior: Eigenface

    @cached_property
    def _mean(self) -> dict[int, Photo]:
        return {}

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        side = face.shape[0]
        if side not in self._mean:
            self._mean[side] = resize(self.prior.mean_face, side)
        return self._mean[side]


@dataclass(frozen=True)
class EigenfaceFill:
    """The prior's most likely hidden part; its raw output keeps the known pixels."""

    prior: Eigenface

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        return self.prior.fill(face, mask)
