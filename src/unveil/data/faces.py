"""Aligned faces from folders, tar shards and CelebA's index, through a memory-mapped cache."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import NDArray

from unveil.data.left_out import read_names
from unveil.data.sources import (
    Entry,
    decode_face,
    list_people,
    name_uniquely,
    source_files,
    to_face,
)
from unveil.errors import DataError, ImageError
from unveil.files import atomic_path
from unveil.imaging import FACE_SIZE, Photo
from unveil.progress import track

__all__ = ["FaceSet", "Faces", "load_faces", "to_face"]


class Faces(Protocol):
    """Numbered aligned faces: a `FaceSet`, or a `data.stream.FaceStream`."""

    def __len__(self) -> int: ...

    def face(self, index: int) -> Photo:
        """One face, (size, size, 3) uint8 RGB."""
        ...

    def turn(self, index: int) -> float | None:
        """How far its head is turned aside, radians (`faces.align.turn_of`); None: unknown."""
        ...

    def expect(self, indices: Sequence[int]) -> None:
        """These faces are wanted soon."""
        ...

    def digest(self) -> str:
        """Of all their names in order: the same for the same faces, wherever they lie."""
        ...


@dataclass(frozen=True)
class FaceSet:
    """Aligned faces in memory or in a mapped file.

    Attributes:
        names: one a face, unique within the set.
        faces: (N, size, size, 3) uint8 RGB.
        turns: (N,) float32, how far each head is turned aside, radians, NaN where no face was seen;
            None: nobody looked.
        people: (N,) who is on each face, one number a person; None: nobody says.
    """

    names: tuple[str, ...]
    faces: Photo
    turns: NDArray[np.float32] | None = None
    people: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def face(self, index: int) -> Photo:
        """One face, (size, size, 3) uint8 RGB."""
        face: Photo = self.faces[index]
        return face

    def turn(self, index: int) -> float | None:
        """How far its head is turned aside, radians; None: unknown."""
        if self.turns is None or np.isnan(self.turns[index]):
            return None
        return float(self.turns[index])

    def first(self, n: int) -> FaceSet:
        """The first n faces."""
        turns = None if self.turns is None else self.turns[:n]
        people = None if self.people is None else self.people[:n]
        return FaceSet(self.names[:n], self.faces[:n], turns, people)

    def expect(self, indices: Sequence[int]) -> None:
        """Nothing to do: they are all here."""

    def digest(self) -> str:
        """Of all their names in order."""
        return digest_of(self.names)


def digest_of(names: Iterable[str]) -> str:
    """A digest of names in order."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def load_faces(
    sources: Sequence[Path],
    *,
    split: str | None = None,
    size: int = FACE_SIZE,
    cache: Path | None = None,
    turns: bool = False,
    without: Path | None = None,
) -> FaceSet:
    """All faces of the sources, decoded once into a memory-mapped file and reused after.

    The cache holds for as long as no file of the sources changes its size or its time; one that
    no longer holds stays until it is deleted by hand.

    Args:
        sources: folders, tars, index.csv files, single images.
        split: keep only the rows of an index with this `paper_split`; "" or None keeps all.
        size: side of the faces in pixels.
        cache: folder of the cache; default `$UNVEIL_CACHE` or `~/.cache/unveil/faces`.
        turns: measure how far each head is turned aside, too: 10 ms a face, once.
        without: a list of images to leave out (`left_out.read_names`), by their names within their
            source; those that are in no source do not matter.

    Raises:
        DataError: names the source, the list or the image that is missing or damaged, or says that
            a split was asked of a source without an index, or that there are no faces.
    """
    folder = cache or cache_folder()
    absent = read_names(without) if without else frozenset()
    key = _fingerprint(sources, split, size, absent)
    array_path, names_path = folder / f"{key}.npy", folder / f"{key}.json"
    cached = _open_cache(array_path, names_path, size)
    if cached is None:
        named = name_uniquely(sources, split, absent)
        if absent and not named:
            raise DataError(f"{without} leaves no images of {', '.join(map(str, sources))}")
        _fill_cache(named, sources, size, array_path, names_path)
        cached = _open_cache(array_path, names_path, size)
    if cached is None:
        raise DataError(f"the face cache in {folder} changes while it is read: start again")
    if turns:
        cached = replace(cached, turns=_turns(cached, folder / f"{key}.turns.npy"))
    # From the index and not from the cache: it is read in no time, and caches of before still hold.
    return replace(cached, people=list_people(sources, split, absent))


