"""unveil restore"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unveil.errors import ImageError, UsageError

if TYPE_CHECKING:
    from unveil.types import Restoration


def restore(
    inputs: Annotated[
        list[str], typer.Argument(metavar="IN...", help="Files, folders, globs, or - for a pipe.")
    ],
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
    model: Annotated[str, typer.Option(help="A name of `unveil weights`.")] = "paper",
    aligned: Annotated[
        bool, typer.Option("--aligned", help="IN is one face in the canonical frame.")
    ] = False,
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
    from unveil.cli.inputs import STDIN, expand, for_each, report
    from unveil.progress import track
    from unveil.restorer import Restorer

    paths = expand(inputs)
    _check_call(paths, output, mask, invented, as_json)
    folder = output if output is not None and (output.is_dir() or len(paths) > 1) else None
    restorer = Restorer(model)

    def one(path: Path) -> None:
        target = STDIN if path == STDIN and output is None else output
        if folder is not None or target is None:
            target = (folder or path.parent) / f"{path.stem}.restored.png"
        if as_json and target == STDIN:
            raise UsageError("--json and the image would both go to standard output: give -o FILE")
        photo = _read(path)
        hidden = _read_mask(mask) if mask else None
        result = restorer.restore(photo.photo, hidden, aligned)
        _write(target, result.photo, photo.alpha, photo.info)
        if invented:
            _write(invented, result.invented.astype("uint8") * 255, None, {})
        if not result.invented.any():
            print(f"unveil: {path}: nothing is hidden, left as it is", file=sys.stderr)
        if as_json:
            typer.echo(_to_json(path, target, result))

    raise typer.Exit(report(for_each(track(paths, "restoring"), one), len(paths)))


def _check_call(
    paths: list[Path], output: Path | None, mask: Path | None, invented: Path | None, as_json: bool
) -> None:
    """Refuse contradictions before anything is done."""
    from unveil.files import image_format

    many = len(paths) > 1
    if many and invented:
        raise UsageError("--invented FILE goes with one input")
    if many and output is not None and not output.is_dir():
        raise UsageError(f"-o {output}: several inputs need an existing folder")
    if output is not None and not output.is_dir():
        if output in paths and str(output) != "-":
            raise UsageError(f"-o {output} is the input itself: choose another name")
        if output.exists() and any(p.exists() and p.samefile(output) for p in paths):
            raise UsageError(f"-o {output} is the input itself: choose another name")
        if str(output) != "-":
            image_format(output)
    if invented is not None:
        image_format(invented)


def _read(path: Path) -> Any:
    import io

    from unveil.files import read_image

    if str(path) != "-":
        return read_image(path)
    return read_image(io.BytesIO(sys.stdin.buffer.read()))


def _read_mask(path: Path) -> Any:
    from unveil.files import read_image

    try:
        grey = read_image(path).photo[..., 0]
    except ImageError as error:
        raise ImageError(f"--mask {path}: {error}") from None
    # A mask saved as JPEG has greys around its edges.
    return grey > 127 if grey.max() > 1 else grey > 0


def _write(target: Path, image: Any, alpha: Any, info: dict[str, object]) -> None:
    import numpy as np

    from unveil.files import encode, image_format, write_bytes

    piped = str(target) == "-"
    kind = "PNG" if piped else image_format(target)
    if alpha is not None and kind in ("PNG", "WEBP", "TIFF"):
        image = np.dstack([image, alpha])
    data = encode(image, kind, **info)
    if piped:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_bytes(target, data)


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
                    "points": face.points.round(1).tolist(),
                    "score": round(face.score, 4),
                    "coverage": round(face.coverage, 6),
                }
                for face in result.faces
            ],
        }
    )
