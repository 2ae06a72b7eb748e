"""A hash of the code that kept results depend on: modules, and all of ours that they import."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import unveil

PACKAGE = Path(unveil.__file__).parent
# Read off the text: to parse fifty files takes a second, and this takes a twentieth of it.
IMPORT = re.compile(r"^ *(?:from (unveil[\w.]*) import (\([^)]*\)|.+)|import (unveil[\w.]+))", re.M)
FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:(?: +.*)?\n)+", re.M)


@cache
def code_sha256(*modules: str) -> str:
    """Over the source of modules ("unveil.imaging") and of what they import of ours, at the top or
    within a function.

    What is imported for annotations alone does not count, nor does `unveil/__init__.py`, which only
    hands out what others define. Nothing is imported here: some of it would load torch.
    """
    digest = hashlib.sha256()
    for path in sources(*modules):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def sources(*modules: str) -> list[Path]:
    """The files of these modules and of all that they import of ours, sorted."""
    found: dict[str, Path | None] = {}
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = path = _file(name)
            todo += _imported(path.read_text(encoding="utf-8")) if path else ()
    return sorted({path for path in found.values() if path})


def _file(name: str) -> Path | None:
    """A module's file; None for the package itself, and for a name that is no module."""
    _, *parts = name.split(".")
    place = PACKAGE.joinpath(*parts)
    files = (place.with_suffix(".py"), place / "__init__.py") if parts else ()
    return next((file for file in files if file.is_file()), None)


def _imported(source: str) -> Iterator[str]:
    """The names that may be modules of ours among those that a source imports."""
    for origin, names, module in IMPORT.findall(FOR_TYPES.sub("", source)):
        yield module or origin
        yield from (f"{origin}.{name}" for name in re.findall(r"\w+", names))
