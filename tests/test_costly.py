"""What costs a decoder far more than its pixels is refused, and what programs write is not."""

import io
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from unveil.costly import MOST_SCANS, refuse
from unveil.errors import ImageError
from unveil.files import read_image

SCAN = b"\xff\xda"


def encoded(kind, **how):
    pixels = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **how)
    return out.getvalue()


def of_scans(n):
    """A progressive JPEG whose last scan comes so often that it has `n` of them."""
    data = encoded("JPEG", progressive=True)
    return data[:-2] + data[data.rindex(SCAN) : -2] * (n - data.count(SCAN)) + data[-2:]


def test_a_jpeg_of_many_scans_is_refused():
    refuse(of_scans(MOST_SCANS))
    with pytest.raises(ImageError, match="over 100 scans"):
        refuse(of_scans(MOST_SCANS + 1))
    with pytest.raises(ImageError, match="over 100 scans"):
        read_image(io.BytesIO(of_scans(5000)))


def test_fill_bytes_and_restarts_hide_no_scan():
    data = of_scans(MOST_SCANS + 1)
    padded = data.replace(SCAN, b"\xff\xd0\xff\xff" + SCAN)
    with pytest.raises(ImageError, match="over 100 scans"):
        refuse(padded)


def test_what_looks_like_a_scan_elsewhere_is_none():
    """In metadata, in a preview, or in a film behind the photo."""
    data = encoded("JPEG", quality=90)
    note = b"\xff\xe5" + (2 + 2 * 500).to_bytes(2) + SCAN * 500
    refuse(data[:2] + note + data[2:] + SCAN * 500)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"no_jp2": True},
        {"irreversible": True, "quality_layers": [40, 20, 5]},
        {"codeblock_size": (32, 32)},
        {"codeblock_size": (4, 64)},
        {"precinct_size": (128, 128)},
        {"tile_size": (32, 32)},
    ],
)
def test_jpeg_2000_as_programs_write_it_is_read(how):
    assert read_image(io.BytesIO(encoded("JPEG2000", **how))).photo.shape == (96, 128, 3)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("how", [{"codeblock_size": (4, 4)}, {"precinct_size": (16, 16)}])
def test_jpeg_2000_of_tiny_blocks_is_refused(how, plain):
    with pytest.raises(ImageError, match="far too small"):
        read_image(io.BytesIO(encoded("JPEG2000", num_resolutions=2, no_jp2=plain, **how)))


def with_segment(data, segment, at):
    """With one more segment behind the marker `at`'s, whose tile's part is longer for it."""
    place = data.index(at)
    end = place + 2 + int.from_bytes(data[place + 2 : place + 4])
    out = bytearray(data[:end] + segment + data[end:])
    if at == b"\xff\x90":
        length = int.from_bytes(data[place + 6 : place + 10]) + len(segment)
        out[place + 6 : place + 10] = length.to_bytes(4)
    return bytes(out)


@pytest.mark.parametrize("at", [b"\xff\x52", b"\xff\x90"], ids=["main header", "a tile's"])
@pytest.mark.parametrize(
    ("segment", "refused"),
    [
        ("ff52 000c 00 00 0001 01 05 00 00 00 01", True),
        ("ff52 000c 00 00 0001 01 05 04 04 00 01", False),
        ("ff53 0009 00 00 05 00 00 00 01", True),
        ("ff53 0009 00 00 05 04 04 00 01", False),
    ],
    ids=["COD, small", "COD", "COC, small", "COC"],
)
def test_a_tile_or_a_component_with_blocks_of_its_own_counts(at, segment, refused):
    data = with_segment(encoded("JPEG2000", tile_size=(64, 64)), bytes.fromhex(segment), at)
    if refused:
        with pytest.raises(ImageError, match="far too small"):
            refuse(data)
    else:
        refuse(data)


def test_what_is_cut_off_or_damaged_is_left_to_the_decoder():
    rng = np.random.default_rng(1)
    for whole in (encoded("JPEG", progressive=True), encoded("JPEG2000", precinct_size=(64, 64))):
        for _ in range(200):
            data = bytearray(whole[: rng.integers(2, 400)])
            data[rng.integers(2, len(data) + 1) - 1] ^= int(rng.integers(256))
            with suppress(ImageError):  # some do say so now
                refuse(bytes(data))
