"""The command line: a file a verb, each a plain function; heavy imports wait inside the verbs."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from unveil import __version__
from unveil.cli import (
    bench,
    evaluate,
    export,
    fit_prior,
    occlude,
    report,
    restore,
    segment,
    serve,
    train,
    video,
    weights,
)
from unveil.cli.inputs import INTERRUPTED
from unveil.endings import endings
from unveil.errors import UnveilError, UsageError

# What the default install leaves out, and the extra that brings it.
EXTRAS = {
    "av": "video",
    "fastapi": "server",
    "fsspec": "cluster",
    "lightning_fabric": "train",
    "lightning_utilities": "train",
    "matplotlib": "evaluate",
    "onnx": "train",
    "prometheus_client": "server",
    "pyarrow": "cluster",
    "pydantic": "server",
    "python_multipart": "server",
    "ray": "cluster",
    "scipy": "evaluate",
    "skimage": "evaluate",
    "starlette": "server",
    "tensorboard": "train",
    "torch": "train",
    "uvicorn": "server",
}

# Verbs that work on many faces, whose systems of 300 equations are too small to be shared out:
# OpenBLAS's threads wait for each other by spinning, which took 40 % of both cores' time. It reads
# the variable when numpy is first imported, which is inside the verbs.
ONE_BLAS_THREAD = ("restore", "segment", "video", "serve")

# Verbs that write into a temporary file first, or have processes of their own; `serve` has its own
# way to end, and so has `train` once its faces are read.
WRITERS = (
    "restore",
    "segment",
    "video",
    "occlude",
    "evaluate",
    "report",
    "train",
    "fit-prior",
    "export",
    "bench",
)

app = typer.Typer(
    name="unveil",
    help="Restore the part of a face that something hides.\n\n"
    "The hidden part is invented: not for identification.\n\n"
    "Exit status: 0: done; 1: an input failed; 2: a wrong call; 130: stopped by Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(restore.restore)
app.command()(segment.segment)
app.command()(video.video)
app.command()(occlude.occlude)
app.command()(serve.serve)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(report.report)
app.command()(fit_prior.fit_prior)
app.command()(export.export)
app.command()(bench.bench)
app.add_typer(weights.app, name="weights")


def _version(show: bool) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand in ONE_BLAS_THREAD:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if context.invoked_subcommand in WRITERS:
        for number in endings():
            signal.signal(number, _terminated)


def _terminated(number: int, frame: FrameType | None) -> None:
    # As an exception, so that partial files are taken away.
    sys.exit(128 + number)


def main() -> None:
    """Run a verb; our errors become one line on standard error, exit 1, or 2 for a wrong call."""
    try:
        app()
    except UsageError as error:
        _fail(str(error), 2)
    except UnveilError as error:
        _fail(str(error), 1)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in EXTRAS:
            raise
        extra = EXTRAS[package]
        _fail(f"this needs more packages: pip install 'unveil[{extra}]'", 1)
    except KeyboardInterrupt:
        _fail("stopped", INTERRUPTED)
    except SystemExit as end:
        # Typer makes one of Ctrl-C and says nothing; verbs that have told it raise their own.
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):
            _fail("stopped", INTERRUPTED)
        raise
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; there is nobody left to tell.
        _drop_output()
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            _drop_output()
        place = error.filename or "standard output"
        _fail(f"{place}: cannot be read or written: {error.strerror or error}", 1)


def _drop_output() -> None:
    """Have Python's own flush at the end write to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, status: int) -> None:
    print(f"unveil: {message}", file=sys.stderr)
    sys.exit(status)
