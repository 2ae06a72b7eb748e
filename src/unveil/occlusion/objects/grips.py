"""Where a held thing lies, and where hands hold it.

Coordinates are units of 1/256 of the image about the thing's middle, y down, before it is turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unveil.occlusion.objects.layer import Array
from unveil.occlusion.objects.raster import Patch

Points = NDArray[Any] | list[list[float]]


@dataclass(frozen=True)
class Place:
    """Where a thing lies: its middle in pixels, pixels to a unit, its turn in radians."""

    x: float
    y: float
    unit: float
    angle: float

    def points(self, at: Points) -> Array:
        """(N, 2) of the thing's frame -> pixels."""
        cos, sin = np.cos(self.angle) * self.unit, np.sin(self.angle) * self.unit
        moved = np.asarray(at, np.float64) @ np.array([[cos, sin], [-sin, cos]]) + (self.x, self.y)
        return np.asarray(moved, np.float32)

    def local(self, patch: Patch) -> tuple[Array, Array]:
        """x and y in the thing's frame of a patch's pixels, (h, w) float32."""
        x, y = patch.grid()
        x, y = x - np.float32(self.x), y - np.float32(self.y)
        cos, sin = (np.float32(f(self.angle) / self.unit) for f in (np.cos, np.sin))
        return x * cos + y * sin, y * cos - x * sin


@dataclass(frozen=True)
class Grip:
    """Fingers round an edge: where the middle one lies, the way in, and how many (1 = a thumb)."""

    at: tuple[float, float]
    inward: tuple[float, float]
    fingers: int


@dataclass(frozen=True)
class Held:
    """How a thing is held: by fingers over its edges, a palm behind it."""

    grips: tuple[Grip, ...]
    palms: tuple[tuple[float, float], ...]  # of the hands behind
