"""What `unveil evaluate` and `unveil report` are told by the same options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unveil.errors import UsageError

if TYPE_CHECKING:
    from unveil.data.faces import FaceSet


def load_chosen(data: list[Path], split: str | None, first: int) -> tuple[FaceSet, str]:
    """The faces that the options ask for, and what results call them.

    Raises:
        UsageError: no --split, and only some of the sources have one: faces of a training, which
            the others' default leaves out, would be among them.
    """
    from unveil.data.faces import load_faces

    if split is None:
        indexed = [path.suffix == ".csv" for path in data]
        if any(indexed) and not all(indexed):
            raise UsageError(
                "--data has an index.csv beside faces without splits: say --split '' to take all "
                "faces of both, or take one kind alone"
            )
        split = "test" if all(indexed) else ""
    faces = load_faces(data, split=split)
    if first:
        faces = faces.first(first)
    # Folder and file name, not the whole path: results are for others, on other machines.
    named = ", ".join("/".join(path.resolve().parts[-2:]) for path in data)
    return faces, f"{named} {split}".strip()


def split_names(names: str) -> list[str]:
    """Of a comma-separated option."""
    return [name.strip() for name in names.split(",") if name.strip()]
