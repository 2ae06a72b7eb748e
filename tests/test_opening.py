"""Headers are read in bounded time."""

import io
import warnings
from threading import Event, Thread

import pytest
from drawn import draw_face

from unveil.errors import ImageError
from unveil.files import encode, read_image
from unveil.opening import opened


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
def test_what_takes_pillow_long_to_read_is_refused_before_it_is_read(data, message):
    """Read to its end, each would be an image, or have another fault."""
    with pytest.raises(ImageError, match=message):
        read_image(io.BytesIO(data))


def test_threads_that_open_images_leave_warnings_as_they_were():
    data, before = encode(draw_face(0, 8), "PNG"), list(warnings.filters)
    first_in, last_in = Event(), Event()

    def first():
        with opened(io.BytesIO(data)):
            first_in.set()
            assert last_in.wait(10)

    def last():
        assert first_in.wait(10)
        with opened(io.BytesIO(data)):
            last_in.set()
            one.join(10)
            with warnings.catch_warnings(record=True) as told:
                warnings.warn("of Pillow's", stacklevel=1)
            unheard.append(not told)

    unheard: list[bool] = []
    one, other = Thread(target=first), Thread(target=last)
    try:
        one.start()
        other.start()
        other.join(20)
        assert list(warnings.filters) == before
        assert unheard == [True]  # silent for the one that is still inside
    finally:
        warnings.filters[:] = before
