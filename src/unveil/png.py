"""Writes the pixels of a PNG in half of Pillow's time, with as many bytes, and on all cores.

Pillow tries five filters on every row. The rows of photographs are much like those above them, so
all rows get that one filter (PNG specification, section 9.2, "Up"). What else stands in the file is
Pillow's.
"""

from __future__ import annotations

import io
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unveil.runtime.onnx import usable_cores

SIGNATURE = 8
UP = 2
# Rows of so many bytes are packed by themselves, so that cores can share them. A constant: the same
# picture must give the same bytes on every machine.
PART = 4_000_000
# 15: deflate's whole window; negative: without a header of its own, for the parts are one stream.
LEVEL, WINDOW, MEMORY = 1, -15, 9


def png(image: Image.Image, pixels: NDArray[np.uint8], options: dict[str, Any]) -> bytes:
    """The bytes of a PNG.

    Args:
        image: of the mode to write, its size is of no concern.
        pixels: (H, W) or (H, W, channels) uint8, as many as the mode has.
        options: of Pillow's `save`.
    """
    height, width = pixels.shape[:2]
    small = io.BytesIO()
    image.crop((0, 0, 1, 1)).save(small, format="PNG", **options)
    file = bytearray(small.getvalue()[:SIGNATURE])
    for name, data in _chunks(small.getvalue()):
        if name == b"IHDR":
            data = width.to_bytes(4) + height.to_bytes(4) + data[8:]
        file += _chunk(name, _packed(pixels) if name == b"IDAT" else data)
    return bytes(file)


def _chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of each chunk."""
    found, at = [], SIGNATURE
    while at < len(file):
        length = int.from_bytes(file[at : at + 4])
        found.append((file[at + 4 : at + 8], file[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(name))
    return b"".join((len(data).to_bytes(4), name, data, check.to_bytes(4)))


def _packed(pixels: NDArray[np.uint8]) -> bytes:
    """The rows, filtered and deflated (zlib's format)."""
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    step = max(1, PART // (rows.shape[1] + 1))
    starts = range(0, len(rows), step)

    def pack(start: int) -> tuple[bytes, bytes]:
        filtered = _filtered(rows, start, min(start + step, len(rows)))
        last = start + step >= len(rows)
        deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, MEMORY)
        packed = deflate.compress(filtered)
        return packed + deflate.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH), filtered

    check, parts = 1, [b"\x78\x01"]
    with ThreadPoolExecutor(min(len(starts), usable_cores())) as pool:
        for packed, filtered in pool.map(pack, starts) if len(starts) > 1 else map(pack, starts):
            parts.append(packed)
            check = zlib.adler32(filtered, check)
    return b"".join((*parts, check.to_bytes(4)))


def _filtered(rows: NDArray[np.uint8], start: int, end: int) -> bytes:
    """Each row less the one above it, and the filter's number before it."""
    filtered = np.empty((end - start, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = UP
    filtered[:, 1:] = rows[start:end]
    first = 1 if start == 0 else 0  # above the first row stands nothing
    filtered[first:, 1:] -= rows[start + first - 1 : end - 1]
    return filtered.tobytes()
