"""Opens an image as far as its header: of the formats that are read, and no more."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from unveil import costly

# Named, so that no bytes reach a decoder that nobody needs (Pillow hands EPS to Ghostscript).
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM")  # JPEG: MPO too
# Pillow reads headers byte by byte: of one that is all filler, for as long as its maker likes.
# An honest file, a GIF of 100 megapixels of noise, takes a million reads.
MOST_READS = 2_000_000
# A PNM whose pixels are text, not bytes: its comments take Pillow longer still.
PLAIN = (b"P1", b"P2", b"P3")


class _Pieces(io.BytesIO):
    """Bytes that are read in `MOST_READS` pieces at most."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MOST_READS:
            raise OSError("it is in too many pieces")
        return super().read(size)


class _Quiet:
    """No warnings: Pillow's remarks on metadata are not for our users.

    What warns is one list for all threads, which `warnings.catch_warnings` keeps for each by
    itself: of two that overlap, the last would put the silence of the other back, for good. So
    the first one in sets it, and the last one out puts back what was before.
    """

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0
        self._before = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._before.__exit__(kind, error, trace)


_quiet = _Quiet()


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[Image.Image]:
    """An image of one of `FORMATS`, of which nothing is decoded yet.

    Raises:
        ImageError: decoding it would cost far more than its pixels do.
        UnidentifiedImageError: it is none.
        Exception: as Pillow; decoders raise whatever they like.
    """
    data = source.read_bytes() if isinstance(source, Path) else source.read()
    if data.startswith(PLAIN):
        raise UnidentifiedImageError
    costly.refuse(data)
    with _quiet, Image.open(_Pieces(data), formats=_readable()) as image:
        yield image


@lru_cache
def _readable() -> tuple[str, ...]:
    """`FORMATS`, without AVIF where Pillow is built without it or is older than 11.3."""
    avif = find_spec("PIL._avif") is not None
    return tuple(kind for kind in FORMATS if avif or kind != "AVIF")
