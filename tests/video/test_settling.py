"""Frames settled in blocks, and what the network is asked on the way."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import draw_face

from unveil.faces.align import CANONICAL_POINTS, fit
from unveil.faces.detect import Detection
from unveil.outline import Aligned
from unveil.video.asking import MASK_EVERY
from unveil.video.settling import Followed, Settling
from unveil.video.sighting import Sighting
from unveil.video.steadiness import Steadiness

POINTS = np.asarray(CANONICAL_POINTS, float)
BAR = np.zeros((256, 256), np.float32)
BAR[140:200, 60:190] = 1


class Model:
    """Finds a bar in every face, and counts what it is asked."""

    def __init__(self):
        self.asked = 0

    def find(self, faces):
        self.asked += len(faces)
        return np.repeat(BAR[None], len(faces), axis=0)


def looked():
    """The face as the detector's look had it, nothing before it."""
    none = np.zeros((256, 256), np.float32)
    detection = Detection((60, 60, 200, 230), POINTS.astype(np.float32), 1.0)
    return Aligned(detection, fit(POINTS), draw_face(3), none, none > 0)


def frames(count, faces=(0,), mask=None, look_every=None):
    for number in range(count):
        aligned = looked() if look_every and number % look_every == 0 else None
        seen = [Sighting(t, POINTS, (60, 60, 200, 230), 1.0, aligned) for t in faces]
        yield Followed(number, draw_face(3), mask, tuple(seen))


def settle(settings, *args, **kwargs):
    model = Model()
    return list(Settling(model, settings).blocks(frames(*args, **kwargs))), model


@pytest.mark.parametrize("count", [1, 7, 20, 33])
@pytest.mark.parametrize("live", [False, True])
def test_every_frame_is_settled_once_and_in_order(count, live):
    blocks, _ = settle(Steadiness(live=live), count)
    numbers = [task.view.number for block in blocks for f in block for task in f.tasks]
    assert numbers == list(range(count))
    assert max(len(block) for block in blocks) <= Steadiness(live=live).block


def test_the_network_is_asked_of_some_frames_and_its_word_holds_between():
    blocks, model = settle(Steadiness(), 16)
    assert model.asked == 16 / MASK_EVERY
    for frame in (f for block in blocks for f in block):
        assert frame.tasks[0].view.hidden[BAR > 0].all()


def test_what_a_look_has_found_is_not_asked_again():
    blocks, model = settle(Steadiness(), 16, look_every=MASK_EVERY)
    assert model.asked == 0
    assert not any(f.tasks[0].view.hidden.any() for block in blocks for f in block)


def test_of_a_users_mask_the_network_is_not_asked():
    blocks, model = settle(Steadiness(), 10, mask=BAR > 0)
    assert model.asked == 0
    assert all(np.array_equal(f.tasks[0].view.hidden, BAR > 0) for block in blocks for f in block)


def test_two_people_are_settled_side_by_side_and_none_is_no_error():
    blocks, _ = settle(Steadiness(), 9, faces=(0, 1))
    tracks = [[t.view.sighting.track for t in f.tasks] for block in blocks for f in block]
    assert tracks == [[0, 1]] * 9
    blocks, model = settle(Steadiness(), 9, faces=())
    assert sum(len(block) for block in blocks) == 9
    assert model.asked == 0


def test_no_more_frames_wait_than_are_known_beyond_a_block():
    taken = []
    source = (taken.append(frame.number) or frame for frame in frames(60))
    settings = Steadiness(look_ahead=5)
    for i, block in enumerate(Settling(Model(), settings).blocks(source)):
        assert len(taken) <= settings.window + i * settings.block
        assert len(block) == min(settings.block, 60 - i * settings.block)


@pytest.mark.parametrize(("gap", "anew"), [(5, False), (13, False), (14, True), (30, True)])
def test_who_comes_back_after_a_gap_goes_on_or_begins_anew(gap, anew):
    settings, last = Steadiness(look_ahead=5), 12
    assert settings.window == 13
    away = range(last + 1, last + gap)
    source = (Followed(f.number, f.photo, None, ()) if f.number in away else f for f in frames(50))
    blocks = Settling(Model(), settings).blocks(source)
    motions = {t.view.number: t.view.motion for block in blocks for f in block for t in f.tasks}
    assert list(motions) == [i for i in range(50) if i not in away]
    begun = [n for n, motion in motions.items() if motion is None]
    assert begun == ([0, last + gap] if anew else [0])


def test_who_was_not_seen_for_long_begins_anew():
    settings, seen = Steadiness(live=True), (0, 1, 2, 4, 5)  # live, one frame's gap is long
    source = (f if f.number in seen else Followed(f.number, f.photo, None, ()) for f in frames(6))
    blocks = Settling(Model(), settings).blocks(source)
    motions = {t.view.number: t.view.motion for block in blocks for f in block for t in f.tasks}
    assert [n for n, motion in motions.items() if motion is None] == [0, 4]
