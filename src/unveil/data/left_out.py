"""Lists of images to leave out of the faces that something is trained on."""

from __future__ import annotations

from pathlib import Path

from unveil.errors import DataError
from unveil.names import below


def read_names(path: Path) -> frozenset[str]:
    """The names in a text file, one a line; empty lines and those that begin with # are none.

    Raises:
        DataError: it cannot be read or is no text; names it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8: {error}") from error
    names = (line.strip() for line in lines)
    return frozenset(below(name) for name in names if name and not name.startswith("#"))
