"""Arguments that several verbs take, said once."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from unveil.errors import UsageError

OUT = ("-o", "--output", "--out")  # one option, by any of these names, in every verb
EMPTY = "is empty: name a file or a folder (. is this one)"


def some_path(given: str) -> Path:
    """An option's path; an empty one, as of a variable that is not set, is not the current folder.

    Raises:
        BadParameter: it is empty; Typer names the option.
    """
    if not given:
        raise typer.BadParameter(EMPTY)
    return Path(given)


Inputs = Annotated[
    list[str], typer.Argument(metavar="IN...", help="Files, folders, globs, or - for a pipe.")
]
Model = Annotated[str, typer.Option(help="A name of `unveil weights`, or FOLDER/NAME.")]
Aligned = Annotated[
    bool,
    typer.Option("--aligned", help="IN is one square face in the canonical frame (CelebA's)."),
]
Faces = Annotated[
    str,
    typer.Option(
        metavar="all|largest|N", help="Which faces of a photo or frame: all, or the N largest."
    ),
]
Detail = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="0: the most likely face, soft; 1: sharp. Default: 0.5. For models with a prior.",
    ),
]
MinFace = Annotated[
    int | None,
    typer.Option(
        min=8,
        metavar="PX",
        help="Smallest face to look for in pixels, from 8; in photos of over 6 megapixels no such "
        "small ones (12 megapixels: from 11, 96: from 31). Default: about 40, in photos of over 2 "
        "megapixels a fiftieth of the longer side.",
    ),
]
Split = Annotated[
    str, typer.Option(help="Of an index.csv, the rows with this paper_split; default: all.")
]
Without = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Names of images to leave out, one a line, such as those of faces already hidden.",
        parser=some_path,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(metavar="N", help="Inputs at the same time; default: one a core, to 4."),
]
SkipExisting = Annotated[
    bool, typer.Option("--skip-existing", help="Leave out inputs whose output is there already.")
]

NO_FACE = (
    "no face found: --min-face finds smaller ones, --aligned takes the whole image as one face"
)


def check_place(output: Path, option: str = "-o", new: Collection[Path] = ()) -> None:
    """Refuse, before long work, a file of an option that cannot be written at its end.

    Args:
        output: the file.
        option: for messages.
        new: folders that will be made until then.

    Raises:
        UsageError: it is a folder, or the folder that it goes into is none.
    """
    if not output.parent.is_dir() and output.parent.absolute() not in {p.absolute() for p in new}:
        raise UsageError(f"{option} {output}: there is no folder {output.parent}")
    if output.is_dir():
        raise UsageError(f"{option} {output}: a folder, where a file is needed")


def check_search(aligned: bool, faces: str, min_face: int | None) -> None:
    """Refuse options of looking for faces where the image is one.

    Raises:
        UsageError: names the option.
    """
    if aligned and faces != "all":
        raise UsageError("--faces is not for --aligned, which takes the whole image as one face")
    if aligned and min_face is not None:
        raise UsageError("--min-face is not for --aligned, which takes the whole image as one face")


def count_of_faces(faces: str) -> int | None:
    """The number that --faces means; None: all.

    Raises:
        UsageError: it is not one of its words, nor a number from 1.

    >>> count_of_faces("largest"), count_of_faces("3"), count_of_faces("all")
    (1, 3, None)
    """
    if faces in ("all", "largest"):
        return 1 if faces == "largest" else None
    if not faces.isdecimal() or len(faces) > 9 or int(faces) < 1:
        raise UsageError(f"--faces {faces}: say all, largest, or a number from 1")
    return int(faces)
