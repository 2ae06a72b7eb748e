"""What `unveil restore` was asked for, by whichever engine it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unveil.cli.options import count_of_faces
from unveil.errors import UsageError
from unveil.runtime.weights import DEFAULT_DETAIL

if TYPE_CHECKING:
    from unveil.restorer import Restorer


@dataclass(frozen=True)
class Asked:
    """The options that decide the results; those of a `Restorer`'s call by their names there."""

    model: str
    detail: float | None
    aligned: bool
    faces: str
    min_face: int | None
    disclose: bool

    @property
    def count(self) -> int | None:
        """The number of faces; see `options.count_of_faces`."""
        return count_of_faces(self.faces)

    @property
    def share(self) -> float:
        """The detail, also where none was given."""
        return DEFAULT_DETAIL if self.detail is None else self.detail

    def restorer(self, threads: int = 0) -> Restorer:
        """The model, loaded.

        Raises:
            UsageError: there is no such model, or it takes no detail.
            WeightsError: its files are missing or damaged.
        """
        from unveil.restorer import Restorer

        restorer = Restorer(self.model, threads, self.min_face)
        if self.detail is not None and not restorer.model.weights.has("prior"):
            raise UsageError(f"--detail: model {self.model} has no prior to add detail to")
        return restorer
