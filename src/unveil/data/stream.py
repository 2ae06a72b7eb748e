"""Aligned faces read from tars as they are needed, for data that no cache holds.

A tar is local or behind any URL that fsspec knows (https://, s3://, gs://, ...). Its members are
listed once; after that a run of neighbouring faces is one read, ahead of its use, in threads.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
from numpy.typing import NDArray

from unveil.data.faces import FaceSet, cache_folder, digest_of
from unveil.data.sources import to_face
from unveil.data.tars import scan_tar
from unveil.errors import DataError, ImageError
from unveil.files import atomic_path, read_image
from unveil.imaging import FACE_SIZE, Photo
from unveil.progress import track

# Faces that are read at once: with JPEGs of 8 kB a megabyte, which object stores like.
RUN = 128
# A stream shuffles so many runs together; see `training.order`.
WINDOW_RUNS = 4
READERS = 8  # threads; they wait most of the time


def run_length(faces: int, streams: int) -> int:
    """Faces of a run: fewer where there are few, so that runs can still be mixed."""
    return max(1, min(RUN, faces // (16 * max(1, streams))))


@dataclass(frozen=True)
class Tar:
    """The images of one tar.

    Attributes:
        place: its URL or path.
        names: of the members, in the order in which they lie.
        offsets, lengths: (N,) int64, bytes.
    """

    place: str
    names: tuple[str, ...]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def read(self, start: int, stop: int) -> list[bytes]:
        """The files of members start..stop-1, by one read."""
        if start == stop:
            return []
        first, last = int(self.offsets[start]), int(self.offsets[stop - 1] + self.lengths[stop - 1])
        try:
            files, path = fsspec.core.url_to_fs(self.place)
            data = files.cat_file(path, start=first, end=last)
        except Exception as error:  # each kind of file system has errors of its own
            raise DataError(f"{self.place}: cannot be read: {error}") from error
        spans = zip(self.offsets[start:stop] - first, self.lengths[start:stop], strict=True)
        return [data[offset : offset + length] for offset, length in spans]


class FaceStream:
    """Faces numbered over all tars; a few runs of them are in memory."""

    def __init__(self, tars: Sequence[Tar], size: int, streams: int) -> None:
        """Args: the tars; side of the faces in pixels; `TrainConfig.stream`."""
        self.tars, self.size = tuple(tars), size
        self._starts = np.cumsum([0, *(len(tar.names) for tar in tars)])
        self._run = run_length(len(self), streams)
        # What the streams have in hand, what they have next, and runs that lie in two of them.
        self._keep = streams * 3 * WINDOW_RUNS
        self._runs: OrderedDict[int, Future[list[bytes]]] = OrderedDict()
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="faces")

    def __len__(self) -> int:
        return int(self._starts[-1])

    def expect(self, indices: Sequence[int]) -> None:
        """Begin to read these faces."""
        for index in indices:
            self._files_of(index // self._run)

    def face(self, index: int) -> Photo:
        """One face, (size, size, 3) uint8 RGB.

        Raises:
            DataError: it cannot be read or decoded; names it.
        """
        data = self._files_of(index // self._run).result()[index % self._run]
        try:
            return to_face(read_image(io.BytesIO(data)).photo, self.size)
        except ImageError as error:
            tar = int(np.searchsorted(self._starts, index, "right")) - 1
            name = self.tars[tar].names[index - self._starts[tar]]
            raise DataError(f"{self.tars[tar].place}/{name}: {error}") from error

    def turn(self, index: int) -> None:
        """Unknown: nobody has looked at these faces before."""

    def digest(self) -> str:
        """Of all their names in order, whatever the tars are called."""
        return digest_of(name for tar in self.tars for name in tar.names)

    def first(self, n: int) -> FaceSet:
        """The first n faces, in memory."""
        numbers = range(min(n, len(self)))
        faces = np.stack([self.face(i) for i in numbers])
        return FaceSet(tuple(str(i) for i in numbers), faces)

    def _files_of(self, run: int) -> Future[list[bytes]]:
        if run not in self._runs:
            self._runs[run] = self._pool.submit(self._read, run)
            while len(self._runs) > self._keep:
                self._runs.popitem(last=False)
        self._runs.move_to_end(run)
        return self._runs[run]

    def _read(self, run: int) -> list[bytes]:
        start, stop = run * self._run, min((run + 1) * self._run, len(self))
        files: list[bytes] = []
        for tar, begins, ends in zip(self.tars, self._starts, self._starts[1:], strict=False):
            if begins < stop and start < ends:
                files += tar.read(max(start, begins) - begins, min(stop, ends) - begins)
        return files


def open_stream(
    sources: Sequence[str], *, size: int = FACE_SIZE, streams: int = 1, cache: Path | None = None
) -> FaceStream:
    """The faces of tars; listing them is done once and kept, for as long as they do not change.

    Args:
        sources: paths or URLs of .tar files, of folders of them, or patterns (`s3://b/train-*.tar`).
        size: side of the faces in pixels.
        streams: `TrainConfig.stream`.
        cache: folder for the lists; default `$UNVEIL_CACHE` or `~/.cache/unveil/faces`.

    Raises:
        DataError: a source is missing, damaged, or of a kind that cannot be streamed; names it.
    """
    places = [place for source in sources for place in _tars_of(source)]
    twice = {place for place in places if places.count(place) > 1}
    if twice:
        raise DataError(f"{min(twice)} is given twice")
    tars = [_listed(place, cache or cache_folder()) for place in track(places, "listing tars")]
    stream = FaceStream(tars, size, streams)
    if not len(stream):
        raise DataError(f"no images in {', '.join(map(str, sources)) or 'no sources'}")
    return stream


def _tars_of(source: str) -> list[str]:
    try:
        files, path = fsspec.core.url_to_fs(source)
        if fsspec.core.has_magic(path):
            found = sorted(files.glob(path))
        elif files.isdir(path):
            found = sorted(files.glob(f"{path.rstrip('/')}/*.tar"))
        else:
            found = [path] if files.exists(path) else []
    except Exception as error:  # a missing driver, no network, no rights: each its own kind
        raise DataError(f"{source}: cannot be read: {error}") from error
    if not found:
        raise DataError(f"{source}: no such file, or no .tar in it")
    for path in found:
        if not path.endswith(".tar"):
            raise DataError(f"{source}: only .tar files can be streamed, and {path} is none")
    return [str(files.unstrip_protocol(path)) for path in found]


def _listed(place: str, cache: Path) -> Tar:
    """The members of a tar, from the cache or by reading all their headers."""
    try:
        files, path = fsspec.core.url_to_fs(place)
        state = json.dumps(_state(files.info(path)))
    except Exception as error:  # as above
        raise DataError(f"{place}: cannot be read: {error}") from error
    key = hashlib.sha256(f"v1 {place} {state}".encode()).hexdigest()[:24]
    kept = cache / f"{key}.tar.npz"
    try:
        with np.load(kept) as arrays:
            names = json.loads(arrays["names"].tobytes().decode("ascii"))
            return Tar(place, tuple(names), arrays["offsets"], arrays["lengths"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        pass  # none, or one that was cut off
    try:
        with files.open(path, "rb") as file:
            members = scan_tar(file, place)
    except DataError:
        raise
    except Exception as error:  # as above
        raise DataError(f"{place}: cannot be read: {error}") from error
    names = tuple(name for name, _, _ in members)
    spans = np.array([span for _, *span in members], np.int64).reshape(-1, 2)
    tar = Tar(place, names, spans[:, 0], spans[:, 1])
    text = np.frombuffer(json.dumps(names).encode("ascii"), np.uint8)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with atomic_path(kept) as partial, open(partial, "wb") as target:
            np.savez(target, names=text, offsets=tar.offsets, lengths=tar.lengths)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"cannot write the list of {place} in {cache}: {reason}") from error
    return tar


def _state(info: dict[str, Any]) -> list[str]:
    """What changes when a file does, in the words of the file systems there are."""
    words = ("size", "mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "md5Hash")
    return [f"{word} {info[word]}" for word in words if word in info]
