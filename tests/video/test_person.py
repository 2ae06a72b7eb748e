"""A person's face behind an occluder that the network finds late."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import pytest
from drawn import draw_face

from unveil.faces.align import CANONICAL_POINTS
from unveil.video.cutter import Cutter
from unveil.video.person import Person
from unveil.video.sighting import Sighting
from unveil.video.smooth import Canvas
from unveil.video.steadiness import Steadiness
from unveil.video.view import Task

FOUND_FROM, FRAMES, STEP, WIDE = 12, 16, 8, 72
COLOUR = (40, 80, 200)
# Plain cloth would seem to stand still.
SPOTS = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 150, (256, 256, 3)), (0, 0), 3)
CLOTH = np.clip(COLOUR + SPOTS, 0, 255).astype(np.uint8)
SIGHTING = Sighting(0, np.asarray(CANONICAL_POINTS, float), (60, 60, 200, 230), 1.0)


def covered(number: int) -> np.ndarray:
    """A bar that comes in from the left, and what it covers of a frame."""
    mask = np.zeros((256, 256), bool)
    right = number * STEP
    mask[60:200, max(0, right - WIDE) : right] = True
    return mask


def fill_late(settings: Steadiness, found) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Each frame, filled from memory alone, and what was hidden of it."""
    clean, person, cutter = draw_face(3), Person(settings), Cutter()
    done = {}
    for number in range(FRAMES):
        photo = clean.copy()
        photo[covered(number)] = np.roll(CLOTH, number * STEP, axis=1)[covered(number)]
        view = cutter.view(number, photo, None, SIGHTING, person.newest)
        view.found = found(number)
        person.add(view)
        last = number == FRAMES - 1
        while len(person.views) >= (1 if last else settings.window):
            count = min(settings.block, len(person.views))
            person.settle(count)
            for task in person.tasks(count):
                # What is not remembered is left white, as no occluder and no face here is.
                done[task.view.number] = task.view, task.fill(np.full_like(photo, 255))
    return {number: (filled, view.hidden) for number, (view, filled) in done.items()}


def late(number: int, before: float) -> np.ndarray:
    sure = np.float32(1 if number >= FOUND_FROM else before)
    return covered(number).astype(np.float32) * sure


def test_the_network_is_told_of_remembered_colours_as_they_are():
    view = Cutter().view(0, draw_face(3), None, SIGHTING, None)
    view.hidden = np.zeros((256, 256), bool)
    view.hidden[100, 100:104] = True
    colours = np.array([[265, -4, 254.6], [0.4, 0.6, 255.2], [9, 9, 9], [1, 2, 3]], np.float32)
    trust = np.array([1, 0.9, 0.31, 0.3], np.float32)
    face, left = Task(view, Canvas(), colours, trust, None, None).input
    known = [[255, 0, 255], [0, 1, 255], [9, 9, 9]]
    assert np.array_equal(face[100, 100:104], [*known, view.face[100, 103]])
    assert [*map(tuple, np.argwhere(left))] == [(100, 103)]


@pytest.mark.parametrize("ahead", [None, 0, 2, 4, 7, 16], ids=str)
@pytest.mark.parametrize("before", [0, 0.4], ids=["unseen before", "doubted before"])
def test_an_occluder_that_is_found_late_is_not_remembered_as_face(ahead, before):
    settings = Steadiness(live=True) if ahead is None else Steadiness(look_ahead=ahead)
    filled, hidden = fill_late(settings, partial(late, before=before))[FOUND_FROM]
    assert hidden[covered(FOUND_FROM)].all()
    clean = draw_face(3)
    wrong = np.abs(filled[hidden].astype(int) - COLOUR).sum(axis=1) < 60
    assert wrong.mean() < 0.02
    # What it hides was seen before it came; what it covered while nobody knew of it is invented.
    right = np.abs(filled[hidden].astype(int) - clean[hidden]).max(axis=1) < 12
    assert right.mean() > (0.4 if settings.block == 1 else 0.8)


def gone(number: int) -> np.ndarray:
    """The bar is found at first, and not any more."""
    return covered(number).astype(np.float32) * np.float32(number < FOUND_FROM)


@pytest.mark.parametrize(
    ("settings", "found", "first", "most"),
    [
        # Where it was longer ago than its trace is followed, it is taken for face.
        (Steadiness(), partial(late, before=0), FOUND_FROM - 4, (0.95, 0.7)),
        (Steadiness(), gone, FOUND_FROM, (0.95, 0.95)),
        (Steadiness(live=True), gone, FOUND_FROM, (0.6, 0.7)),
    ],
    ids=["found late", "lost", "lost, live"],
)
def test_an_occluder_goes_from_frames_in_which_it_is_not_found(settings, found, first, most):
    clean, done = draw_face(3), fill_late(settings, found)
    for number in range(first, first + 4):
        (filled, hidden), bar = done[number], covered(number)
        assert hidden[bar].mean() > most[0]
        right = np.abs(filled[hidden].astype(int) - clean[hidden]).max(axis=1) < 12
        assert right.mean() > most[1]
        assert np.array_equal(filled[~hidden & ~bar], clean[~hidden & ~bar])


def test_what_hides_a_neighbour_too_does_not_tell_the_face(monkeypatch):
    # In the frame after, the bar is there as well, and nothing says yet that it is no face.
    monkeypatch.setitem(globals(), "FOUND_FROM", 20)
    monkeypatch.setitem(globals(), "FRAMES", 28)
    done = fill_late(Steadiness(), partial(late, before=0))
    for number, least in ((9, 0.35), (10, 0.9), (12, 0.9)):
        assert done[number][1][covered(number)].mean() > least


def test_without_memory_nothing_is_remembered():
    person, cutter = Person(Steadiness(remember=False)), Cutter()
    for number in range(4):
        mask = covered(4 + number)
        person.add(cutter.view(number, draw_face(3), mask, SIGHTING, person.newest))
    person.settle(4)
    tasks = person.tasks(4)
    assert [task.view.number for task in tasks] == [0, 1, 2, 3]
    for task in tasks:
        assert task.view.hidden.any()
        assert len(task.colours) == len(task.trust) == task.view.hidden.sum()
        assert not task.trust.any()
