"""unveil restore"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unveil.cli.options import (
    NO_FACE,
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
    count_of_faces,
)
from unveil.errors import UsageError
from unveil.runtime.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from unveil.types import Restoration


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
            "NAME.png for each input. Default: found by the model."
        ),
    ] = None,
    model: Model = DEFAULT_MODEL,
    detail: Detail = None,
    samples: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Write N plausible faces instead: NAME.restored-1.png, ..."
        ),
    ] = 0,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of --samples; another seed, other faces. Default: 0.")
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
            metavar="FILE.html", help="Also write a page of before and after, least sure first."
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
        from unveil.cli.archive import Asked, restore_on_ray

        asked = Asked(model, detail, aligned, faces, min_face, not drop_ai_disclosure)
        raise typer.Exit(restore_on_ray(inputs, out, asked, jobs, gpus, address))
    if address or gpus:
        raise UsageError("--address and --gpus need --engine ray")
    from unveil.cli import describe, images, outputs
    from unveil.cli.inputs import for_each, report, share_cores
    from unveil.cli.page import Page
    from unveil.cli.places import Places
    from unveil.errors import ImageError, NoFaceError
    from unveil.output import restored_file
    from unveil.progress import track
    from unveil.restorer import Restorer
    from unveil.runtime.weights import DEFAULT_DETAIL

    overview = Page(page) if page else None
    places = Places.of(inputs, out, samples, invented, form is Format.same)
    places.check(out, mask, invented, page, as_json)
    paths = list(places.folders)
    count, (at_once, threads) = count_of_faces(faces), share_cores(jobs, len(paths))
    clashing = outputs.clashes(places.target_of, places.invented_of)
    if skip_existing:
        paths = outputs.without_existing(paths, places.of_each(), clashing)
    restorer = Restorer(model, threads, min_face)
    network = restorer.model.network
    if samples and not network.draws:
        raise UsageError(f"--samples: model {model} gives one result only")
    if detail is not None and not network.weights.has("prior"):
        raise UsageError(f"--detail: model {model} has no prior to add detail to")
    share = DEFAULT_DETAIL if detail is None else detail
    only_mask = images.read_mask(mask) if mask and not mask.is_dir() else None
    outputs.make_folders("-o", out, places.target_of.values())
    outputs.make_folders("--invented", invented, places.invented_of.values())

    def one(path: Path) -> str | None:
        if path in clashing:
            raise ImageError(clashing[path])
        source, data = images.read(path)
        hidden = only_mask
        if mask and hidden is None:
            hidden = images.read_mask(images.mask_for(path, mask, places.folders[path]))
        results: tuple[Restoration, ...]
        if samples:
            results = restorer.sample(
                source.photo, samples, hidden, aligned, seed or 0, count, detail=share
            )
        else:
            results = (restorer.restore(source.photo, hidden, aligned, count, share),)
        result = results[0]
        if not result.faces:
            raise NoFaceError(NO_FACE)
        written = "left as it is"
        for target, each in zip(places.written[path], results, strict=True):
            kind = images.kind_of(target, source.kind if form is Format.same else "PNG")
            file = restored_file(each, kind, source, data, disclose=not drop_ai_disclosure)
            images.write_data(target, file)
            written = written if file is data else f"written as {kind}"
        if invented:
            images.write(places.invented_of[path], result.invented.astype("uint8") * 255)
        if overview:
            overview.add(places.name(path), source.photo, result)
        told = describe.notes(result, hidden, written)
        if source.deep and written != "left as it is":
            told.append("more than 8 bits a channel: written with 8")
        for note in told:
            print(f"unveil: {path}: {note}", file=sys.stderr)
        return describe.as_json(path, places.written[path], result) if as_json else None

    told_of = describe.failed_as_json if as_json else None
    failures = for_each(track(paths, "restoring", len(paths)), one, at_once, told_of)
    status = report(failures, len(paths))  # first: the page may not be writable
    if overview:
        overview.write([(places.name(each.path), each.reason) for each in failures])
    raise typer.Exit(status)
