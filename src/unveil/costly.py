"""Images that would cost a decoder far more than their pixels do: told by their markers alone.

A limit of megapixels says what honest files cost. A JPEG of a thousand scans walks over all of its
blocks a thousand times, and one of JPEG 2000 in blocks of 4x4 takes a hundred bytes a pixel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod

from unveil.errors import ImageError

MOST_SCANS = 100  # encoders that try hard for few bytes write about ten
MEAN_BLOCK = 64  # pixels at least; encoders write blocks of 1,024 or 4,096
JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
CODESTREAM = b"\xff\x4f\xff\x51"
# Behind fill bytes, and neither a byte of a scan that is 0xff nor a restart.
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
START_OF_SCAN, END = 0xDA, 0xD9
START_OF_TILE, START_OF_DATA = 0xFF90, 0xFF93
SIZE, CODING, CODING_OF_ONE = 0xFF51, 0xFF52, 0xFF53


def refuse(data: bytes) -> None:
    """Refuse an encoded image that nobody's camera or program writes like this.

    Raises:
        ImageError: a JPEG of over `MOST_SCANS` scans, or a JPEG 2000 in blocks under `MEAN_BLOCK`.
    """
    if data.startswith(b"\xff\xd8"):
        if sum(1 for _ in zip(_scans(data), range(MOST_SCANS + 1), strict=False)) > MOST_SCANS:
            raise ImageError(f"a JPEG of over {MOST_SCANS} scans: save it again in another format")
    elif data.startswith((JP2, CODESTREAM)) and _smallest_blocks(data) < MEAN_BLOCK:
        raise ImageError("a JPEG 2000 in blocks far too small: save it again in another format")


def _scans(data: bytes) -> Iterator[int]:
    """Where each scan of a JPEG begins (ITU-T T.81, annex B), up to the end of its image."""
    at = 2
    while (found := MARKER.search(data, at)) and data[found.start() + 1] != END:
        at = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2]))
        if data[found.start() + 1] == START_OF_SCAN:
            yield found.start()


def _smallest_blocks(data: bytes) -> float:
    """How many pixels blocks have on average where they are smallest (ITU-T T.800, annex A)."""
    stream = data[_codestream(data) :]
    return min((_mean_block(each, stream) for each in _codings(stream)), default=MEAN_BLOCK)


def _codestream(data: bytes) -> int:
    """Where it begins in a JP2 file: behind the head of its box (annex I)."""
    at = 0
    while not data.startswith(CODESTREAM, at) and at + 8 <= len(data):
        length, head = int.from_bytes(data[at : at + 4]), 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16]), 16
        # The last box may have no length.
        at += head if data[at + 4 : at + 8] == b"jp2c" else max(8, length or len(data))
    return at


def _codings(stream: bytes) -> Iterator[int]:
    """Where the segments COD and COC begin, of the main header and of each part of a tile."""
    at, part, length = 2, 0, 0
    while at + 4 <= len(stream):
        marker = int.from_bytes(stream[at : at + 2])
        if marker == START_OF_TILE:
            part, length = at, int.from_bytes(stream[at + 6 : at + 10])
        elif marker == START_OF_DATA:
            if not length:  # the last part, to the end
                return
            at = part + max(14, length)
            continue
        elif marker in (CODING, CODING_OF_ONE):
            yield at
        at += 2 + max(2, int.from_bytes(stream[at + 2 : at + 4]))


def _mean_block(at: int, stream: bytes) -> float:
    """How many pixels a block has on average that one such segment asks for.

    Blocks are cut by precincts, which may be smaller at each lower resolution, of fewer pixels.
    """
    if int.from_bytes(stream[at : at + 2]) == CODING:
        style, levels = stream[at + 4 : at + 5], at + 9
    else:
        wide = 2 if int.from_bytes(stream[40:42]) > 256 else 1  # the number of a component
        style, levels = stream[at + 4 + wide : at + 5 + wide], at + 5 + wide
    end = at + 2 + int.from_bytes(stream[at + 2 : at + 4])
    exponents = stream[levels + 1 : levels + 3]
    precincts = stream[levels + 5 : end] if style and style[0] & 1 else b"\xff"
    if len(exponents) < 2 or not precincts:
        return MEAN_BLOCK  # cut off: nothing is decoded
    blocks = 0.0
    for level, each in enumerate(precincts):  # from the lowest resolution on
        above = len(precincts) - 1 - level
        share = 4.0**-above * (3 / 4 if level else 1)  # of the pixels
        sides = zip(exponents, (each & 15, each >> 4), strict=True)
        blocks += share / prod(2 ** min((code & 15) + 2, max(0, cut - 1)) for code, cut in sides)
    return 1 / blocks
