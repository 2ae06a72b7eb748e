"""unveil restore"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unveil.cli.options import Aligned, Inputs, Model
from unveil.errors import UsageError

if TYPE_CHECKING:
    from unveil.types import Restoration


def restore(
    inputs: Inputs,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="A file, a folder for several inputs, or -. Default: NAME.restored.png beside IN.",
        ),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="What is hidden, white or 1; default: found by the model.")
    ] = None,
    model: Model = "paper",
    aligned: Aligned = False,
    invented: Annotated[
        Path | None, typer.Option(help="Also write the mask of invented pixels here.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each input.")
    ] = False,
) -> None:
    """Restore the hidden part of faces. It is invented: not for identification.

    Every known pixel stays as it is. Exit status 1 if an input failed; the others are done.
    """
    from unveil.cli import images
    from unveil.cli.inputs import STDIN, expand, for_each, report
    from unveil.files import image_format
    from unveil.progress import track
    from unveil.restorer import Restorer

    paths = expand(inputs)
    images.check_output(paths, output)
    if invented is not None:
        if len(paths) > 1:
            raise UsageError("--invented FILE goes with one input")
        image_format(invented)
    targets = [images.output_for(p, output, len(paths) > 1, ".restored.png") for p in paths]
    images.check_names(paths, targets)
    if as_json and STDIN in targets:
        raise UsageError("--json and the image would both go to standard output: give -o FILE")
    restorer = Restorer(model)
    hidden = images.read_mask(mask) if mask else None
    target_of = dict(zip(paths, targets, strict=True))

    def one(path: Path) -> None:
        source = images.read(path)
        result = restorer.restore(source.photo, hidden, aligned)
        images.write(target_of[path], result.photo, source)
        if invented:
            images.write(invented, result.invented.astype("uint8") * 255)
        if not result.invented.any():
            print(f"unveil: {path}: nothing is hidden, left as it is", file=sys.stderr)
        if as_json:
            typer.echo(_to_json(path, target_of[path], result))

    raise typer.Exit(report(for_each(track(paths, "restoring"), one), len(paths)))


def _to_json(path: Path, target: Path, result: Restoration) -> str:
    import json

    return json.dumps(
        {
            "input": str(path),
            "output": str(target),
            "model": result.model,
            "invented": round(float(result.invented.mean()), 6),
            "faces": [
                {
                    "box": [round(v, 1) for v in face.box],
                    "points": face.points.astype(float).round(1).tolist(),
                    "score": round(face.score, 4),
                    "coverage": round(face.coverage, 6),
                }
                for face in result.faces
            ],
        }
    )
