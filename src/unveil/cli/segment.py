"""unveil segment"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unveil.cli.options import (
    NO_FACE,
    OUT,
    Aligned,
    Faces,
    Inputs,
    Jobs,
    MinFace,
    Model,
    SkipExisting,
    check_place,
    check_search,
    count_of_faces,
)
from unveil.runtime.weights import DEFAULT_MODEL


def segment(
    inputs: Inputs,
    output: Annotated[
        str | None,
        typer.Option(
            *OUT,
            metavar="OUT",
            help="A file; a folder (made if need be), which keeps those in IN; or -. Default: "
            "NAME.mask.png beside IN.",
        ),
    ] = None,
    model: Model = DEFAULT_MODEL,
    aligned: Aligned = False,
    faces: Faces = "all",
    min_face: MinFace = None,
    jobs: Jobs = None,
    skip_existing: SkipExisting = False,
) -> None:
    """Find what hides faces, as a mask: white = hidden.

    It has the input's size, and is what `unveil restore` would use; edit it and give it back with
    --mask. Exit status 1 if an input failed or shows no face; the others are done.
    """
    from unveil.cli import images, outputs
    from unveil.cli.inputs import STDIN, expand, for_each, report, share_cores
    from unveil.errors import ImageError, NoFaceError
    from unveil.names import MASK
    from unveil.progress import track
    from unveil.restorer import Restorer

    check_search(aligned, faces, min_face)
    folders = expand(inputs)
    paths = list(folders)
    count, (at_once, threads) = count_of_faces(faces), share_cores(jobs, len(paths))
    target_of = outputs.outputs_for(folders, output, MASK)
    written = {path: [target] for path, target in target_of.items()}
    name = "-o" if output else "the result"
    whose = "the input itself" if len(paths) == 1 else "an input too"
    outputs.check_apart({name: target_of.values()}, {whose: paths})
    clashing = outputs.clashes(target_of)
    if output and Path(output) in target_of.values() and Path(output) != STDIN:
        check_place(Path(output))
    if skip_existing:
        paths = outputs.without_existing(paths, written, clashing)
    restorer = Restorer(model, threads, min_face)
    outputs.make_folders("-o", output, target_of.values())

    def one(path: Path) -> None:
        if path in clashing:
            raise ImageError(clashing[path])
        hidden = restorer.find(images.read(path)[0].photo, aligned, count)
        if hidden is None:
            raise NoFaceError(NO_FACE)
        images.write(target_of[path], hidden.astype("uint8") * 255)

    failures = for_each(track(paths, "segmenting", len(paths)), one, at_once)
    raise typer.Exit(report(failures, len(paths)))
