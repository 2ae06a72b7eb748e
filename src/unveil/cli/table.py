"""The table of `unveil occlude`: a line for each face it wrote."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from unveil.errors import UsageError
from unveil.files import write_bytes

TABLE = "occlusions.csv"
COLUMNS = ["file", "source", "seed", "shape", "x", "y", "width", "height", "hidden", "coverage"]


def read_table(path: Path) -> dict[str, list[object]]:
    """The rows of earlier calls by their file.

    Raises:
        UsageError: another table has this name.
    """
    if not path.exists():
        return {}
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            columns, *rows = csv.reader(file)
    except (OSError, ValueError, csv.Error):
        columns, rows = [], []
    if columns != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise UsageError(f"-o: {path} is no table of `unveil occlude`: choose another folder")
    return {row[0]: list[object](row) for row in rows}


def write_table(path: Path, table: dict[str, list[object]]) -> None:
    """Write rows under the names of their columns."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(table.values())
    write_bytes(path, text.getvalue().encode("utf-8", "surrogateescape"))
