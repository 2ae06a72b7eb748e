"""unveil bench"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unveil.cli.options import OUT, check_place, some_path


def bench(
    repeats: Annotated[int, typer.Option(min=1, help="Measurements of each kind.")] = 10,
    output: Annotated[
        Path | None, typer.Option(*OUT, help="Also write the results as JSON.", parser=some_path)
    ] = None,
) -> None:
    """Measure time and memory of a restoration on this machine."""
    import json

    from unveil.bench import REFERENCE, run
    from unveil.files import write_bytes

    if output:
        check_place(output)

    result = run(repeats)
    s, m = result.shell_seconds, result.peak_megabytes
    typer.echo("median (minimum to maximum)")
    typer.echo(f"restore from the shell  {s.median:.2f} s ({s.minimum:.2f} to {s.maximum:.2f})")
    typer.echo(f"resident memory         {m.median:.0f} MB ({m.minimum:.0f} to {m.maximum:.0f})")
    for name, t in result.model_milliseconds.items():
        model, what, threads = name.split("/")
        label = f"{model} {what}, {threads} thread{'s' if threads != '1' else ''}"
        typer.echo(f"{label:29}  {t.median:.1f} ms ({t.minimum:.1f} to {t.maximum:.1f})")
    for name, share in result.relative.items():
        model, threads = name.split("/")
        typer.echo(f"{model} takes {share:.2f} of {REFERENCE}'s time, threads: {threads}")
    if output:
        write_bytes(output, (json.dumps(result.to_dict(), indent=2) + "\n").encode())
