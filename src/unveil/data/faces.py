"""Aligned faces from folders, tar shards and CelebA's index, through a memory-mapped cache.

A source is a folder of images, a .tar of images (read in place, never unpacked to disk), or an
`index.csv` with the columns image, identity, archive, paper_split, whose archives lie beside it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from unveil.errors import DataError, ImageError
from unveil.files import atomic_path, read_image
from unveil.imaging import CELEBA_SIZE, FACE_SIZE, Photo, crop_celeba, resize
from unveil.progress import track

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class FaceSet:
    """Aligned faces in memory or in a mapped file.

    Attributes:
        names: one a face, unique within the set.
        faces: (N, size, size, 3) uint8 RGB.
    """

    names: tuple[str, ...]
    faces: Photo

    def __len__(self) -> int:
        return len(self.names)


def to_face(photo: Photo, size: int = FACE_SIZE) -> Photo:
    """A 178x218 CelebA image or a square aligned face -> size x size.

    Raises:
        ImageError: for any other shape; it would have to be aligned first.
    """
    if photo.shape[:2] == CELEBA_SIZE:
        return crop_celeba(photo, size)
    if photo.shape[0] != photo.shape[1]:
        raise ImageError(
            f"not an aligned face: {photo.shape[1]}x{photo.shape[0]} is neither square "
            "nor CelebA's 178x218"
        )
    return resize(photo, size)


def load_faces(
    sources: Sequence[Path],
    *,
    split: str | None = None,
    size: int = FACE_SIZE,
    cache: Path | None = None,
) -> FaceSet:
    """All faces of the sources, decoded once into a memory-mapped file and reused after.

    Args:
        sources: folders, tars or index.csv files.
        split: keep only the rows of an index with this `paper_split`; "" or None keeps all.
        size: side of the faces in pixels.
        cache: folder of the cache; default `$UNVEIL_CACHE` or `~/.cache/unveil/faces`.

    Raises:
        DataError: names the source or the image that is missing or damaged, or says that a split
            was asked of a source without an index, or that there are no faces.
    """
    folder = cache or _default_cache()
    key = _fingerprint(sources, split, size)
    array_path, names_path = folder / f"{key}.npy", folder / f"{key}.names"
    if not (array_path.exists() and names_path.exists()):
        _fill_cache(sources, split, size, array_path, names_path)
    names = tuple(names_path.read_text(encoding="utf-8").splitlines())
    faces = np.load(array_path, mmap_mode="r")
    if len(faces) != len(names):
        raise DataError(f"damaged cache: delete {array_path} and start again")
    return FaceSet(names, faces)


def _fill_cache(
    sources: Sequence[Path], split: str | None, size: int, array_path: Path, names_path: Path
) -> None:
    entries = [entry for source in sources for entry in _entries(source, split)]
    if not entries:
        wanted = f" with paper_split={split}" if split else ""
        raise DataError(f"no images{wanted} in {', '.join(map(str, sources))}")
    try:
        array_path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(array_path) as partial:
            shape = (len(entries), size, size, 3)
            array = open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
            for i, entry in enumerate(track(entries, "decoding faces")):
                array[i] = _decode(entry, size)
            array.flush()
        with atomic_path(names_path) as partial:
            partial.write_text("\n".join(e.name for e in entries) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write the face cache in {array_path.parent}: {error}") from error


@dataclass(frozen=True)
class _Entry:
    """One image of a source: a file, or a span of bytes inside a tar."""

    name: str
    path: Path
    offset: int
    length: int


def _decode(entry: _Entry, size: int) -> Photo:
    with open(entry.path, "rb") as file:
        file.seek(entry.offset)
        data = file.read(entry.length)
    try:
        return to_face(read_image(io.BytesIO(data)).photo, size)
    except ImageError as error:
        inside = f"{entry.path}, member {entry.name}" if entry.path.suffix == ".tar" else entry.path
        raise DataError(f"{inside}: {error}") from error


def _entries(source: Path, split: str | None) -> Iterator[_Entry]:
    if source.suffix == ".csv":
        yield from _index_entries(source, split)
    elif split:
        raise DataError(f"{source} has no splits: --split needs an index.csv")
    elif source.suffix == ".tar":
        yield from _tar_entries(source)
    elif source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
                yield _Entry(str(path.relative_to(source)), path, 0, path.stat().st_size)
    else:
        raise DataError(f"{source}: not a folder, a .tar or an index.csv")


def _tar_entries(path: Path) -> list[_Entry]:
    try:
        with tarfile.open(path) as tar:
            members = [m for m in tar if m.isfile() and m.name.lower().endswith(IMAGE_SUFFIXES)]
    except (OSError, tarfile.TarError, EOFError) as error:
        raise DataError(f"{path}: not a readable tar: {error}") from error
    end = path.stat().st_size
    for m in members:
        if m.offset_data + m.size > end:
            raise DataError(f"{path}: cut off inside member {m.name}")
    return [_Entry(m.name, path, m.offset_data, m.size) for m in members]


def read_index(path: Path) -> list[dict[str, str]]:
    """The rows of an index.csv (image, identity, archive, paper_split).

    Raises:
        DataError: if it cannot be read or lacks a column.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if not rows or not {"image", "archive", "paper_split"} <= rows[0].keys():
        raise DataError(f"{path}: an index needs the columns image, archive, paper_split")
    return rows


def _index_entries(path: Path, split: str | None) -> Iterator[_Entry]:
    rows = [r for r in read_index(path) if not split or r["paper_split"] == split]
    archives = {
        name: {e.name: e for e in _tar_entries(path.parent / name)}
        for name in sorted({r["archive"] for r in rows})
    }
    for row in rows:
        entry = archives[row["archive"]].get(row["image"])
        if entry is None:
            raise DataError(f"{path}: {row['image']} is not in {row['archive']}")
        yield entry


def _fingerprint(sources: Sequence[Path], split: str | None, size: int) -> str:
    """A name for the cache that changes when a source changes."""
    parts = [f"v1 {size} {split or ''}"]
    for source in sources:
        try:
            files = [source]
            if source.is_dir():
                files = sorted(p for p in source.rglob("*") if p.is_file())
            elif source.suffix == ".csv":
                names = sorted({r["archive"] for r in read_index(source)})
                files = [source, *(source.parent / n for n in names)]
            for path in files:
                stat = path.stat()
                parts.append(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}")
        except OSError as error:
            raise DataError(f"{source}: cannot be read: {error}") from error
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _default_cache() -> Path:
    base = os.environ.get("UNVEIL_CACHE")
    return Path(base) if base else Path.home() / ".cache" / "unveil" / "faces"
