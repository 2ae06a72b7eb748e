"""EXIF that is written as it was read: Pillow reads its text as Latin-1 and writes it as ASCII."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PIL import Image

ORIENTATION = 0x0112
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
WIDTH, HEIGHT = 0xA002, 0xA003  # of the picture, in the directory of EXIF
ON_ITS_SIDE = range(5, 9)  # the orientations that exchange the two


class _AsItCame(str):
    """Text whose letters are the file's bytes, whatever they mean: UTF-8, as many write it."""

    def encode(self, encoding: str = "", errors: str = "") -> bytes:
        return str.encode(self, "latin-1", "replace")


def faithful(exif: Image.Exif) -> Image.Exif:
    """The same EXIF, whose text Pillow writes with the bytes that it was read from."""
    for tags in _directories(exif):
        for tag, value in list(tags.items()):
            if isinstance(value, str):
                tags[tag] = _AsItCame(value)
    return exif


def to_bytes(exif: Image.Exif) -> bytes:
    """EXIF as a file holds it, text as it came, without the tags that cannot be written.

    Cameras and editors write some with a type that is not theirs; Pillow reads them all the same.
    """
    try:
        return faithful(exif).tobytes()
    except Exception:  # of as many types as there are mistakes
        for tags in _directories(exif):
            for tag in list(tags):
                if not _can_be_written(tag, tags[tag], tags is exif):
                    del tags[tag]
        return exif.tobytes()


def upright_copy(exif: Image.Exif) -> Image.Exif:
    """EXIF of a picture that is turned as it says: without that, and with its sides exchanged.

    A copy: by the original the picture is turned yet.
    """
    copy = Image.Exif()
    copy.endian = exif.endian  # some values are bytes, in this order
    for tag in exif:
        if tag not in (ORIENTATION, EXIF_IFD, GPS_IFD):
            copy[tag] = exif[tag]
    for tag in (EXIF_IFD, GPS_IFD):
        if found := dict(exif.get_ifd(tag)):
            copy.get_ifd(tag).update(found)
    more = copy.get_ifd(EXIF_IFD)
    if INTEROP_IFD in more and not isinstance(more[INTEROP_IFD], dict):  # where it is in the file
        more[INTEROP_IFD] = dict(exif.get_ifd(INTEROP_IFD))
    if exif.get(ORIENTATION) in ON_ITS_SIDE and WIDTH in more and HEIGHT in more:
        more[WIDTH], more[HEIGHT] = more[HEIGHT], more[WIDTH]
    return copy


def _directories(exif: Image.Exif) -> Iterator[Any]:
    yield exif
    yield from (exif.get_ifd(tag) for tag in (EXIF_IFD, GPS_IFD))


def _can_be_written(tag: int, value: object, main: bool) -> bool:
    if tag in (EXIF_IFD, GPS_IFD):
        return True  # a directory of its own
    alone = Image.Exif()
    (alone if main else alone.get_ifd(EXIF_IFD))[tag] = value
    try:
        alone.tobytes()
    except Exception:
        return False
    return True
