"""What the loop asks of a model in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from unveil.data.faces import Faces, FaceSet
from unveil.imaging import Photo

Items = Sequence[tuple[int, int]]  # (epoch, face) of each item


class Task(Protocol):
    """One kind of model: its networks, its batches, its losses."""

    def batch(self, faces: Faces, items: Items) -> Any:
        """A micro-batch on the device, the same for the same items."""
        ...

    def step(self, batches: Sequence[Any], step: int) -> dict[str, float]:
        """One optimiser step over the micro-batches; mean losses by name."""
        ...

    def samples(self, faces: FaceSet) -> Photo:
        """A grid of validation faces, HWC uint8."""
        ...

    def validate(self, faces: FaceSet, n: int) -> dict[str, float]:
        """Measures by name over the first `n` validation faces."""
        ...

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs, beside what the loop keeps."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Go on as if never stopped."""
        ...

    def load_networks(self, state: dict[str, Any]) -> None:
        """Take a checkpoint's networks, with fresh optimisers."""
        ...
