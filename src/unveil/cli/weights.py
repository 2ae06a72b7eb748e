"""unveil weights"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unveil.cli.options import some_path
from unveil.errors import WeightsError
from unveil.runtime.weights import Weights

app = typer.Typer(
    help="The weights that exist, and whether they are whole.\n\nWithout a command they are listed."
)


@app.callback(invoke_without_command=True)
def weights(context: typer.Context) -> None:
    """List the weights (the default), or verify them."""
    if context.invoked_subcommand is None:
        list_()


@app.command("list")
def list_(
    folder: Annotated[
        Path | None, typer.Option(help="Another folder with a manifest.", parser=some_path)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each model.")
    ] = False,
) -> None:
    """List the weights, the default model first.

    Name, size, faces seen in training, data, licence, files and scores.
    """
    from unveil.runtime.weights import DEFAULT_MODEL, SHIPPED, list_weights

    for w in list_weights(folder or SHIPPED):
        if as_json:
            typer.echo(_as_json(w))
            continue
        size = sum(f.size for f in w.files) / 1e6
        default = " (default)" if w.name == DEFAULT_MODEL and not folder else ""
        typer.echo(f"{w.name}{default}: {size:.1f} MB, {w.faces_seen:,} faces seen in training")
        typer.echo(f"  trained on {w.training_data}; {w.licence}")
        for f in w.files:
            typer.echo(f"  {f.role:5} {f.path.name}  sha256 {f.sha256[:16]}")
        if w.scores:
            scores = ", ".join(f"{name} {value:g}" for name, value in w.scores.items())
            typer.echo(f"  {scores}")


def _as_json(weights: Weights) -> str:
    described = asdict(weights)
    for file in described["files"]:
        file["path"] = str(file["path"])
    return json.dumps(described | {"restores": weights.has("face")}, ensure_ascii=False)


@app.command()
def verify(
    folder: Annotated[
        Path | None, typer.Option(help="Another folder with a manifest.", parser=some_path)
    ] = None,
) -> None:
    """Compare every file's sha256 with the manifest's. Exit status 1 if one is damaged."""
    from unveil.runtime import detector
    from unveil.runtime.weights import SHIPPED, list_weights, read_checked

    damaged = 0
    known = list_weights(folder or SHIPPED)
    if not folder:
        known += list_weights(detector.WEIGHTS.parent)
    for w in known:
        for f in w.files:
            try:
                read_checked(f)
                typer.echo(f"{f.path.name}: whole")
            except WeightsError as error:
                damaged += 1
                typer.echo(str(error), err=True)
    if damaged:
        raise typer.Exit(1)