def _turns(faces: FaceSet, path: Path) -> NDArray[np.float32]:
    """The turns of all heads, from the cache or by looking at every face."""
    try:
        kept: NDArray[np.float32] = np.load(path)
        if kept.shape == (len(faces),):
            return kept
    except (OSError, ValueError, EOFError):
        pass
    from unveil.faces.detect import FaceDetector

    detector = FaceDetector()
    found = [detector.turn(face) for face in track(faces.faces, "looking at heads", len(faces))]
    measured = np.array([np.nan if turn is None else turn for turn in found], np.float32)
    try:
        with atomic_path(path) as partial, open(partial, "wb") as file:
            np.save(file, measured)
    except OSError as error:
        raise _unwritten(path.parent, error) from error
    return measured


def _open_cache(array_path: Path, names_path: Path, size: int) -> FaceSet | None:
    """The cached faces, or None where there are none or they are not whole."""
    try:
        names = tuple(json.loads(names_path.read_text(encoding="ascii")))
        faces = np.load(array_path, mmap_mode="r")
    except (OSError, ValueError, EOFError, TypeError):
        return None
    whole = faces.shape == (len(names), size, size, 3) and faces.dtype == np.uint8
    return FaceSet(names, faces) if whole else None


def _fill_cache(
    named: Sequence[tuple[str, Entry]],
    sources: Sequence[Path],
    size: int,
    array_path: Path,
    names_path: Path,
) -> None:
    if not named:
        raise DataError(f"no images in {', '.join(map(str, sources)) or 'no sources'}")
    try:
        array_path.parent.mkdir(parents=True, exist_ok=True)
        # Written, not mapped: on a full disk a mapped file kills the process (SIGBUS).
        with atomic_path(array_path) as partial, open(partial, "wb") as file:
            shape = (len(named), size, size, 3)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            write_array_header_1_0(file, header)
            for _, entry in track(named, "decoding faces", len(named)):
                file.write(_decode(entry, size).tobytes())
        # The names come last: without them the array does not count.
        with atomic_path(names_path) as partial:
            partial.write_text(json.dumps([name for name, _ in named]), encoding="ascii")
    except OSError as error:
        raise _unwritten(array_path.parent, error) from error


def _unwritten(folder: Path, error: OSError) -> DataError:
    reason = error.strerror or error
    return DataError(
        f"cannot write the face cache in {folder}: {reason}; UNVEIL_CACHE names another folder"
    )


def _decode(entry: Entry, size: int) -> Photo:
    try:
        return decode_face(entry, size)
    except ImageError as error:
        raise DataError(f"{entry.place}: {error}") from error


def _fingerprint(
    sources: Sequence[Path], split: str | None, size: int, absent: Collection[str]
) -> str:
    """A name for the cache that changes when a source changes, or what is left out of them."""
    parts = [f"v2 {size} {split or ''}"]
    if absent:
        parts.append(f"without {digest_of(sorted(absent))}")
    for source in sources:
        root = source.resolve()
        parts.append(f"{root}")
        for path in source_files(root):
            try:
                stat = path.stat()
            except OSError as error:
                raise DataError(f"{path}: cannot be read: {error.strerror}") from error
            parts.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    text = "\n".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:24]


def cache_folder() -> Path:
    """`$UNVEIL_CACHE`, or `~/.cache/unveil/faces`."""
    base = os.environ.get("UNVEIL_CACHE")
    return Path(base) if base else Path.home() / ".cache" / "unveil" / "faces"
