"""The motion of a head is told from the part of it that is seen."""

import numpy as np
import pytest

from unveil.video.head import FORM, FORM_MIDDLE, HEAD, NOSE, under
from unveil.video.motion import here

SIZE = 256
SURE = np.ones((SIZE, SIZE), np.float32)
EVERYWHERE = np.zeros((SIZE, SIZE), bool)
HEAD_ITSELF = ((here() - HEAD[0]) / (62, 84)) ** 2


def masked():
    """A medical mask: nose, mouth and chin."""
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[150:250, 50:206] = True
    return hidden


def depth():
    x, y = here()[..., 0], here()[..., 1]
    middle_x, middle_y = FORM_MIDDLE
    rest = 1 - ((x - middle_x) / FORM[0]) ** 2 - ((y - middle_y) / FORM[1]) ** 2
    far = (x - NOSE[0]) ** 2 + (y - NOSE[1]) ** 2
    return FORM[2] * np.sqrt(np.maximum(rest, 0)) + NOSE[3] * np.exp(-far / (2 * NOSE[2] ** 2))


def turned(nod, turn, shift=(0.0, 0.0)):
    """The motion of a head that turns by so many radians about its axes."""
    flow = np.stack([turn * depth(), -nod * depth()], axis=2)
    return (flow + np.float32(shift)).astype(np.float32)


@pytest.mark.parametrize("nod", [-0.04, 0.02, 0.05])
@pytest.mark.parametrize("turn", [0.0, 0.03])
def test_a_nod_is_told_from_the_eyes(nod, turn):
    true, hidden = turned(nod, turn, (1.0, -0.5)), masked()
    measured = true.copy()
    measured[hidden] = (9, 9)  # the occluder's own
    found = under(measured, hidden, SURE)
    face = hidden & (HEAD_ITSELF.sum(axis=2) < 1)
    # A flat picture with the motion of the eyes would be as far off as the nose moves more.
    flat = np.abs(true[120, 128] - true[face]).mean()
    assert np.abs(found[face] - true[face]).mean() < 0.25 * max(flat, 1)


def test_what_is_behind_the_head_moves_on_its_own():
    head = (((here() - HEAD[0]) / HEAD[1]) ** 2).sum(axis=2, keepdims=True) < 1
    true = np.where(head, np.float32((3, 0)), np.float32((-2, 1)))
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[100:200, 160:256] = True
    measured = np.where(hidden[..., None], np.float32((9, 9)), true)
    found = under(measured, hidden, SURE)
    assert np.abs(found[150, 170] - (3, 0)).max() < 0.8
    assert np.abs(found[150, 230] - (-2, 1)).max() < 0.3


def test_expressions_do_not_turn_the_head():
    measured = turned(0.0, 0.0, (1.0, 0.0))
    measured[95:115, 80:176] += (0, -4)  # raised brows
    found = under(measured, masked(), SURE)
    assert np.abs(found[190, 128] - (1, 0)).max() < 0.6


def test_where_nothing_is_seen_nothing_is_known_to_move():
    measured = np.full((SIZE, SIZE, 2), 5, np.float32)
    assert not under(measured, np.ones((SIZE, SIZE), bool), SURE).any()


@pytest.mark.parametrize(
    ("rows", "columns"), [((100, 130), (90, 120)), ((100, 120), (80, 100)), ((95, 115), (140, 165))]
)
def test_of_little_that_is_seen_rather_a_shift_is_told_than_a_turn(rows, columns):
    """Which would take what is measured a little wrong for much, further away."""
    hidden = np.ones((SIZE, SIZE), bool)
    hidden[slice(*rows), slice(*columns)] = False
    noise = np.random.default_rng(0).normal(0, 0.3, (SIZE, SIZE, 2))
    found = under((noise + np.array([2, -1])).astype(np.float32), hidden, SURE)
    assert np.abs(found[60:230, 70:190] - (2, -1)).max() < 0.5
