"""The network is asked more often where its answers change."""

import numpy as np
import pytest
from moving import SIZE, shift, square

from unveil.video.asking import LEAST, MASK_EVERY, between, due
from unveil.video.person import View

NOTHING = np.zeros((SIZE, SIZE), np.float32)


STILL = (shift(0), shift(0))


def view(number, found=None, motion=STILL):
    face = np.zeros((SIZE, SIZE, 3), np.uint8)
    return View(number, None, np.eye(2, 3), face, NOTHING == 0, None, motion, found)


def test_it_is_asked_of_every_fourth_frame_and_of_the_first_of_a_track():
    assert [n for n in range(9) if due(view(n))] == [0, MASK_EVERY, 2 * MASK_EVERY]
    assert due(view(3, motion=None))


@pytest.mark.parametrize(
    ("masks", "asked"),
    [
        ([square(80), square(83), square(86)], []),  # it hardly moves
        ([NOTHING, square(80), square(80)], [1, 2, 3]),  # it comes
        ([square(80), square(80), square(110)], [5, 6, 7]),  # it moves on
        ([square(80), square(80) * 0.4, NOTHING], [1, 2, 3]),  # it goes
    ],
)
def test_it_is_asked_between_masks_that_differ(masks, asked):
    views = [view(n, masks[n // 4].astype(np.float32) if n % 4 == 0 else None) for n in range(9)]
    views += [view(n) for n in (9, 10)]  # nobody knows yet what comes
    assert [v.number for v in between(views, None)] == asked
    # The same, the first of them done already.
    assert [v.number for v in between(views[1:], views[0].found)] == asked


def test_specks_are_no_change():
    speck = NOTHING.copy()
    speck[0, : min(LEAST, SIZE)] = 1
    assert not between([view(0, NOTHING), view(1), view(2, speck)], None)
