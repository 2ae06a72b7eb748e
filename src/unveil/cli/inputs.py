"""IN...: files, folders, globs and `-`, the same for every verb."""

from __future__ import annotations

import glob
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from unveil.errors import UnveilError, UsageError

STDIN = Path("-")
IMAGE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"])


def expand(arguments: Iterable[str]) -> list[Path]:
    """The input files, in order, each once; `-` stays as it is.

    A file is taken whatever its name (a bad one is reported when it is read); from a folder and a
    glob, only images.

    Raises:
        UsageError: a glob or folder holds no image.
    """
    found: dict[Path, None] = {}
    for argument in arguments:
        path = Path(argument)
        if argument == "-" or path.is_file():
            found[path] = None
            continue
        if path.is_dir():
            matches = sorted(p for p in path.rglob("*") if _is_image(p))
        elif glob.has_magic(argument):
            matches = sorted(
                p for p in map(Path, glob.glob(argument, recursive=True)) if _is_image(p)
            )
        else:
            matches = [path]  # does not exist: an input that fails, not a wrong call
        if not matches:
            raise UsageError(f"{argument}: no images")
        found.update(dict.fromkeys(matches))
    return list(found)


def _is_image(path: Path) -> bool:
    # Our own results must not be restored again when a folder is done a second time.
    return (
        path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES and ".restored." not in path.name
    )


@dataclass(frozen=True)
class Failure:
    """An input that could not be done, and why."""

    path: Path
    reason: str


def for_each(paths: Iterable[Path], do: Callable[[Path], None]) -> list[Failure]:
    """Do every input, good ones too when others fail; the failures in order."""
    failures = []
    for path in paths:
        try:
            do(path)
        except UsageError:
            raise
        except UnveilError as error:
            failures.append(Failure(path, str(error)))
    return failures


def report(failures: list[Failure], total: int) -> int:
    """List the failures last, on standard error; the exit status, 0 or 1."""
    for failure in failures:
        prefix = f"{failure.path}: "
        print(f"unveil: {prefix}{failure.reason.removeprefix(prefix)}", file=sys.stderr)
    if failures and total > 1:
        print(f"unveil: {len(failures)} of {total} failed", file=sys.stderr)
    return 1 if failures else 0
