"""The largest faces stay the same people from frame to frame."""

import numpy as np
import pytest

from unveil.errors import UsageError
from unveil.video.largest import Largest
from unveil.video.sighting import Sighting


def seen(**sizes):
    """Faces side by side; a = track 0, b = 1, ..."""
    faces = []
    for i, (name, size) in enumerate(sizes.items()):
        box = (100.0 * i, 0.0, 100.0 * i + size, float(size))
        faces.append(Sighting(ord(name) - ord("a"), np.zeros((5, 2)), box, 1.0))
    return tuple(faces)


def tracks(largest, **sizes):
    return [face.track for face in largest.of(seen(**sizes))]


def test_all():
    assert tracks(Largest(None), a=50, b=60) == [0, 1]


def test_the_largest_in_their_order():
    assert tracks(Largest(2), a=50, b=40, c=60) == [0, 2]


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ({"a": 50, "b": 55}, [0]),  # larger, but not clearly
        ({"a": 50, "b": 70}, [1]),
        ({"b": 30}, [1]),  # who was chosen is gone
        ({}, []),
    ],
)
def test_who_was_chosen_stays_until_somebody_is_clearly_larger(sizes, chosen):
    largest = Largest(1)
    assert tracks(largest, a=50, b=45) == [0]
    assert tracks(largest, **sizes) == chosen


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_a_number_from_1(count):
    with pytest.raises(UsageError, match="at least one face"):
        Largest(count)
