"""What `unveil evaluate` and `unveil report` are told by the same options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unveil.errors import DataError, UsageError

if TYPE_CHECKING:
    from unveil.data.faces import FaceSet
    from unveil.evaluation.candidates import Spec

EACH_NAMED = "one or more models, each with a name of its own"


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


def list_models(models: str, prior: Path | None = None) -> list[str]:
    """The names of --models, with groups spelt out.

    Raises:
        UsageError: there are none.
        WeightsError: a manifest that cannot be read.
    """
    from unveil.evaluation.candidates import expand

    names = expand(split_names(models), prior)
    if not names:
        raise UsageError(f"--models {models}: {EACH_NAMED}")
    return names


def specify_models(models: str, prior: Path | None) -> list[Spec]:
    """The models of --models.

    Raises:
        UsageError: there are none, or two of one label; as `candidates.specify`.
        WeightsError: as `candidates.specify`.
    """
    from unveil.evaluation.candidates import specify

    specs = [specify(name, prior) for name in list_models(models, prior)]
    if len({spec.label for spec in specs}) < len(specs):
        raise UsageError(f"--models {models}: {EACH_NAMED}")
    return specs


def split_names(names: str) -> list[str]:
    """Of a comma-separated option."""
    return [name.strip() for name in names.split(",") if name.strip()]


def check_used(
    option: str,
    given: object,
    chosen: list[str],
    users: tuple[str, ...],
    but: tuple[str, ...] = (),
) -> None:
    """Refuse an option of which none of the chosen protocols makes use.

    Raises:
        UsageError: names those that do.
    """
    if given and not set(chosen) & set(users) - set(but):
        only = f"all but {', '.join(but)}" if but else ", ".join(users)
        raise UsageError(f"{option} is for --protocol {only}")


def check_there(option: str, path: Path | None) -> None:
    """Refuse what is not there, if it is given, even where nobody would open it.

    Raises:
        DataError: names it.
    """
    if path is not None and not path.exists():
        raise DataError(f"{option} {path}: no such file or folder")
