"""What was seen in other frames comes back where the face has moved to."""

import cv2
import numpy as np
import pytest

from unveil.imaging import grow
from unveil.video.memory import FORGOTTEN, NEVER, Memory, Sources, Trail, blended, look_up
from unveil.video.motion import Flow, here, opposite, warp

SIZE = 256


def texture(seed=0):
    rng = np.random.default_rng(seed)
    noise = rng.uniform(0, 255, (32, 32, 3)).astype(np.float32)
    return cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).clip(0, 255)


def moved(image, dx, dy=0.0):
    """The image with its content moved right and down."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_CUBIC).clip(0, 255)


def constant(dx, dy=0.0):
    return np.broadcast_to(np.float32([dx, dy]), (SIZE, SIZE, 2)).copy()


def test_what_is_hidden_for_twenty_frames_comes_back_sharp_where_it_has_moved_to():
    image, sources, trail = texture(), Sources(60), Trail()
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[100:140, 100:140] = True
    for i in range(21):
        frame = moved(image, 1.5 * i).astype(np.uint8)
        sources.add(i, frame)
        known = ~hidden if i else np.ones_like(hidden)
        sources.show(i, known)
        seen = trail.step(i, constant(-1.5), known)
    memory = look_up(20, seen, here()[hidden], sources)
    colours, trust = blended([memory])
    assert memory.way.max() == pytest.approx(30)  # at its left edge new pixels come in
    error = colours - frame[hidden]
    assert trust.min() == 1
    # Nineteen bilinear steps of half a pixel would have blurred it far beyond this.
    assert np.abs(error).mean() < 1.5


@pytest.mark.parametrize("speed", [0.05, 0.15, 0.3, 0.45])
def test_a_face_that_moves_slowly_is_not_remembered_from_behind_the_occluder(speed):
    """Nor is what lay at the occluder's place before it came there."""
    image, sources, trail = texture(), Sources(60), Trail()
    for i in range(31):
        hidden = np.zeros((SIZE, SIZE), bool)
        hidden[100:140, 100 : 140 + i] = True  # it comes over the face
        frame = moved(image, speed * i)
        sources.add(i, np.where(hidden[..., None], 0, frame).astype(np.uint8))
        seen = trail.step(i, constant(-speed), ~grow(hidden, 3))
    memory = look_up(30, seen, here()[hidden], sources)
    error = np.abs(memory.colours - frame[hidden])[memory.seen]
    assert memory.seen.sum() > 40 * 20  # what it came over, but for its edge
    assert error.mean() < 1.5
    assert np.quantile(error, 0.999) < 12


def test_what_was_no_face_is_taken_back():
    rng = np.random.default_rng(4)
    known = rng.random((6, SIZE, SIZE)) > 0.3
    doubts = rng.random((3, SIZE, SIZE)) > 0.7
    flows = [constant(*rng.normal(0, 2, 2)) for _ in range(7)]
    hasty, careful = Trail(undone=4), Trail()
    for i in range(6):
        hasty.step(i, flows[i], known[i])
    hasty.unsee(list(doubts), [None] * 3)
    for i in range(6):
        doubt = doubts[5 - i] if i > 2 else np.False_
        careful.step(i, flows[i], known[i] & ~doubt)
    pair = [t.step(6, flows[6], known[0]).state for t in (hasty, careful)]
    # Lengths of ways differ in their last bit, as the arrays lie in memory.
    np.testing.assert_allclose(*pair, rtol=1e-6)
    # What is taken back twice, or was never seen, changes nothing.
    hasty.unsee([np.zeros((SIZE, SIZE), bool), doubts[0]], [None] * 2)
    np.testing.assert_allclose(
        hasty.step(7, constant(0), known[1]).state, careful.step(7, constant(0), known[1]).state
    )


def test_the_way_may_be_measured_anew():
    still, moving = Trail(undone=2), Trail(undone=2)
    everywhere, nowhere = np.ones((SIZE, SIZE), bool), np.zeros((SIZE, SIZE), bool)
    doubt = nowhere.copy()
    doubt[100:140, 100:140] = True
    for trail, way in ((still, 0), (moving, -5)):
        trail.step(0, constant(0), everywhere)
        trail.step(1, constant(way), everywhere)
    still.unsee([doubt], [constant(-5)])
    moving.unsee([doubt], [None])
    assert np.array_equal(
        still.step(2, constant(0), nowhere).state, moving.step(2, constant(0), nowhere).state
    )


