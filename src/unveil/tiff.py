"""Writes a TIFF whose pixels are deflated, with all its metadata.

Pillow compresses through libtiff, which takes neither EXIF nor GPS with it. So Pillow writes the
file plain, as one strip at its end, and that is replaced (TIFF 6.0, sections 2 and 14).
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COMPRESSION, STRIP_OFFSET, STRIP_LENGTH, PREDICTOR = 259, 273, 279, 317
DEFLATE, DIFFERENCES = 8, 2
SHORT, LONG = 3, 4
LEVEL = 1  # a photo's differences hardly get smaller with more work


def deflated_tiff(image: Image.Image, options: dict[str, Any]) -> bytes:
    """The bytes of a TIFF.

    Args:
        image: of 8 bits a channel.
        options: of Pillow's `save`, `exif` as `Image.Exif`.
    """
    tags = options.get("exif") or Image.Exif()
    tags[PREDICTOR] = DIFFERENCES
    buffer = io.BytesIO()
    image.save(buffer, format="TIFF", **options | {"exif": tags})
    plain = buffer.getvalue()
    packed = zlib.compress(_differences(np.asarray(image)), LEVEL)
    entries = _entries(plain)
    (start,) = struct.unpack_from("<I", plain, entries[STRIP_OFFSET] + 8)
    file = bytearray(plain[:start])
    struct.pack_into("<HIHxx", file, entries[COMPRESSION] + 2, SHORT, 1, DEFLATE)
    struct.pack_into("<HII", file, entries[STRIP_LENGTH] + 2, LONG, 1, len(packed))
    return bytes(file) + packed


def _differences(pixels: NDArray[np.uint8]) -> bytes:
    """Each pixel less its left neighbour, channel by channel."""
    less = pixels.copy()
    less[:, 1:] -= pixels[:, :-1]
    return less.tobytes()


def _entries(file: bytes) -> dict[int, int]:
    """Where each tag's entry begins, of 12 bytes: tag, type, count, value."""
    assert file[:4] == b"II*\0"  # what Pillow writes for 8 bits a channel
    (directory,) = struct.unpack_from("<I", file, 4)
    (count,) = struct.unpack_from("<H", file, directory)
    places = range(directory + 2, directory + 2 + 12 * count, 12)
    return {struct.unpack_from("<H", file, place)[0]: place for place in places}
