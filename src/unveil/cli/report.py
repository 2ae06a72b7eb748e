"""unveil report"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unveil.cli.chosen import check_there, load_chosen, specify_models
from unveil.cli.options import OUT, some_path
from unveil.errors import DataError, UnveilError, UsageError


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="JSON...", help="JSON files of `unveil evaluate`.", parser=some_path
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            *OUT, help="Folder for report.html, report.md and pictures/.", parser=some_path
        ),
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Faces to restore in the report: folder, .tar or index.csv.", parser=some_path
        ),
    ] = None,
    models: Annotated[
        str, typer.Option(help="Who restores them, as in `unveil evaluate`; needs --data.")
    ] = "",
    split: Annotated[
        str | None, typer.Option(help="paper_split of an index.csv; default test, '' for all.")
    ] = None,
    first: Annotated[
        int, typer.Option("--faces", min=0, help="Take only this many, the first; 0: all.")
    ] = 0,
    prior: Annotated[
        Path | None, typer.Option(help="The prior of eigenface and mean-face.", parser=some_path)
    ] = None,
    training: Annotated[
        list[Path] | None,
        typer.Option(help="CSV log of a training; give it again for more.", parser=some_path),
    ] = None,
    update: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also bring the tables of this document up to date; again for more.",
            parser=some_path,
        ),
    ] = None,
) -> None:
    """Make one page of results.

    It has tables, quality against cost, restored faces and the worst cases.
    """
    from unveil.evaluation.pages import write
    from unveil.evaluation.report import update_file
    from unveil.evaluation.report_document import Shown, compile_document

    if bool(data) != bool(models):
        raise UsageError("--data and --models go together: faces, and who restores them")
    unused = {"--split": split is not None, "--faces": first > 0, "--prior": prior is not None}
    for option in (option for option, given in unused.items() if given and not data):
        raise UsageError(f"{option} is of the faces of --data, and there is none")
    check_there("--prior", prior)
    read = [_read(path) for path in results]
    shown = None
    if data:
        specs = tuple(specify_models(models, prior))
        faces, _ = load_chosen(data, split, first)
        shown = Shown(faces, specs)
    document = compile_document(read, shown, training or ())
    for path in write(document, out):
        typer.echo(path)
    for path in update or ():
        changed = update_file(path, read)
        typer.echo(f"{path}: {', '.join(changed)}")


def _read(path: Path) -> dict[str, Any]:
    """Results from which all that belongs to them can be made."""
    from unveil.evaluation.report import read_results
    from unveil.evaluation.report_document import compile_document

    results = read_results(path)
    try:
        compile_document([results])
    except UnveilError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration) as error:
        why = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}: parts of the results are missing or damaged ({why})") from None
    return results
