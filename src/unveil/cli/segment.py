"""unveil segment"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unveil.cli.options import Aligned, Inputs, Model


def segment(
    inputs: Inputs,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="A file, a folder for several inputs, or -. Default: NAME.mask.png beside IN.",
        ),
    ] = None,
    model: Model = "paper",
    aligned: Aligned = False,
) -> None:
    """Find what hides a face: a black and white mask, white = hidden, of the input's size.

    It is the mask that `unveil restore` would use; edit it and give it back with --mask.
    """
    from unveil.cli import images
    from unveil.cli.inputs import expand, for_each, report
    from unveil.progress import track
    from unveil.restorer import Restorer

    paths = expand(inputs)
    images.check_output(paths, output)
    targets = [images.output_for(p, output, len(paths) > 1, ".mask.png") for p in paths]
    images.check_names(paths, targets)
    restorer = Restorer(model)
    target_of = dict(zip(paths, targets, strict=True))

    def one(path: Path) -> None:
        hidden = restorer.find(images.read(path).photo, aligned)
        images.write(target_of[path], hidden.astype("uint8") * 255)

    raise typer.Exit(report(for_each(track(paths, "segmenting"), one), len(paths)))
