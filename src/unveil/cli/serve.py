"""unveil serve"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from unveil.cli.options import Model, some_path
from unveil.errors import UsageError
from unveil.runtime.weights import DEFAULT_MODEL

TOKEN_VARIABLE = "UNVEIL_TOKEN"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8000,
    model: Model = DEFAULT_MODEL,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Restorations at once; default: one for two cores, to 4."
        ),
    ] = None,
    queue: Annotated[
        int, typer.Option(min=0, metavar="N", help="Requests that may wait; past them 503.")
    ] = 16,
    timeout: Annotated[
        float,
        typer.Option(metavar="S", help="Seconds for one request, waiting included; past them 503."),
    ] = 60,
    max_megabytes: Annotated[
        float, typer.Option(metavar="MB", help="Of a request, photo or clip; past them 413.")
    ] = 32,
    max_megapixels: Annotated[
        float, typer.Option(metavar="MP", help="Of a photo, to 100; past them 413.")
    ] = 40,
    max_faces: Annotated[
        int, typer.Option(min=1, metavar="N", help="Restored in a photo or a clip, the largest.")
    ] = 30,
    clips: Annotated[
        int, typer.Option(min=0, metavar="N", help="Clips held at once; 0: none.")
    ] = 4,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A further name it is called by, again for more; * for any, as without it where "
            "--host is not this machine.",
        ),
    ] = None,
    browser_runtime: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where `npm run runtime` wrote, if elsewhere.", parser=some_path
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help=f"Ask for the token in this file; or set {TOKEN_VARIABLE}.", parser=some_path
        ),
    ] = None,
) -> None:
    """Serve the page and the API. On this machine only, unless --host says otherwise.

    No photo or result is written to disk or logged; clips lie in a private folder until a minute
    after they are fetched. Ctrl+C ends it after the photos that it has begun; clips are given up.
    """
    from unveil.runtime.onnx import usable_cores
    from unveil.server.app import Settings, create_app
    from unveil.server.guard import LOOPBACK, is_loopback
    from unveil.server.limits import HIGHEST, MOST_MEGAPIXELS, Limits
    from unveil.server.page import RUNTIME_FILES, RUNTIME_FOLDER
    from unveil.server.run import run

    named = (
        ("--timeout", timeout, HIGHEST),
        ("--max-megabytes", max_megabytes, HIGHEST),
        ("--max-megapixels", max_megapixels, MOST_MEGAPIXELS),
    )
    for option, value, most in named:
        if not 0 < value <= most:  # nor is it, where it is no number
            raise UsageError(f"{option} must be above 0 and at most {most:,} (got {value:g})")
    cores = usable_cores()
    at_once = jobs if jobs is not None else max(1, min(4, cores // 2))
    limits = Limits(
        megabytes=max_megabytes,
        megapixels=max_megapixels,
        faces=max_faces,
        seconds=timeout,
        at_once=at_once,
        queue=queue,
        clips=clips,
    )
    token = _read_token(token_file)
    local = is_loopback(host)
    # Bound to an address of the network, nobody knows by which name it will be called.
    hosts = [*LOOPBACK, host, *(allow_host or ([] if local else ["*"]))]
    runtime = browser_runtime or RUNTIME_FOLDER
    if browser_runtime and not all((runtime / name).is_file() for name in RUNTIME_FILES):
        raise UsageError(
            f"--browser-runtime {runtime} has not all of {', '.join(RUNTIME_FILES)}: "
            "`npm run runtime -- DIR` in web/ writes them"
        )
    settings = Settings(model, max(1, cores // at_once), limits, token, hosts, runtime=runtime)
    application = create_app(settings)
    if not local and token is None:
        print(
            f"unveil: anyone who reaches {host} can use this server: give it a token "
            f"({TOKEN_VARIABLE}), and HTTPS in front",
            file=sys.stderr,
        )
    if not run(application, host, port, limits):
        raise typer.Exit(1)


def _read_token(path: Path | None) -> str | None:
    """The token of --token-file or of the environment; None: none is asked for.

    Raises:
        UsageError: the file cannot be read, or what should hold a token is empty.
    """
    if path is None:
        place, token = TOKEN_VARIABLE, os.environ.get(TOKEN_VARIABLE)
        if token is None:
            return None
    else:
        place = f"--token-file {path}"
        try:
            token = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{place}: cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{place}: not a text file") from None
    if not token.strip():
        # Whoever meant to ask for one must not serve everybody.
        raise UsageError(f"{place} is empty: put a token there, or leave it out")
    return token.strip()
