"""Headers are read in bounded time."""

import io
import time

import pytest

from unveil.errors import ImageError
from unveil.files import read_image


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P1\n8 8\n" + b"#a\n" * 100_000 + b"1" * 64, "not an image"),
        (b"P3 1 1 255\n1 2 3\n", "not an image"),
        (b"P6\n8 8 " + b"#a\n" * 6_000_000 + b"255\n" + bytes(192), "too many pieces"),
        (b"\xff\xd8" + b"\xff" * 12_000_000, "too many pieces"),
    ],
    ids=["PNM, its pixels as text", "small", "PNM, comments", "JPEG, filler"],
)
def test_what_takes_pillow_long_to_read_is_refused_at_once(data, message):
    start = time.perf_counter()
    with pytest.raises(ImageError, match=message):
        read_image(io.BytesIO(data))
    assert time.perf_counter() - start < 2
