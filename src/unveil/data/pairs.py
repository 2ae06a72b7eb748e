"""Pairs of photos of one person or of two, as Labeled Faces in the Wild lists them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.data.sources import Entry, list_entries, read_csv
from unveil.errors import DataError, ImageError
from unveil.files import read_image
from unveil.imaging import Photo

COLUMNS = ("fold", "image_a", "image_b", "same")


@dataclass(frozen=True)
class PhotoPairs:
    """Listed pairs and the photos that they need.

    Attributes:
        photos: (N,) the photos, by name; PERSON/FILE.
        first, second: (P,) places in `photos`.
        same: (P,) bool.
        fold: (P,) int.
    """

    photos: tuple[Entry, ...]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    same: NDArray[np.bool_]
    fold: NDArray[np.intp]

    def chosen(self, keep: NDArray[np.bool_]) -> PhotoPairs:
        """Only these pairs, (P,) bool, and the photos that they need."""
        needed = np.unique(np.concatenate([self.first[keep], self.second[keep]]))
        first, second = (np.searchsorted(needed, of[keep]) for of in (self.first, self.second))
        photos = tuple(self.photos[i] for i in needed)
        return PhotoPairs(photos, first, second, self.same[keep], self.fold[keep])

    def thinned(self, n: int) -> PhotoPairs:
        """At most `n` pairs of each fold (at least two), half of one person, all over the list."""
        keep = np.zeros(len(self.same), dtype=np.bool_)
        for fold in np.unique(self.fold):
            for same in (False, True):
                of = np.flatnonzero((self.fold == fold) & (self.same == same))
                count = min(max(1, n // 2), len(of))
                keep[of[np.arange(count) * len(of) // max(1, count)]] = True
        return self.chosen(keep)

    @property
    def person(self) -> NDArray[np.intp]:
        """(N,) who is on each photo, as a number."""
        folders = [entry.name.rsplit("/", 1)[0] for entry in self.photos]
        return np.unique(folders, return_inverse=True)[1]


def load_pairs(path: Path) -> PhotoPairs:
    """Read a list of pairs: a CSV of fold, image_a, image_b, same (0 or 1).

    The images, PERSON/FILE, lie in `images.tar` or in folders beside it.

    Raises:
        DataError: it cannot be read, has no pairs, or names an image that is not there.
    """
    if path.is_dir():
        raise DataError(f"{path}: a folder; give the list of pairs in it, a .csv")
    rows = read_csv(path)
    if not rows or not all(row.get(column) for row in rows for column in COLUMNS):
        raise DataError(f"{path}: needs rows with the columns {', '.join(COLUMNS)}")
    names = sorted({row[column] for row in rows for column in COLUMNS[1:3]})
    tar = path.parent / "images.tar"
    there = {e.name: e for e in list_entries(tar if tar.exists() else path.parent)}
    for name in names:
        if name not in there:
            raise DataError(f"{path}: {name} is not beside it, nor in {tar.name}")
    place = {name: i for i, name in enumerate(names)}
    try:
        same, fold = ([int(row[column]) for row in rows] for column in ("same", "fold"))
    except ValueError:
        raise DataError(f"{path}: fold and same must be whole numbers") from None
    if not set(same) <= {0, 1}:
        raise DataError(f"{path}: same must be 0 or 1")
    first, second = (np.array([place[row[c]] for row in rows]) for c in COLUMNS[1:3])
    photos = tuple(there[name] for name in names)
    pairs = PhotoPairs(photos, first, second, np.array(same, dtype=np.bool_), np.array(fold))
    wrong = np.flatnonzero(pairs.same != (pairs.person[first] == pairs.person[second]))
    if wrong.size:
        row = rows[wrong[0]]
        raise DataError(
            f"{path}: {row['image_a']} and {row['image_b']}: the column same says otherwise than "
            "their folders, each of which is one person"
        )
    return pairs


def read_photo(entry: Entry) -> Photo:
    """Decode a photo of a pair, HWC uint8 RGB.

    Raises:
        DataError: it cannot be read; names it.
    """
    try:
        return read_image(io.BytesIO(entry.read())).photo
    except ImageError as error:
        raise DataError(f"{entry.place}: {error}") from error
