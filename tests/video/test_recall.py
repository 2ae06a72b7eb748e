"""Behind an occluder, what was seen before and what will be seen after lie on each other."""

import cv2
import numpy as np
import pytest

from unveil.imaging import grow, shrunk
from unveil.video.memory import Sources, Trail
from unveil.video.motion import Flow
from unveil.video.recall import FURTHEST, RIM, recall

SIZE, LAST = 256, 12
STILL = np.zeros((SIZE, SIZE, 2), np.float32)
HIDDEN = np.zeros((SIZE, SIZE), bool)
HIDDEN[90:160, 90:160] = True


def frame(shift, brighter=0):
    """A textured face that has moved `shift` pixels to the right."""
    noise = np.random.default_rng(0).uniform(0, 200, (40, 40, 3)).astype(np.float32)
    whole = cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    matrix = np.array([[1, 0, shift], [0, 1, 0]], np.float32)
    moved = cv2.warpAffine(whole, matrix, (SIZE, SIZE), flags=cv2.INTER_CUBIC)
    return (moved + brighter).clip(0, 255).astype(np.uint8)


def told(speeds, now, ahead=True, seen_last=True):
    """Colours and trust in frame `now` of a face that is hidden from the second frame on, until the
    last one. `speeds`: its true motion and what is believed of it, pixels a frame."""
    true, believed = speeds
    sources, past, future, flow = Sources(60), Trail(), Trail(), Flow()
    back = STILL - np.float32([believed, 0])
    for i in range(LAST + 1):
        sources.add(i, frame(true * i))
    for i in range(now + 1):
        before = past.step(i, back, ~HIDDEN if i else np.ones_like(HIDDEN))
    for i in range(LAST, now - 1, -1):
        known = ~HIDDEN if i < LAST or not seen_last else np.ones_like(HIDDEN)
        after = future.step(i, -back, known)
    return recall(now, frame(true * now), HIDDEN, before, after if ahead else None, sources, flow)


def error(result, true, now):
    return np.abs(result[0] - frame(true * now)[HIDDEN]).mean()


@pytest.mark.parametrize("now", [3, 6, 9])
def test_a_motion_that_nobody_saw_is_made_up_for(now):
    true = 0.4
    ahead, alone = (told((true, 0.0), now, ahead) for ahead in (True, False))
    assert error(alone, true, now) > 5
    assert error(ahead, true, now) < 0.4 * error(alone, true, now)
    assert ahead[1].min() == 1


def test_what_agrees_stays_as_it_is():
    right = told((0.5, 0.5), 6)
    assert error(right, 0.5, 6) < 1.5


def test_what_seems_far_apart_is_moved_by_a_few_pixels_only():
    """A motion that is further off than that was measured wrongly."""

    class Wrong:
        def fine(self, first, second):
            return STILL + np.float32([100, 0])

    ramp = np.broadcast_to(np.arange(SIZE, dtype=np.uint8)[None, :, None], (SIZE, SIZE, 3))
    sources, past, future = Sources(60), Trail(), Trail()
    for i, face in enumerate((ramp, ramp, np.full_like(ramp, 200))):
        sources.add(i, face)
    past.step(0, STILL, np.ones_like(HIDDEN))
    future.step(2, STILL, np.ones_like(HIDDEN))
    before, after = (trail.step(1, STILL, ~HIDDEN) for trail in (past, future))
    colours = np.zeros((SIZE, SIZE, 3), np.float32)
    colours[HIDDEN] = recall(1, ramp, HIDDEN, before, after, sources, Wrong())[0]
    # Half of it each: the past is taken from there.
    assert colours[125, 125] == pytest.approx((125 - FURTHEST / 2 + 200) / 2, abs=0.5)


def test_a_future_that_saw_nothing_says_nothing():
    with_it, without = (told((0.4, 0.4), 6, ahead, seen_last=False) for ahead in (True, False))
    never = shrunk(HIDDEN, 6)[HIDDEN]  # nearer to the edge, what is hidden comes out
    for one, other in zip(with_it, without, strict=True):
        np.testing.assert_array_equal(one[never], other[never])


def lit(step, amount):
    """What is remembered of a still face on which a lamp goes on after `step` frames."""
    sources, past = Sources(60), Trail()
    around = grow(HIDDEN, RIM)
    for i in range(LAST):
        known = ~HIDDEN if i else np.ones_like(HIDDEN)
        sources.add(i, frame(0, amount * (i >= step)))
        sources.show(i, known)
        seen = past.step(i, STILL, known, around)
    return recall(LAST - 1, frame(0, amount), HIDDEN, seen, None, sources, Flow())


@pytest.mark.parametrize("amount", [-20, 14, 20])
@pytest.mark.parametrize("step", [1, LAST - 1])
def test_a_memory_is_shown_in_the_light_of_now(step, amount):
    colours, trust = lit(step, amount)
    assert trust.min() == 1
    assert np.abs(colours - frame(0, amount)[HIDDEN]).mean() < 0.3 * abs(amount)
    assert np.abs(lit(0, amount)[0] - frame(0, amount)[HIDDEN]).max() < 0.01  # it was on before


def test_what_is_remembered_meets_its_surroundings():
    """A lamp at one side: the face as a whole is hardly brighter."""
    bright, around = np.zeros((SIZE, SIZE, 3), np.float32), grow(HIDDEN, RIM)
    bright[:, 90:] = np.linspace(0, 1, SIZE - 90)[:, None] * 30
    after = np.minimum(frame(0) + bright, 255).astype(np.uint8)
    sources, past = Sources(60), Trail()
    for i, (face, known) in enumerate([(frame(0), np.ones_like(HIDDEN)), (after, ~HIDDEN)]):
        sources.add(i, face)
        seen = past.step(i, STILL, known, around)
    colours, _ = recall(1, after, HIDDEN, seen, None, sources, Flow())
    left = np.abs(colours - after[HIDDEN]).mean()
    assert left < 0.3 * np.abs(frame(0)[HIDDEN].astype(int) - after[HIDDEN]).mean()
