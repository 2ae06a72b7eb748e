"""Settled frames filled in: when the network proposes, and what is left as it is."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from drawn import draw_face

from unveil.faces.align import CANONICAL_POINTS, fit
from unveil.runtime.model import Manner
from unveil.video.restoring import restored
from unveil.video.settling import Settled
from unveil.video.sighting import Sighting
from unveil.video.smooth import FILL_EVERY, Canvas
from unveil.video.view import NOTHING, Task, View

POINTS = np.asarray(CANONICAL_POINTS, float)
SIGHTING = Sighting(0, POINTS, (60, 60, 200, 230), 1.0)
BAR = np.zeros((256, 256), bool)
BAR[140:200, 60:190] = True
WHITE = (255, 255, 255)


class Model:
    """Would fill all that is hidden with white."""

    weights = SimpleNamespace(fingerprint="white")

    def __init__(self):
        self.asked = []

    def fill(self, faces, hidden, manner):
        self.asked.append(hidden.sum(axis=(1, 2)).tolist())
        return np.where(hidden[..., None], np.uint8(255), faces)


def settled(canvas, number, colour=None, sure=1.0):
    """A frame whose bar is hidden; `colour` is remembered of it, as sure as that."""
    face, count = draw_face(3), int(BAR.sum())
    face[BAR] = 0
    view = View(number, SIGHTING, fit(POINTS), face, ~np.zeros_like(BAR), None, None)
    view.hidden = BAR
    colours = np.full((count, 3), colour or 0, np.float32)
    trust = np.full(count, 0 if colour is None else sure, np.float32)
    flow = None if number == 0 else NOTHING
    return Settled(face, None, (Task(view, canvas, colours, trust, flow, None),))


def test_the_network_proposes_for_every_few_frames_and_its_fill_is_carried_on():
    canvas, model = Canvas(), Model()
    block = [settled(canvas, number) for number in range(2 * FILL_EVERY)]
    results = list(restored(block, model, Manner()))
    assert model.asked == [[BAR.sum()] * 2]
    inside = BAR & (np.pad(BAR, 8)[:-16, :-16] & np.pad(BAR, 8)[16:, 16:])
    for result in results:
        assert np.array_equal(result.invented, BAR)
        assert (result.photo[inside] == WHITE).mean() > 0.9
        assert np.array_equal(result.photo[~BAR], draw_face(3)[~BAR])
        assert result.model == "white"


def test_where_all_was_seen_the_network_is_not_asked():
    model = Model()
    block = [settled(Canvas(), 0, colour=(10, 200, 30))]
    (result,) = restored(block, model, Manner())
    assert not model.asked
    assert result.faces[0].recalled == 1
    assert (np.abs(result.photo[150:190, 80:170].astype(int) - (10, 200, 30)) < 3).mean() > 0.9


def test_a_block_is_emptied_as_it_is_restored():
    canvas = Canvas()
    block = [settled(canvas, number) for number in range(3)]
    left = [len(block) for _ in restored(block, Model(), Manner())]
    assert left == [2, 1, 0]


def test_a_frame_without_a_face_stays_as_it_is():
    photo = draw_face(3)
    (result,) = restored([Settled(photo, None, ())], Model(), Manner())
    assert np.array_equal(result.photo, photo)
    assert not result.invented.any()
    assert result.faces == ()


def test_an_occluder_never_shines_through_what_is_remembered_less_and_less():
    canvas, model = Canvas(), Model()
    block = [settled(canvas, i, 120, min(1.0, 1.1 - i / 40)) for i in range(20)]
    for number, result in enumerate(restored(block, model, Manner())):
        assert result.photo[BAR].min() >= 119, number
