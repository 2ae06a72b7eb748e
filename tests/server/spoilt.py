"""Image files of every kind, damaged in every way."""

from __future__ import annotations

import io

import numpy as np
from drawn import draw_face
from PIL import Image

EXPECTED = {200, 400, 406, 413, 415, 422}
WAYS = ("changed", "header", "cut", "gone", "doubled", "zero")


def face(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(draw_face(5, 96)).save(buffer, kind)
    return buffer.getvalue()


FACES = {kind: face(kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM")}


def damage(data: bytes, how: str, rng: np.random.Generator) -> bytes:
    """The file with some of its bytes changed, gone, doubled, or zero; `how` is one of `WAYS`."""
    at, end = sorted(int(i) for i in rng.integers(0, len(data), 2))
    if how == "changed":
        spoilt = bytearray(data)
        for i in rng.integers(0, len(data), 8):
            spoilt[i] = int(rng.integers(0, 256))
        return bytes(spoilt)
    if how == "header":  # where sizes and offsets are
        spoilt = bytearray(data)
        for i in rng.integers(0, min(64, len(data)), 4):
            spoilt[i] = int(rng.integers(0, 256))
        return bytes(spoilt)
    return {
        "cut": data[: max(1, at)],
        "gone": data[:at] + data[end:],
        "doubled": data[:end] + data[at:],
        "zero": data[:at] + bytes(end - at) + data[end:],
    }[how]
