"""unveil restore"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unveil.cli.options import (
    NO_FACE,
    Aligned,
    Faces,
    Inputs,
    Jobs,
    MinFace,
    Model,
    SkipExisting,
    count_of_faces,
)
from unveil.errors import UsageError
from unveil.runtime.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from unveil.types import Face, Restoration

MOSTLY_INVENTED = 0.6  # of a face


def restore(
    inputs: Inputs,
    out: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="A file; a folder (made if need be), which keeps those in IN; or -. Default: "
            "NAME.restored.png beside IN.",
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            help="What is hidden, white or 1, of the photo's size; a folder: NAME.mask.png or "
            "NAME.png for each input. Default: found by the model."
        ),
    ] = None,
    model: Model = DEFAULT_MODEL,
    detail: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="0: the most likely face, soft; 1: sharp. Default: as the model is best.",
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Write N plausible faces instead: NAME.restored-1.png, ..."
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of --samples.")] = 0,
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
            "inputs. A rerun does what is missing or failed. See docs/scale.md.",
        ),
    ] = "local",
    address: Annotated[
        str, typer.Option(help="ray: of a cluster; default: $RAY_ADDRESS, or Ray is started here.")
    ] = "",
    gpus: Annotated[
        int, typer.Option(min=0, metavar="N", help="ray: N workers with a GPU each.")
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
    is hidden the whole file. Exit status 1 if
    an input failed or shows no face; the others are done.
    """
    if engine not in ("local", "ray"):
        raise UsageError(f"--engine {engine}: choose from local, ray")
    if engine == "ray":
        refused = {
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
    from unveil.cli import images, outputs
    from unveil.cli.inputs import STDIN, expand, for_each, report, share_cores
    from unveil.cli.page import Page
    from unveil.errors import ImageError, NoFaceError
    from unveil.names import INVENTED, RESTORED
    from unveil.output import restored_file
    from unveil.progress import track
    from unveil.restorer import Restorer
    from unveil.runtime.weights import DEFAULT_DETAIL

    folders = expand(inputs)
    paths = list(folders)
    count, (at_once, threads) = count_of_faces(faces), share_cores(jobs, len(paths))
    overview = Page(page) if page else None
    target_of = outputs.outputs_for(folders, out, RESTORED)
    invented_of: dict[Path, Path] = {}
    if invented:
        invented_of = outputs.outputs_for(folders, invented, INVENTED, "--invented")
    if as_json and STDIN in target_of.values():
        raise UsageError("--json and the image would both go to standard output: give -o FILE")
    if samples and STDIN in target_of.values():
        raise UsageError("--samples writes several files: give -o FILE or -o FOLDER")
    written = {path: _targets(target_of[path], samples) for path in paths}
    whose = "the input itself" if len(paths) == 1 else "an input too"
    outputs.check_apart(
        {
            "-o" if out else "the result": [t for each in written.values() for t in each],
            "--invented": invented_of.values(),
            "--page": [page] if page else [],
        },
        {whose: paths, "the mask": [mask] if mask else []},
    )
    clashing = outputs.clashes(target_of, invented_of)
    if skip_existing:
        paths = outputs.without_existing(paths, written, clashing)
    restorer = Restorer(model, threads, min_face)
    network = restorer.model.network
    if samples and not network.draws:
        raise UsageError(f"--samples: model {model} gives one result only")
    if detail is not None and not network.weights.has("prior"):
        raise UsageError(f"--detail: model {model} has no prior to add detail to")
    share = DEFAULT_DETAIL if detail is None else detail
    only_mask = images.read_mask(mask) if mask and not mask.is_dir() else None
    outputs.make_folders("-o", out, target_of.values())
    outputs.make_folders("--invented", invented, invented_of.values())

    def one(path: Path) -> str | None:
        if path in clashing:
            raise ImageError(clashing[path])
        source, data = images.read(path)
        hidden = only_mask
        if mask and hidden is None:
            hidden = images.read_mask(images.mask_for(path, mask, folders[path]))
        results: tuple[Restoration, ...]
        if samples:
            results = restorer.sample(
                source.photo, samples, hidden, aligned, seed, count, detail=share
            )
        else:
            results = (restorer.restore(source.photo, hidden, aligned, count, share),)
        result = results[0]
        if not result.faces:
            raise NoFaceError(NO_FACE)
        for target, each in zip(written[path], results, strict=True):
            kind = images.kind_of(target)
            file = restored_file(each, kind, source, data, disclose=not drop_ai_disclosure)
            images.write_data(target, file)
        if invented:
            images.write(invented_of[path], result.invented.astype("uint8") * 255)
        if overview:
            overview.add(_name(path, folders), source.photo, result)
        for note in _notes(result, hidden):
            print(f"unveil: {path}: {note}", file=sys.stderr)
        return _to_json(path, written[path], result) if as_json else None

    failures = for_each(track(paths, "restoring", len(paths)), one, at_once)
    status = report(failures, len(paths))  # first: the page may not be writable
    if overview:
        overview.write([(_name(each.path, folders), each.reason) for each in failures])
    raise typer.Exit(status)


def _name(path: Path, folders: dict[Path, Path]) -> str:
    """An input as the page calls it: with the folders below the one that was named."""
    return (folders[path] / path.name).as_posix()


def _targets(target: Path, samples: int) -> list[Path]:
    """The files of one input: the target itself, or one a sample, numbered from 1."""
    if not samples:
        return [target]
    return [target.with_name(f"{target.stem}-{i + 1}{target.suffix}") for i in range(samples)]


def _notes(result: Restoration, hidden: object) -> list[str]:
    """What a user should hear of a photo beside its file."""
    import numpy as np

    from unveil.faces.align import seen_from_side

    notes = []
    if hidden is not None and not np.asarray(hidden).any():
        notes.append("the mask hides nothing: white is what is hidden; left as it is")
    elif not result.invented.any():
        notes.append(f"nothing is hidden ({_faces(len(result.faces))}), left as it is")
    for number, face in enumerate(result.faces, 1):
        if hidden is None and seen_from_side(face.points):
            notes.append(f"face {number} is seen from the side: only --mask restores it")
        if face.coverage > MOSTLY_INVENTED:
            notes.append(
                f"face {number} is {face.coverage:.0%} hidden: most of it is invented, with low "
                f"confidence ({face.confidence:.2f})"
            )
    if hidden is not None:
        outside = int((np.asarray(hidden) & ~result.invented).sum())
        if outside:
            notes.append(
                f"{outside} pixels of the mask lie in none of the faces restored: left as they are"
            )
    return notes


def _faces(count: int) -> str:
    return "1 face" if count == 1 else f"{count} faces"


def _to_json(path: Path, targets: list[Path], result: Restoration) -> str:
    import json

    named = str(targets[0]) if len(targets) == 1 else [str(target) for target in targets]
    return json.dumps(
        {
            "input": str(path),
            "output": named,
            "model": result.model,
            "invented": round(float(result.invented.mean()), 6),
            "faces": [_describe(face) for face in result.faces],
        }
    )


def _describe(face: Face) -> dict[str, object]:
    return {
        "box": [round(v, 1) for v in face.box],
        "points": face.points.astype(float).round(1).tolist(),
        "score": round(face.score, 4),
        "coverage": round(face.coverage, 6),
        "confidence": round(face.confidence, 4),
    }
