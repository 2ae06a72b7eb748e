"""One worker: a warm session that restores block after block of photos.

The same steps as `unveil restore` on one machine, with the faces of several photos in a batch.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, Protocol, TypeVar

import cv2
import pyarrow as pa

from unveil.cluster.doubles import file_name
from unveil.cluster.manifest import Row, row_of
from unveil.cluster.places import BYTES_COLUMN, Place
from unveil.errors import ImageError, UnveilError
from unveil.files import NO_IMAGE, ImageFile, read_image
from unveil.names import is_readable, leads_out, restored_name
from unveil.output import restored_file
from unveil.restorer import Restorer
from unveil.types import Restoration

T = TypeVar("T")

# Photos whose faces go through the networks together, and the pixels that they may have in all: a
# worker holds each of them a few times. A core takes a tenth longer for 8 at a time than for 2,
# whose maps stay in its cache.
CPU_BATCH, GPU_BATCH, BATCH_PIXELS = 2, 8, 24_000_000
READERS = 4  # threads that wait for the place where the photos lie
# A photo during which this many workers died is left out.
MOST_TRIES = 2


@dataclass(frozen=True)
class Recipe:
    """How photos are restored; the arguments of `Restorer` and `restore`.

    Attributes:
        model, aligned, faces, min_face, detail: as in `unveil restore`.
        disclose: say in each file that a part is invented.
    """

    model: str
    aligned: bool
    faces: int | None
    min_face: int | None
    detail: float
    disclose: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the manifest."""
        return asdict(self)


class Book(Protocol):
    """What a worker asks of the ledger, wherever that lives."""

    def begin(self, names: Sequence[str]) -> tuple[list[str], bool]: ...

    def try_alone(self, name: str) -> int: ...

    def add(self, rows: Sequence[Row]) -> None: ...


@dataclass(frozen=True)
class _Opened:
    """A photo that is read; `source` is None where it could not be, `error` says why."""

    name: str
    data: bytes = b""
    source: ImageFile | None = None
    error: str | None = None
    seconds: float = 0.0


class Worker:
    """Restores the photos of a block and writes them; gives back how many are done."""

    def __init__(
        self,
        recipe: Recipe,
        source: Place,
        target: Place,
        book: Book,
        threads: int = 1,
        device: str = "cpu",
    ) -> None:
        """Args: how; from where; to where; who keeps account; threads that decode and encode."""
        cv2.setNumThreads(1)  # the workers share the machine
        self.recipe, self.source, self.target, self.book = recipe, source, target, book
        self.batch = CPU_BATCH if device == "cpu" else GPU_BATCH
        self.restorer = Restorer(recipe.model, 1, recipe.min_face, device)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._coders = ThreadPoolExecutor(threads, thread_name_prefix="code")

    def __call__(self, block: pa.Table) -> pa.Table:
        """A block with the column `name` and, from a data set, `bytes`."""
        names: list[str] = block["name"].to_pylist()
        given: dict[str, Any] = {}
        if BYTES_COLUMN in block.schema.names:
            given = dict(zip(names, block[BYTES_COLUMN], strict=True))
        todo, again = self.book.begin(names)

        def read(name: str) -> bytes:
            return given[name].as_py() or b"" if given else self.source.read(name)

        files = {name: self._readers.submit(read, name) for name in todo}
        out = _Files(self) if self.target.parquet else _Folder(self)
        size = 1 if again else self.batch
        for start in range(0, len(todo), size):
            part = todo[start : start + size]
            if again:
                tries = self.book.try_alone(part[0])
                if tries >= MOST_TRIES:
                    error = f"{tries} workers died while they had this photo in hand"
                    self.book.add([row_of(part[0], error=error)])
                    continue
            opened = list(self._coders.map(lambda name: _open(name, files.pop(name)), part))
            for batch in _batches(opened):
                list(self._coders.map(out.put, *zip(*self._restored(batch), strict=True)))
        out.close()
        return pa.table({"done": [len(names)]})

    def _restored(
        self, batch: Sequence[_Opened]
    ) -> list[tuple[_Opened, Restoration | None, float]]:
        """Each photo's restoration, or an error in its place, and its share of the time."""
        started = time.perf_counter()
        whole = [one for one in batch if one.source is not None]
        results = _tried(lambda: self._restore(whole))
        if isinstance(results, str) and len(whole) > 1:
            # One of them cannot be done: find out which.
            return [each for one in batch for each in self._restored([one])]
        share = (time.perf_counter() - started) / max(1, len(whole))
        if isinstance(results, str):
            return [
                (_failed(one, one.error or results), None, share if one.source else 0.0)
                for one in batch
            ]
        found = dict(zip((one.name for one in whole), results, strict=True))
        return [(one, found.get(one.name), share if one.source else 0.0) for one in batch]

    def _restore(self, photos: Sequence[_Opened]) -> tuple[Restoration, ...]:
        recipe = self.recipe
        return self.restorer.restore_many(
            [one.source.photo for one in photos if one.source is not None],
            aligned=recipe.aligned,
            faces=recipe.faces,
            detail=recipe.detail,
        )

    def result(
        self, opened: _Opened, restoration: Restoration | None, share: float
    ) -> tuple[bytes | None, Row]:
        """The file to write, if any, and the row."""
        started = time.perf_counter()
        if restoration is None or opened.source is None:
            return None, row_of(opened.name, seconds=opened.seconds + share, error=opened.error)
        row = _described(opened.name, restoration)
        data: bytes | str | None = None
        if restoration.faces:
            source, disclose = opened.source, self.recipe.disclose
            data = _tried(
                lambda: restored_file(restoration, "PNG", source, opened.data, disclose=disclose)
            )
        if isinstance(data, str):
            data, row = None, row | {"error": data}
        row["seconds"] = opened.seconds + share + time.perf_counter() - started
        return data, row


