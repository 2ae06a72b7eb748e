"""unveil fit-prior"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unveil.cli.options import OUT, Split, Without, check_place, some_path
from unveil.errors import UsageError


def fit_prior(
    data: Annotated[
        list[Path],
        typer.Option(
            help="Folder, .tar or index.csv of aligned faces; give it again for more.",
            parser=some_path,
        ),
    ],
    out: Annotated[Path, typer.Option(*OUT, help="The prior's file, .npz.", parser=some_path)],
    split: Split = "",
    without: Without = None,
    size: Annotated[
        int, typer.Option(help="Side in pixels of the prior's luma, even, up to 256.")
    ] = 64,
    chroma: Annotated[
        int, typer.Option(help="Side in pixels of the prior's colour, even, up to --size.")
    ] = 16,
    components: Annotated[
        int, typer.Option(min=1, help="Number of eigenfaces; takes more faces than that.")
    ] = 300,
    turned: Annotated[
        int,
        typer.Option(
            min=0, help="Number of eigenfaces of turned heads; 0: one Gaussian for all heads."
        ),
    ] = 300,
    jitter: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Fit to misaligned copies too, off by this part of the side."
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the randomised SVD.")] = 0,
) -> None:
    """Fit the closed-form prior (eigenfaces) to aligned faces."""
    check_place(out)
    from unveil.cli.outputs import check_apart
    from unveil.data.faces import load_faces
    from unveil.data.sources import source_files
    from unveil.models.prior_fit import fit

    check_apart(
        {"-o": [out]},
        {
            "a file of --data": (file for source in data for file in source_files(source)),
            "the list of --without": [without] if without else [],
        },
    )
    if out.suffix.lower() != ".npz":
        raise UsageError(f"-o {out}: name it something.npz")
    faces = load_faces(data, split=split, turns=turned > 0, without=without)
    fit(
        faces.faces,
        size,
        chroma,
        components,
        jitter=jitter,
        turns=faces.turns,
        turned=turned,
        seed=seed,
    ).save(out)
    also = f", {turned} of turned heads" if turned else ""
    typer.echo(f"{out}: {components} eigenfaces of {size}x{size}{also} from {len(faces):,} faces")
