"""Where aligned faces lie: folders, tar shards and CelebA indexes, listed without decoding.

A source is a folder of images, a .tar of images (read in place, never unpacked to disk), one image,
or an `index.csv` with the columns image, identity, archive, paper_split, whose archives lie beside
it.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from unveil.data.tars import scan_tar
from unveil.errors import DataError, ImageError
from unveil.files import read_image
from unveil.imaging import CELEBA_SIZE, FACE_SIZE, Photo, crop_celeba, resize
from unveil.names import below, is_face, is_image


@dataclass(frozen=True)
class Entry:
    """One image of a source, not yet read: a file, or a span of bytes inside a tar.

    Attributes:
        name: path within the source, with its suffix and forward slashes.
        path: the image file, or the tar that holds it.
        offset: where it begins in `path`, bytes.
        length: bytes; -1 for all that follow.
    """

    name: str
    path: Path
    offset: int
    length: int

    @property
    def place(self) -> Path:
        """Where it lies, for messages: the file, or TAR/MEMBER."""
        return self.path / self.name if self.path.suffix == ".tar" else self.path

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            ImageError: it cannot be read any more; says why.
        """
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                return file.read(self.length)
        except FileNotFoundError:
            raise ImageError("no such file") from None
        except OSError as error:
            raise ImageError(f"cannot be read: {error.strerror or error}") from None


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


def decode_face(entry: Entry, size: int = FACE_SIZE) -> Photo:
    """Read and decode one face, (size, size, 3) uint8.

    Raises:
        ImageError: it is not an image, damaged, or not an aligned face; does not name the entry.
    """
    return to_face(read_image(io.BytesIO(entry.read())).photo, size)


def list_entries(source: Path, split: str | None = None) -> list[Entry]:
    """The images of a source, in order; of an index, the rows of one `paper_split` if asked.

    Raises:
        DataError: the source is missing, damaged or of no known kind, or has no splits.
    """
    if source.suffix == ".csv":
        return _index_entries(source, split)
    if split:
        raise DataError(f"{source} has no splits: --split needs an index.csv")
    if source.is_dir():
        return _folder_entries(source)
    if not source.exists():
        raise DataError(f"{source}: no such file or folder")
    if source.suffix == ".tar":
        return _tar_entries(source)
    if is_image(source):  # named itself, it is taken whatever it is
        return [Entry(source.name, source, 0, source.stat().st_size)]
    raise DataError(f"{source}: not a folder, an image, a .tar or an index.csv")


def source_files(source: Path) -> list[Path]:
    """The files that a source consists of: when none of them changes, neither do its faces.

    Raises:
        DataError: the source, or the index of one, cannot be read.
    """
    if source.is_dir():
        return [entry.path for entry in _folder_entries(source)]
    if source.suffix == ".csv":
        names = sorted({row["archive"] for row in read_index(source)})
        # An archive may be a folder, which does not change when an image in it does.
        return [source, *(file for name in names for file in source_files(source.parent / name))]
    return [source]


def _folder_entries(folder: Path) -> list[Entry]:
    # os.scandir and not Path.rglob: it knows sizes and kinds, and 100,000 files are common here.
    found = []
    pending = [folder]
    try:
        while pending:
            with os.scandir(pending.pop()) as items:
                for item in items:
                    if item.is_dir(follow_symlinks=False):
                        pending.append(Path(item.path))
                    elif is_face(PurePath(item.name)) and item.is_file():
                        path = Path(item.path)
                        name = path.relative_to(folder).as_posix()
                        found.append(Entry(name, path, 0, item.stat().st_size))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from None
    return sorted(found, key=lambda entry: entry.name.split("/"))


def _tar_entries(path: Path) -> list[Entry]:
    try:
        with open(path, "rb") as file:
            return [Entry(name, path, *span) for name, *span in scan_tar(file, str(path))]
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file: {error}") from error


def read_index(path: Path) -> list[dict[str, str]]:
    """The rows of an index.csv (image, archive, paper_split and, if it says so, identity).

    Raises:
        DataError: if it cannot be read, lacks a column or a value.
    """
    rows = read_csv(path)
    if not rows or not {"image", "archive", "paper_split"} <= rows[0].keys():
        raise DataError(f"{path}: an index needs rows with the columns image, archive, paper_split")
    for number, row in enumerate(rows, start=2):
        if not row["image"] or not row["archive"] or row["paper_split"] is None:
            raise DataError(f"{path}: line {number} lacks an image, an archive or a split")
    return [row | {"image": below(row["image"])} for row in rows]


def _index_entries(path: Path, split: str | None) -> list[Entry]:
    wanted = _wanted(path, split)
    archives = {
        name: {entry.name: entry for entry in list_entries(path.parent / name)}
        for name in sorted({row["archive"] for row in wanted})
    }
    for row in wanted:
        if row["image"] not in archives[row["archive"]]:
            raise DataError(f"{path}: {row['image']} is not in {row['archive']}")
    return [archives[row["archive"]][row["image"]] for row in wanted]


def _wanted(path: Path, split: str | None) -> list[dict[str, str]]:
    """The rows of an index that are of a split, all if none is asked."""
    rows = read_index(path)
    wanted = [row for row in rows if not split or row["paper_split"] == split]
    if not wanted:
        known = ", ".join(sorted({row["paper_split"] for row in rows} - {""})) or "none"
        raise DataError(f"{path}: no rows with paper_split={split}; it has {known}")
    return wanted


def list_people(
    sources: Sequence[Path], split: str | None = None, without: Collection[str] = ()
) -> NDArray[np.intp] | None:
    """Who is on each entry of the sources, in the order of `name_uniquely`, arguments as there.

    An index says it in its column `identity`. An identity is one person in all indexes: intervals
    stay right if two people are taken for one, and get too narrow if one is taken for two.

    Returns:
        (N,) people, numbered 0, 1, ... as they first appear; an entry of which nothing is said
        shows somebody else. None where nothing is said of any.

    Raises:
        DataError: as `list_entries`.
    """
    if not any(source.suffix == ".csv" for source in sources):
        return None
    said: list[str] = []
    for source in sources:
        if source.suffix == ".csv":
            rows = [row for row in _wanted(source, split) if row["image"] not in without]
            said += [row.get("identity") or "" for row in rows]
        else:
            said += ["" for entry in list_entries(source, split) if entry.name not in without]
    numbers: dict[str | int, int] = {}
    people = [numbers.setdefault(who or place, len(numbers)) for place, who in enumerate(said)]
    return np.array(people) if any(said) else None


def name_uniquely(
    sources: Sequence[Path], split: str | None = None, without: Collection[str] = ()
) -> list[tuple[str, Entry]]:
    """The entries of all sources, but for those `without`, each with a name of its own.

    The name is the entry's; where two are the same, all are led by their folder's or tar's name.

    Raises:
        DataError: as `list_entries`; or a tar holds a name twice, or a source is given twice.
    """
    listed = [entry for source in sources for entry in list_entries(source, split)]
    entries = [entry for entry in listed if entry.name not in without]
    names = [entry.name for entry in entries]
    if len(set(names)) < len(names):
        names = [f"{_title(entry)}/{entry.name}" for entry in entries]
    seen = set()
    for name in names:
        if name in seen:
            raise DataError(f"{name} comes twice in {', '.join(map(str, sources))}")
        seen.add(name)
    return list(zip(names, entries, strict=True))


def _title(entry: Entry) -> str:
    """The name of the tar, or of the folder, that an entry's name is a path in."""
    if entry.path.suffix == ".tar":
        return entry.path.stem
    return entry.path.parents[entry.name.count("/")].resolve().name