class _Folder:
    """Writes each result as it comes; its row follows when the file is there."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self._writing = worker, list[Future[None]]()

    def put(self, opened: _Opened, restoration: Restoration | None, share: float) -> None:
        data, row = self.worker.result(opened, restoration, share)
        self._writing.append(self.worker._readers.submit(self._write, data, row))

    def _write(self, data: bytes | None, row: Row) -> None:
        if data is not None:
            name = restored_name(row["input"])
            try:
                if leads_out(name):
                    raise ImageError("its name leads out of the output folder")
                self.worker.target.write(name, data)
                row["output"] = name
            except ImageError as error:
                row["error"] = str(error)
        self.worker.book.add([row])

    def close(self) -> None:
        for each in self._writing:
            each.result()


class _Files:
    """Collects a block's results into one file of the data set; their rows follow it."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self._results = worker, list[tuple[bytes | None, Row]]()

    def put(self, opened: _Opened, restoration: Restoration | None, share: float) -> None:
        self._results.append(self.worker.result(opened, restoration, share))

    def close(self) -> None:
        written = [(data, row) for data, row in self._results if data is not None]
        names = [restored_name(row["input"]) for _, row in written]
        if written:
            table = pa.table({"name": names, "bytes": [data for data, _ in written]})
            self.worker.target.write_table(file_name(names), table)
            for (_, row), name in zip(written, names, strict=True):
                row["output"] = name
        self.worker.book.add([row for _, row in self._results])


def _open(name: str, file: Future[bytes]) -> _Opened:
    try:
        data = file.result()
    except UnveilError as error:
        return _Opened(name, error=str(error))
    if not is_readable(PurePath(name)):
        return _Opened(name, error=NO_IMAGE)  # whatever is in it: its result may be another's
    started = time.perf_counter()
    source = _tried(lambda: read_image(io.BytesIO(data)))
    seconds = time.perf_counter() - started
    if isinstance(source, str):
        return _Opened(name, error=source, seconds=seconds)
    return _Opened(name, data, source, seconds=seconds)


def _tried(do: Callable[[], T]) -> T | str:
    """What `do` gives, or why it cannot: no photo may stop a job, whatever is wrong with it."""
    try:
        return do()
    except UnveilError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _failed(opened: _Opened, error: str) -> _Opened:
    return _Opened(opened.name, error=error, seconds=opened.seconds)


def _batches(opened: Sequence[_Opened]) -> Iterator[list[_Opened]]:
    """Photos in order, in batches that fit into memory."""
    batch: list[_Opened] = []
    pixels = 0
    for one in opened:
        size = 0 if one.source is None else one.source.photo[..., 0].size
        if batch and pixels + size > BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
        batch.append(one)
        pixels += size
    if batch:
        yield batch


def _described(name: str, result: Restoration) -> Row:
    hidden = [face for face in result.faces if face.coverage > 0]
    return row_of(name) | {
        "faces": len(result.faces),
        "coverage": max((face.coverage for face in result.faces), default=None),
        "confidence": min((face.confidence for face in hidden), default=None),
        "invented": float(result.invented.mean()),
    }
