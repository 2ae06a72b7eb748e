"""A page of before and after: what a folder's restoration did, to be looked at in a browser."""

from __future__ import annotations

import base64
import html
import string
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from unveil.errors import ImageError, UsageError
from unveil.files import atomic_path, encode
from unveil.imaging import Photo
from unveil.output import tinted
from unveil.types import Restoration

HEIGHT, WIDTH = 320, 1920  # of the pictures at most, in pixels
AROUND = 0.8  # of a face's size, how much of the photo is shown on each side of the faces

_HEAD = string.Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>unveil: before and after</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 70rem; padding: 1rem }
figure { margin: 0 0 2rem }
figure div { display: grid; grid-template-columns: repeat(3, auto); justify-content: left }
figure div { gap: 4px }
img { max-height: ${height}px; max-width: 100% }
figcaption { overflow-wrap: anywhere }
small { opacity: .75 }
</style>
<h1>Before and after</h1>
<p>Each photo as it was, what was invented tinted, and restored; the least sure first.
The hidden part is invented: not for identification.</p>
<p>$summary</p>
""")
_END = "</html>\n"


@dataclass(frozen=True)
class Row:
    """One photo on the page.

    Attributes:
        name: of the input.
        words: what was done.
        pictures: encoded JPEGs, side by side; none where nothing was invented.
        doubt: sorts the page, largest first.
    """

    name: str
    words: str
    pictures: tuple[bytes, ...]
    doubt: float


@dataclass(frozen=True)
class _Kept:
    """Where a row's HTML lies in the temporary file, in bytes, and what sorts it."""

    doubt: float
    name: str
    start: int
    length: int


class Page:
    """Collects results, from several threads too, and writes them as one file.

    Of a folder that is too large for the memory the page is, too: until it is written, its rows lie
    in a temporary file beside it, which has no name and goes with the process.

    Raises:
        UsageError: the file's name does not end in .html.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"--page {path}: the name must end in .html")
        self.path = path
        self._file: IO[bytes] | None = None
        self._broken: OSError | None = None
        self._rows: list[_Kept] = []
        self._restored = 0
        self._lock = threading.Lock()

    def add(self, name: str, photo: Photo, result: Restoration) -> None:
        """Take a photo and its restoration; small pictures of them are all that is kept.

        Where they cannot be kept, `write` says so: the photos are done all the same.
        """
        row = _row(name, photo, result)
        block = _block(row)
        with self._lock:
            try:
                self._keep(row, block)
            except OSError as error:
                self._broken = self._broken or error

    def _keep(self, row: Row, block: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self.path.parent)  # noqa: SIM115
        start = self._file.tell()
        self._file.write(block)
        self._rows.append(_Kept(row.doubt, row.name, start, len(block)))
        self._restored += bool(row.pictures)

    def write(self, failures: list[tuple[str, str]]) -> None:
        """Write the page, with a line for each input that failed: its name, and why.

        Raises:
            ImageError: it cannot be written; what was there before is still there.
        """
        unhidden = len(self._rows) - self._restored
        summary = f"{self._restored} restored, {unhidden} with nothing hidden"
        if failures:
            summary += f", {len(failures)} failed"
        try:
            if self._broken:
                raise self._broken
            with atomic_path(self.path) as partial, open(partial, "wb") as page:
                page.write(_HEAD.substitute(height=HEIGHT, summary=summary).encode())
                for row in sorted(self._rows, key=lambda row: (-row.doubt, row.name)):
                    assert self._file is not None
                    self._file.seek(row.start)
                    page.write(self._file.read(row.length))
                for name, reason in failures:
                    page.write(_block(Row(name, reason, (), 0.0)))
                page.write(_END.encode())
        except OSError as error:
            why = error.strerror or error
            raise ImageError(f"{self.path}: cannot be written: {why}") from None
        finally:
            if self._file is not None:
                with suppress(OSError):  # told already
                    self._file.close()


def _row(name: str, photo: Photo, result: Restoration) -> Row:
    changed = [face for face in result.faces if face.coverage > 0]
    if not result.invented.any():
        return Row(name, f"nothing is hidden ({len(result.faces)} found)", (), -1.0)
    words = "; ".join(f"{f.coverage:.0%} hidden, confidence {f.confidence:.2f}" for f in changed)
    rows, columns = _around(result, photo.shape[0], photo.shape[1])
    before, after = photo[rows, columns], result.photo[rows, columns]
    shown = tinted(before, result.invented[rows, columns])
    pictures = tuple(encode(_small(picture), "JPEG") for picture in (before, shown, after))
    return Row(name, words, pictures, 1 - min(face.confidence for face in changed))


def _around(result: Restoration, height: int, width: int) -> tuple[slice, slice]:
    """The part of the photo with all faces in which something was invented."""
    boxes = np.array([face.box for face in result.faces if face.coverage > 0])
    margin = AROUND * (boxes[:, 2:] - boxes[:, :2]).max()
    left, top = np.maximum(boxes[:, :2].min(0) - margin, 0).astype(int)
    right, bottom = np.ceil(boxes[:, 2:].max(0) + margin).astype(int)
    return slice(top, min(bottom, height)), slice(left, min(right, width))


def _small(photo: Photo) -> Photo:
    share = min(HEIGHT / photo.shape[0], WIDTH / photo.shape[1])
    kernel = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    size = (max(1, round(photo.shape[1] * share)), max(1, round(photo.shape[0] * share)))
    return np.asarray(cv2.resize(photo, size, interpolation=kernel), np.uint8)


def _block(row: Row) -> bytes:
    """A row's HTML; what of a file's name is no text is a question mark."""
    name = html.escape(row.name)
    captions = ("before", "what was invented", "after")
    images = "".join(
        f'<img alt="{name}, {caption}" src="data:image/jpeg;base64,'
        f'{base64.b64encode(data).decode()}">'
        for caption, data in zip(captions, row.pictures, strict=False)
    )
    text = (
        f"<figure><div>{images}</div>"
        f"<figcaption>{name} <small>{html.escape(row.words)}</small></figcaption></figure>\n"
    )
    return text.encode("utf-8", "replace")
