"""Where photos lie and results go: folders and Parquet data sets, local or behind a URL.

A place is a path or a URL that fsspec knows (s3://, gs://, https://, ...). One whose name ends in
.parquet is a data set: a file or a folder of files, with a column of names (`name` or `path`) and a
column of image files (`bytes`). Everything else is a folder.
"""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.dataset as arrow_dataset
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from unveil.errors import ClusterError, DataError, ImageError, UsageError
from unveil.files import write_bytes
from unveil.names import is_input, is_ours

NAME_COLUMNS = ("name", "path")
BYTES_COLUMN = "bytes"


@dataclass(frozen=True)
class Place:
    """A folder or a data set; cheap to send to a worker, which connects by itself."""

    url: str

    @property
    def parquet(self) -> bool:
        """It is a data set."""
        return self.url.rstrip("/").endswith(".parquet")

    @cached_property
    def _connection(self) -> tuple[Any, str]:
        try:
            files, path = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:  # a driver is missing, or the URL is none
            raise DataError(f"{self.url}: {error}") from None
        return files, path.rstrip("/")

    @property
    def files(self) -> Any:
        """Its fsspec file system."""
        return self._connection[0]

    @property
    def path(self) -> str:
        """Where it is in that."""
        return self._connection[1]

    @property
    def address(self) -> str:
        """Where it is for everybody: the same for two paths of one place, without a password."""
        if isinstance(self.files, LocalFileSystem):
            return f"file://{os.path.realpath(self.path)}"
        return re.sub("//[^/@]*@", "//", self.url).partition("?")[0].rstrip("/")

    def beside(self, suffix: str) -> Place:
        """A place of the same name with another suffix in place of its own."""
        return Place(self.url.rstrip("/").removesuffix(".parquet") + suffix)

    def inside(self, name: str) -> Place:
        """A place in this folder."""
        return Place(f"{self.url.rstrip('/')}/{name}")

    def is_file(self) -> bool:
        """It is a file on this machine, and no folder; elsewhere a name can be both."""
        return isinstance(self.files, LocalFileSystem) and os.path.isfile(self.path)

    def inputs(self) -> list[str]:
        """The names of its photos, in order; results of ours are none.

        Raises:
            DataError: it is missing on this machine, or cannot be read, or its names are no text.
            UsageError: it is a file of another kind, or holds none.
        """
        if isinstance(self.files, LocalFileSystem) and not os.path.exists(self.path):
            raise DataError(f"{self.url}: no such file")
        if self.is_file() and not self.parquet:
            raise UsageError(f"{self.url}: a file: --engine ray takes folders and .parquet")
        if self.parquet:
            rows = chain.from_iterable(self._names_of_rows().values())
            names = [name for name in rows if not is_ours(PurePath(name))]
        else:
            names = [name for name in self.listed() if is_input(PurePath(name))]
        if not names:
            raise UsageError(f"{self.url}: no images")
        return sorted(names)

    def listed(self) -> list[str]:
        """The files in a folder and the folders in it, relative to it; none if it is missing."""
        try:
            found = self.files.find(self.path)
        except Exception as error:  # each kind of file system has errors of its own
            raise DataError(f"{self.url}: cannot be read: {error}") from error
        names = (path.removeprefix(self.path).lstrip("/") for path in found)
        return [name for name in names if name]

    def names_by_file(self) -> dict[str, list[str]]:
        """The names in each file of a data set; none if it is missing.

        Raises:
            DataError: it cannot be read, or its names are no text.
        """
        self.files.invalidate_cache(self.path)  # others write there, too
        return self._names_of_rows() if self.listed() else {}

    def _names_of_rows(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        try:
            data = arrow_dataset.dataset(self.path, filesystem=self.files, format="parquet")
            if not data.files:  # but hidden ones, as a killed command leaves them
                return {}
            if unread := [file for file in data.files if not file.lower().endswith(".parquet")]:
                # Ray would leave it out without a word.
                raise DataError(f"{self.url}: name {PurePath(unread[0]).name} something.parquet")
            column = self.name_column(data.schema.names)
            for part in data.scanner(columns=[column]).scan_batches():
                file = part.fragment.path.removeprefix(self.path).lstrip("/")
                found.setdefault(file, []).extend(part.record_batch[column].to_pylist())
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{self.url}: cannot be read: {error}") from error
        for names in found.values():
            if None in names:
                raise DataError(f"{self.url}: a row has no {column}")
            if not all(isinstance(name, str) for name in names):
                kind = data.schema.field(column).type
                raise DataError(f"{self.url}: the column {column} must hold text; it holds {kind}")
            wrong = [name for name in names if not PurePath(name).name]
            if wrong:
                raise DataError(
                    f"{self.url}: {wrong[0]!r} in the column {column} is no file's name"
                )
        return found

    def written(self, file: str) -> datetime | None:
        """When a file in it was written; None where its file system does not tell.

        Raises:
            DataError: it cannot be read.
        """
        try:
            time: datetime = self.files.modified(f"{self.path}/{file}")
        except NotImplementedError:
            return None
        except Exception as error:  # as above
            raise DataError(f"{self.url}/{file}: cannot be read: {error}") from error
        return time

    def name_column(self, columns: list[str]) -> str:
        """Which of its columns holds the names.

        Raises:
            DataError: none does, or there is no column of bytes.
        """
        found = [column for column in NAME_COLUMNS if column in columns]
        if not found or BYTES_COLUMN not in columns:
            raise DataError(
                f"{self.url}: needs the columns {' or '.join(NAME_COLUMNS)}, and {BYTES_COLUMN}; "
                f"it has {', '.join(columns)}"
            )
        return found[0]

    def read(self, name: str) -> bytes:
        """A file of a folder.

        Raises:
            ImageError: it cannot be read.
        """
        try:
            data: bytes = self.files.cat_file(f"{self.path}/{name}")
        except FileNotFoundError:
            raise ImageError("no such file") from None
        except Exception as error:  # as above
            raise ImageError(f"cannot be read: {_first_line(error)}") from None
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a file of a folder, at once or not at all.

        Raises:
            ImageError: it cannot be written.
        """
        target = f"{self.path}/{name}" if name else self.path
        if isinstance(self.files, LocalFileSystem):
            try:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ImageError(f"{target}: cannot be written: {error.strerror}") from None
            write_bytes(Path(target), data)
            return
        try:
            self.files.pipe_file(target, data)  # object stores show whole objects only
        except Exception as error:  # as above
            raise ImageError(f"{target}: cannot be written: {_first_line(error)}") from None

    def read_table(self) -> pa.Table | None:
        """The table of a Parquet file; None if there is no such file.

        Raises:
            DataError: it is damaged.
        """
        try:
            return pq.read_table(io.BytesIO(self.files.cat_file(self.path)))
        except FileNotFoundError:
            return None
        except Exception as error:  # as above, and Arrow's
            raise DataError(f"{self.url}: damaged, or cannot be read: {error}") from error

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a Parquet file of a folder; as `write`.

        Raises:
            ClusterError: it cannot be written.
        """
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        try:
            self.write(name, buffer.getvalue())
        except ImageError as error:
            raise ClusterError(str(error)) from None

    def remove(self) -> None:
        """Delete it with all that is in it, if it is there.

        Raises:
            ClusterError: it cannot be deleted.
        """
        try:
            if self.files.exists(self.path):
                self.files.rm(self.path, recursive=True)
        except Exception as error:  # as above
            reason = _first_line(error)
            raise ClusterError(f"{self.url}: cannot be deleted: {reason}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
