"""The head that wears an occluder: how large its picture is, and how far it is turned aside."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from unveil.faces.detect import FaceDetector
    from unveil.imaging import Photo

Colour = tuple[float, float, float]  # RGB, 0..255

# Half the width of the head at the ears and its depth before them, in units of the canonical frame
# (one is a millimetre and an eighth: pupils are 56 units apart); where along that depth the eyes
# and the mouth lie, which alignment holds in place; how much further the nose stands out, and how
# wide it and what hangs over it are.
WIDE, DEEP, HELD, NOSE, NOSE_WIDE = 80.0, 70.0, 0.94, 20.0, 54.0
FURTHEST = 0.75  # radians; a face turned further is seen from the side
# What lies behind the head's edge is drawn this narrow, so that the map back exists.
BEHIND = 0.02


@dataclass(frozen=True)
class Head:
    """What those who draw an occluder know of a face.

    Attributes:
        size: side of the picture in pixels, at least 16.
        turn: how far the head is turned aside, in radians: above 0 the nose points to the right of
            the picture. None: unknown.
        face: the picture, (size, size, 3) uint8 RGB, aligned. None: unknown.
    """

    size: int
    turn: float | None = None
    face: Photo | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, face: Photo) -> Head:
        """The head in an aligned face (S, S, 3) uint8 RGB, by its five points."""
        return cls.seen(face, _detector().turn(face))

    @classmethod
    def seen(cls, face: Photo, turn: float | None) -> Head:
        """The head in an aligned face (S, S, 3) uint8 RGB whose turn is known."""
        return cls(len(face), turn, face)

    @cached_property
    def skin(self) -> Colour | None:
        """The colour of its skin under neutral light; None: unknown. Few occluders ask for it."""
        if self.face is None:
            return None
        from unveil.occlusion.light import estimate  # which knows layers, and they heads

        red, green, blue = estimate(self.face).skin.tolist()
        return red, green, blue


@lru_cache
def _detector() -> FaceDetector:
    from unveil.faces.detect import FaceDetector

    return FaceDetector(threads=1)


@dataclass(frozen=True)
class Turned:
    """Where the surface of an elliptic head goes as the head turns about its vertical axis.

    Only x changes, and in the canonical frame eyes and mouth stay in the middle: what turns towards
    us widens, what turns away narrows and vanishes behind the edge of the head.
    """

    turn: float

    @cached_property
    def edge(self) -> float:
        """How far from the middle the head's edge lies on the far side, in units as if straight."""
        slope = WIDE / DEEP / max(abs(np.tan(self.turn)), 1e-9)
        return float(WIDE * slope / np.hypot(slope, 1))

    def sees(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether what is worn at x units right of the middle is on our side of the head."""
        return np.asarray(x * np.sign(self.turn) < self.edge)

    def forth(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Units right of the middle of a straight head -> the same as it is turned."""
        at = self._surface(np.asarray(x, np.float64))
        way = np.sign(self.turn)
        beyond = x * way - self.edge
        # Past the edge nothing comes back into view until it stands out further than the edge.
        edge = self._surface(np.float64(way * self.edge)) * way + BEHIND * beyond
        moved = np.where(beyond > 0, np.maximum(at * way, edge) * way, at)
        return np.asarray(moved, np.float64)

    def back(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """The way back of `forth`, to a hundredth of a unit where the surface is seen well."""
        straight = np.arange(-480.0, 480.5, 0.5)
        return np.asarray(np.interp(x, self.forth(straight), straight), np.float64)

    def _surface(self, x: Any) -> Any:
        depth = np.sqrt(np.maximum(1 - (x / WIDE) ** 2, 0)) - HELD
        nose = np.maximum(1 - (x / NOSE_WIDE) ** 2, 0) ** 2
        return x * np.cos(self.turn) + (DEEP * depth + NOSE * nose) * np.sin(self.turn)
