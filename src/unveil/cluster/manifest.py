"""The manifest of an archive: one row for each input, in Parquet.

Rows of a job that runs are kept in parts beside it, so that a job that is killed loses the last few
seconds of its bookkeeping at most; the next one begins by putting the parts together.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from unveil.cluster.places import Place
from unveil.errors import UsageError

SCHEMA = pa.schema(
    [
        ("input", pa.string()),  # its name in the source
        ("output", pa.string()),  # its result's name in the target; null where nothing was written
        ("faces", pa.int32()),  # found
        ("coverage", pa.float32()),  # of the face of which most is hidden, 0..1
        ("confidence", pa.float32()),  # of the face that is least sure, 0..1
        ("invented", pa.float32()),  # invented pixels / all pixels of the photo
        ("seconds", pa.float32()),  # that a worker spent on it
        ("error", pa.string()),  # why it could not be done; else null
    ]
)
SETTINGS, SOURCE = b"unveil.settings", b"unveil.source"

Row = dict[str, Any]


def row_of(name: str, seconds: float = 0.0, error: str | None = None) -> Row:
    """The row of an input of which there is no result, or not yet."""
    return {"input": name, "output": None, "faces": 0, "seconds": seconds, "error": error}


@dataclass(frozen=True)
class Manifest:
    """Where the rows are.

    Attributes:
        place: the Parquet file.
        settings: those of the restoration, which all rows must share.
        source: the address of the inputs, which they must share, too: their names do not tell it.
    """

    place: Place
    settings: dict[str, Any]
    source: str = ""

    @classmethod
    def of(cls, target: Place, settings: dict[str, Any], source: str = "") -> Manifest:
        """That of a target: in a folder, or beside a data set, so that readers do not mix them."""
        if target.parquet:
            return cls(target.beside(".manifest.parquet"), settings, source)
        return cls(target.inside("manifest.parquet"), settings, source)

    @property
    def parts(self) -> Place:
        """The folder of the parts."""
        return self.place.beside(".parts")

    def table(self, rows: list[Row]) -> pa.Table:
        """Rows as a table."""
        told = {SETTINGS: json.dumps(self.settings).encode(), SOURCE: os.fsencode(self.source)}
        schema = SCHEMA.with_metadata(told)
        return pa.Table.from_pylist(rows, schema=schema)

    def write_part(self, name: str, rows: list[Row]) -> None:
        """Keep rows of a job that runs; `name` decides which row of an input is the last one."""
        self.parts.write_table(f"{name}.parquet", self.table(rows))

    def gather(self) -> pa.Table:
        """Put the parts into the manifest, the last row of each input, and read it.

        Raises:
            UsageError: it is of other settings, or of another source.
            DataError: it is damaged.
        """
        tables = [self.place.read_table()]
        parts = sorted(name for name in self.parts.listed() if name.endswith(".parquet"))
        tables += [self.parts.inside(name).read_table() for name in parts]
        found = [table for table in tables if table is not None]
        for table in found:
            self._check(table)
        if not found:
            return self.table([])
        rows = pa.concat_tables([table.cast(self.table([]).schema) for table in found])
        if parts:
            rows = _last_of_each(rows)
            self.place.write_table("", rows)
            self.parts.remove()
        return rows

    def _check(self, table: pa.Table) -> None:
        told = table.schema.metadata or {}
        source = os.fsdecode(told.get(SOURCE, b""))  # none in those of before
        if source and source != self.source:
            raise UsageError(
                f"{self.place.url} is of the results of {source}: give {self.source} another -o"
            )
        kept = json.loads(told.get(SETTINGS, b"{}"))
        differing = [k for k in self.settings if kept.get(k) != self.settings[k]]
        if differing:
            pairs = ", ".join(f"{k} {kept.get(k)}" for k in differing)
            raise UsageError(
                f"{self.place.url} is of other settings ({pairs}): give the same, or another -o"
            )


def _last_of_each(rows: pa.Table) -> pa.Table:
    numbered = rows.append_column("number", pa.array(range(len(rows)), pa.int64()))
    last = numbered.group_by("input").aggregate([("number", "max")])
    return rows.take(last["number_max"]).sort_by("input").combine_chunks()


def done(rows: pa.Table, outputs: set[str]) -> set[str]:
    """The inputs that need not be done again: without an error, and their result is still there.

    Args:
        rows: of `gather`.
        outputs: what is in the target.
    """
    finished = set()
    columns = (rows[name].to_pylist() for name in ("input", "output", "error"))
    for name, output, error in zip(*columns, strict=True):
        if error is None and (output is None or output in outputs):
            finished.add(name)
    return finished
