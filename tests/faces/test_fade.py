import numpy as np
import pytest

from unveil.faces.fade import FADE, fading
from unveil.faces.paste import Patch, paste

SIZE = (600, 800)
INSIDE = np.array([[1.0, 0, -200], [0, 1, -150]])  # the frame lies in the middle of the photo


def mask(rows, columns):
    hidden = np.zeros((256, 256), bool)
    hidden[rows, columns] = True
    return hidden


MIDDLE = mask(slice(80, 200), slice(60, 180))
TO_THE_RIGHT = mask(slice(100, 140), slice(60, 256))
DOWN = mask(slice(100, 256), slice(60, 90))


def test_a_fill_that_ends_within_its_frame_counts_everywhere():
    assert fading(MIDDLE, INSIDE, SIZE) is None
    assert fading(mask(slice(1, 255), slice(1, 255)), INSIDE, SIZE) is None


@pytest.mark.parametrize("turns", range(4))
def test_it_counts_less_towards_the_edge_that_cuts_it_and_no_other(turns):
    fade = np.rot90(
        fading(np.ascontiguousarray(np.rot90(TO_THE_RIGHT, turns)), INSIDE, SIZE), -turns
    )
    expected = np.full(256, 255.0)
    expected[-FADE:] = 255 * (np.arange(FADE)[::-1] + 0.5) / FADE
    assert np.abs(fade - expected).max() <= 0.5


def test_another_hidden_part_near_that_edge_is_filled_all_the_same():
    spot = mask(slice(180, 200), slice(230, 250))
    fade, alone = (fading(each, INSIDE, SIZE) for each in (TO_THE_RIGHT | spot, TO_THE_RIGHT))
    assert alone[spot].min() < 100
    assert (fade[spot] == 255).all()
    assert np.array_equal(fade[TO_THE_RIGHT], alone[TO_THE_RIGHT])


def test_what_is_below_may_be_another_patchs():
    assert fading(DOWN, INSIDE, SIZE) is not None
    assert fading(DOWN, INSIDE, SIZE, below=False) is None


def test_where_the_photo_ends_nothing_goes_on():
    at_the_edge = np.array([[1.0, 0, 256 - SIZE[1]], [0, 1, -150]])
    assert fading(TO_THE_RIGHT, at_the_edge, SIZE) is None
    one_more = np.array([[1.0, 0, 257 - SIZE[1]], [0, 1, -150]])
    assert fading(TO_THE_RIGHT, one_more, SIZE) is not None


@pytest.mark.parametrize(
    ("turns", "shift", "one_more"),
    [
        (1, (-200, 0), (-200, -1)),  # to the top
        (2, (0, -150), (-1, -150)),  # to the left
        (3, (-200, 256 - SIZE[0]), (-200, 257 - SIZE[0])),  # below
    ],
)
def test_the_photo_ends_at_each_side_of_the_frame(turns, shift, one_more):
    hidden = np.ascontiguousarray(np.rot90(TO_THE_RIGHT, turns))
    ends, goes_on = (fading(hidden, np.eye(2, 3) + _moved(at), SIZE) for at in (shift, one_more))
    assert ends is None
    assert goes_on is not None


def _moved(shift):
    return np.array([[0, 0, shift[0]], [0, 0, shift[1]]])


def test_in_the_photo_the_fill_goes_over_to_what_was_there():
    photo = np.full((*SIZE, 3), 40, np.uint8)
    white = np.full((256, 256, 3), 240, np.uint8)
    soft, invented = paste(photo, [Patch(INSIDE, white, TO_THE_RIGHT)])
    row = soft[150 + 120, :, 0].astype(int)
    assert invented[150 + 120, 200 + 60 : 200 + 255].all()
    assert row[200 + 100] == 240
    assert (np.diff(row[200 + 220 : 200 + 256]) <= 0).all()
    assert row[200 + 254] < 60
    hard, same = paste(photo, [Patch(INSIDE, white, TO_THE_RIGHT)], still=False)
    assert np.array_equal(invented, same)
    assert hard[150 + 120, 200 + 253, 0] == 240