def test_what_was_never_seen_is_not_trusted():
    sources, trail = Sources(60), Trail()
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[100:140, 100:140] = True
    for i in range(3):
        sources.add(i, np.zeros((SIZE, SIZE, 3), np.uint8))
        seen = trail.step(i, constant(0), ~hidden)
    assert (seen.at(here()[hidden])[0] == NEVER).all()
    _, trust = blended([look_up(2, seen, here()[hidden], sources)])
    assert trust.max() == 0


def test_what_was_seen_long_ago_is_forgotten():
    sources, trail = Sources(FORGOTTEN + 5), Trail()
    hidden = np.ones((SIZE, SIZE), bool)
    for i in range(FORGOTTEN + 1):
        sources.add(i, np.zeros((SIZE, SIZE, 3), np.uint8))
        seen = trail.step(i, constant(0), ~hidden if i else hidden)
        trust = blended([look_up(i, seen, here()[hidden], sources)])[1].max()
        if i == 10:
            assert trust == 1
        if i == FORGOTTEN - 5:
            assert 0 < trust < 0.3
    assert trust == 0


def test_the_nearer_of_past_and_future_counts_more():
    past, future = (
        Memory(np.full((1, 3), level, np.float32), np.float32([age]), np.array([True]), np.zeros(1))
        for level, age in ((100, 5), (200, 1))
    )
    colours, trust = blended([past, future])
    assert colours[0, 0] == pytest.approx((100 / 25 + 200) / (1 / 25 + 1), abs=0.1)
    assert trust[0] == 1


def test_what_is_seen_now_was_seen_elsewhere_too():
    known = np.ones((SIZE, SIZE), bool)
    trail = Trail()
    trail.step(0, constant(0), known)
    seen = trail.step(1, constant(-5), known, np.ones_like(known))
    assert (seen.state[..., 2] == 1).all()
    assert (seen.away.state[..., 2] == 0).all()


def test_a_branch_goes_on_alone():
    known, nothing = np.ones((SIZE, SIZE), bool), np.zeros((SIZE, SIZE), bool)
    trail = Trail(undone=2)
    trail.step(0, constant(0), known)
    branch = trail.branch()
    branch.step(1, constant(0), known)
    assert (branch.step(2, constant(0), nothing).state[..., 2] == 1).all()
    assert (trail.step(2, constant(0), nothing).state[..., 2] == 0).all()


def test_a_memory_is_shown_in_the_light_of_now():
    sources, face, everywhere = Sources(60), texture() * 0.7, np.ones((SIZE, SIZE), bool)
    for number, gain in enumerate((0, 20, 2, 20)):
        sources.add(number, (face + gain).astype(np.uint8))
        sources.show(number, everywhere)
    place = np.float32([[80, 90]])
    assert sources.sample(np.int32([0]), place, 1)[0] == pytest.approx(face[90, 80] + 20, abs=4)
    # So little may be the head's motion, and what is measured on a few pixels, of anything.
    assert sources.sample(np.int32([0]), place, 2)[0] == pytest.approx(face[90, 80], abs=1.2)
    sources.show(3, here()[..., 0] < 90)
    assert sources.sample(np.int32([0]), place, 3)[0] == pytest.approx(face[90, 80], abs=1)


def test_a_face_moves_as_a_whole_under_what_hides_it():
    before, after = texture(3), moved(texture(3), 2.0, -1.0)
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[110:190, 80:180] = True
    # The occluder moves the other way.
    before[hidden], after[hidden] = moved(texture(4), 3)[hidden], moved(texture(4), -3)[hidden]
    pair = (after.astype(np.uint8), before.astype(np.uint8))
    flow, face = Flow().rough(*pair), Flow().of_the_face(*pair, hidden)
    assert np.abs(face[hidden] - (-2.0, 1.0)).mean() < 0.25
    assert np.abs(flow[hidden] - (-2.0, 1.0)).mean() > 1


def test_opposite_leads_back():
    flow = np.stack([np.sin(here()[..., 1] / 40), np.cos(here()[..., 0] / 50)], axis=2) * 3
    flow = flow.astype(np.float32)
    there = flow + warp(opposite(flow), flow)
    assert np.abs(there[20:-20, 20:-20]).max() < 0.2
