"""unveil restore"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from unveil.cli.asked import Asked
from unveil.cli.options import (
    OUT,
    Aligned,
    Detail,
    Faces,
    Inputs,
    Jobs,
    MinFace,
    Model,
    SkipExisting,
    check_search,
    some_path,
)
from unveil.errors import UsageError
from unveil.runtime.weights import DEFAULT_MODEL


class Format(StrEnum):
    """What results are written as, where their names do not say it."""

    png = "png"
    same = "same"


def restore(
    inputs: Inputs,
    out: Annotated[
        str | None,
        typer.Option(
            *OUT,
            metavar="OUT",
            help="A file; a folder (made if need be), which keeps those in IN; or -. Default: "
            "NAME.restored.png beside IN.",
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="same: as each input, NAME.restored.jpg, ...; without -o FILE."
        ),
    ] = Format.png,
    mask: Annotated[
        Path | None,
        typer.Option(
            help="What is hidden, white or 1, of the photo's size; a folder: NAME.mask.png or "
            "NAME.png for each input. Default: found by the model.",
            parser=some_path,
        ),
    ] = None,
    model: Model = DEFAULT_MODEL,
    detail: Detail = None,
    samples: Annotated[
        int,
        typer.Option(
            min=0,
            max=1000,
            metavar="N",
            help="Write N plausible faces instead: NAME.restored-1.png, ...",
        ),
    ] = 0,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="Of the first of --samples; the next ones count on from it. Default: 0."
        ),
    ] = None,
    aligned: Aligned = False,
    faces: Faces = "all",
    min_face: MinFace = None,
    invented: Annotated[
        str | None,
        typer.Option(
            metavar="OUT", help="Also write the mask of invented pixels: a file, or a folder."
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="Also write a page of before and after, least sure first. It shows what this call "
            "does: where --skip-existing leaves nothing to do, it stays as it is.",
            parser=some_path,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each input, all its faces.")
    ] = False,
    jobs: Jobs = None,
    skip_existing: SkipExisting = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="local|ray",
            help="ray: IN and OUT are folders or .parquet, paths or URLs; with a manifest of all "
            "inputs; --jobs are workers, one a core. A rerun does what is missing or failed. See "
            "docs/scale.md.",
        ),
    ] = "local",
    address: Annotated[
        str, typer.Option(help="ray: of a cluster; default: $RAY_ADDRESS, or Ray is started here.")
    ] = "",
    gpus: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="ray: N workers with a GPU each; not with --jobs."),
    ] = 0,
    drop_ai_disclosure: Annotated[
        bool,
        typer.Option(
            "--drop-ai-disclosure",
            help="Leave out of the file that a part is invented, by which model, and that it is "
            "not for identification.",
        ),
    ] = False,
) -> None:
    """Restore the hidden part of faces. It is invented: not for identification.

    Every known pixel stays as it is, but for what a JPEG loses when it is saved, and where nothing
    is hidden the whole file, if its format does too. Exit status 1 if an input failed or shows no
    face; the others are done.
    """
    check_search(aligned, faces, min_face)
    if seed is not None and not samples:
        raise UsageError("--seed is for --samples: without it there is one likeliest face")
    if engine not in ("local", "ray"):
        raise UsageError(f"--engine {engine}: choose from local, ray")
    asked = Asked(model, detail, aligned, faces, min_face, not drop_ai_disclosure)
    if engine == "ray":
        refused = {
            "--format": form is not Format.png,
            "--mask": mask,
            "--samples": samples,
            "--invented": invented,
            "--json": as_json,
            "--page": page,
            "--skip-existing": skip_existing,
        }
        for name, value in refused.items():
            if value:
                raise UsageError(f"{name}: --engine ray does not have it")
        from unveil.cli.archive import restore_on_ray

        raise typer.Exit(restore_on_ray(inputs, out, asked, jobs, gpus, address))
    if address or gpus:
        raise UsageError("--address and --gpus need --engine ray")
    from unveil.cli.local import Wanted, restore_here

    same = form is Format.same
    wanted = Wanted(out, same, mask, samples, seed, invented, page, as_json)
    raise typer.Exit(restore_here(inputs, asked, wanted, jobs, skip_existing))
