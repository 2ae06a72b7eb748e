"""Arguments that several verbs take, said once."""

from __future__ import annotations

from typing import Annotated

import typer

Inputs = Annotated[
    list[str], typer.Argument(metavar="IN...", help="Files, folders, globs, or - for a pipe.")
]
Model = Annotated[str, typer.Option(help="A name of `unveil weights`, or FOLDER/NAME.")]
Aligned = Annotated[bool, typer.Option("--aligned", help="IN is one face in the canonical frame.")]
