"""Which faces of a clip are restored, where not all are."""

from __future__ import annotations

from numbers import Integral

from unveil.errors import UsageError
from unveil.video.sighting import Sighting

# Somebody must be so much larger than who is restored to take their place.
CLEARLY = 1.25


class Largest:
    """The largest faces of each frame, and the same ones from frame to frame.

    Two people of about one size would else take turns.

    Args:
        count: of them; None: all.

    Raises:
        UsageError: `count` is no number from 1.
    """

    def __init__(self, count: int | None) -> None:
        if count is not None and (not isinstance(count, Integral) or count < 1):
            raise UsageError(f"at least one face must be asked for (got {count!r})")
        self.count = count
        self._before: set[int] = set()

    def of(self, faces: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
        """Those of a frame, in their order; asked for each frame in turn."""
        if self.count is None:
            return faces
        ranked = sorted(faces, key=self._rank, reverse=True)
        self._before = {face.track for face in ranked[: self.count]}
        return tuple(face for face in faces if face.track in self._before)

    def _rank(self, face: Sighting) -> float:
        left, top, right, bottom = face.box
        return max(right - left, bottom - top) * (CLEARLY if face.track in self._before else 1)
