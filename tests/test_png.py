import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from unveil import png

MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def picture(height: int, width: int, channels: int) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return values[..., 0] if channels == 1 else values


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1, 1), (37, 5), (200, 301)])
def test_pillow_reads_the_same_pixels(mode, size, monkeypatch):
    monkeypatch.setattr(png, "PART", 10_000)  # several parts, the last one shorter
    pixels = picture(*size, MODES[mode])
    made = Image.open(io.BytesIO(png.png(Image.fromarray(pixels), pixels, {})))
    assert made.mode == mode
    assert np.array_equal(np.asarray(made), pixels)


def test_every_checksum_and_what_pillow_adds():
    pixels, texts = picture(60, 70, 3), PngImagePlugin.PngInfo()
    texts.add_text("Software", "unveil")
    data = png.png(Image.fromarray(pixels), pixels, {"pnginfo": texts, "dpi": (300, 300)})
    at, names = 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        (check,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert check == zlib.crc32(data[at + 4 : at + 8 + length])
        names.append(data[at + 4 : at + 8])
        if names[-1] == b"IDAT":  # checks the sum at its end
            assert len(zlib.decompress(data[at + 8 : at + 8 + length])) == 60 * (1 + 70 * 3)
        at += length + 12
    assert names[0] == b"IHDR"
    assert names[-1] == b"IEND"
    made = Image.open(io.BytesIO(data))
    assert made.text["Software"] == "unveil"
    assert made.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_the_bytes_do_not_depend_on_the_cores(monkeypatch):
    monkeypatch.setattr(png, "PART", 5_000)
    pixels = picture(90, 120, 3)
    made = []
    for cores in (1, 4):
        monkeypatch.setattr(png, "usable_cores", lambda cores=cores: cores)
        made.append(png.png(Image.fromarray(pixels), pixels, {}))
    assert made[0] == made[1]


def test_flat_pictures_get_small():
    pixels = np.full((400, 400, 3), 200, np.uint8)
    assert len(png.png(Image.fromarray(pixels), pixels, {})) < 5_000
