"""What is invented stays steady, and known pixels stay as they are."""

import numpy as np
import pytest
from moving import SIZE, shift, square

from unveil.faces.hidden import believed
from unveil.video.smooth import (
    FILL_EVERY,
    SURE_FRAMES,
    Canvas,
    counted,
    next_mask,
    steady,
    threshold,
)

STILL = np.zeros((SIZE, SIZE, 2), np.float32)
NOTHING = (np.zeros((0, 3), np.float32), np.zeros(0, np.float32))


def hidden_box():
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[100:150, 90:160] = True
    return hidden, (np.zeros((hidden.sum(), 3), np.float32), np.zeros(hidden.sum(), np.float32))


def test_masks_between_those_of_the_network_move_with_the_occluder():
    masks = [square(40), None, None, square(70), None, None, square(100)]
    motion = (shift(-10), shift(10))
    steadied = steady(masks, [motion] * 7)[0]
    assert len(steadied) == 7
    for i, mask in enumerate(steadied):
        assert np.abs(mask - square(40 + 10 * i)).mean() < 0.002


def test_what_came_before_is_no_word_of_what_follows():
    gone = np.zeros((SIZE, SIZE), np.float32)
    masks = [gone, None, None, None, gone]
    steadied, carried = steady(masks, [(STILL, STILL)] * 5, square(80))
    inside = square(80) > 0
    assert len(steadied) == len(carried) == 5
    for mask, before in zip(steadied[:4], carried[:4], strict=True):
        assert np.allclose(before[inside], 0.3, atol=1e-6)
        assert np.allclose(mask[inside], 0.15, atol=1e-6)


def test_the_past_is_the_same_in_one_piece_and_in_two():
    masks = [square(40), None, square(50), None, square(60), None]
    flows = [(shift(-5), shift(5))] * 6
    whole = steady(masks, flows)[1]
    first = steady(masks[:3], flows[:3])[1]
    second = steady(masks[3:], flows[3:], first[-1])[1]
    for one, other in zip(whole, [*first, *second], strict=True):
        assert np.array_equal(one, other)


def test_a_mask_that_fails_once_does_not_flicker():
    masks = [square(80), square(80), np.zeros((SIZE, SIZE), np.float32), square(80), square(80)]
    middle = steady(masks, [(STILL, STILL)] * 5)[0][1]
    assert (threshold(middle)[square(80) > 0]).all()


def test_a_live_mask_follows_at_once():
    state = next_mask(np.zeros((SIZE, SIZE), np.float32), square(80), STILL)
    assert threshold(state)[square(80) > 0].all()


def test_an_occluder_that_was_shown_a_frame_ago_does_not_fade_out():
    hidden, real = hidden_box()
    face = np.full((SIZE, SIZE, 3), 120, np.uint8)
    shown = face.copy()
    shown[hidden] = 250  # nobody knew yet
    canvas, trust = Canvas(), np.ones(hidden.sum(), np.float32)
    canvas.next(shown, np.zeros_like(hidden), None, (real[0][:0], trust[:0]), None)
    seen = (real[0] + np.float32(100), trust)
    filled = canvas.next(face, hidden, STILL, seen, None, hidden)
    assert filled[hidden].max() == 100
    filled = canvas.next(face, hidden, STILL, (real[0] + np.float32(130), trust), None)
    assert 100 < filled[hidden].max() < 125  # in steps


def test_known_pixels_are_kept_bit_by_bit():
    hidden, real = hidden_box()
    face = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3)).astype(np.uint8)
    canvas = Canvas()
    for _ in range(3):
        filled = canvas.next(face, hidden, STILL, real, np.zeros_like(face))
        assert np.array_equal(filled[~hidden], face[~hidden])


def test_proposals_that_jump_become_a_fill_that_does_not():
    hidden, real = hidden_box()
    face = np.full((SIZE, SIZE, 3), 120, np.uint8)
    rng, canvas, levels = np.random.default_rng(1), Canvas(), []
    for i in range(80):
        proposal = np.full_like(face, 120 + rng.integers(-30, 31)) if i % FILL_EVERY == 0 else None
        flow = STILL if i else None
        levels.append(canvas.next(face, hidden, flow, real, proposal)[hidden].mean())
    assert np.abs(np.diff(levels[20:])).max() < 3  # proposals jump by 20 on average
    assert np.mean(levels[20:]) == pytest.approx(120, abs=8)


def test_real_pixels_beat_invented_ones():
    hidden, _ = hidden_box()
    face = np.full((SIZE, SIZE, 3), 120, np.uint8)
    real = (np.full((hidden.sum(), 3), 50, np.float32), np.ones(hidden.sum(), np.float32))
    assert (Canvas().next(face, hidden, None, real, np.full_like(face, 200))[hidden] == 50).all()


def test_the_fill_follows_the_light_of_its_surroundings():
    hidden, real = hidden_box()
    canvas = Canvas()
    for i in range(6):
        face = np.full((SIZE, SIZE, 3), 100 + 5 * i, np.uint8)
        first = np.full_like(face, 90) if i == 0 else None
        filled = canvas.next(face, hidden, STILL if i else None, real, first)
    assert filled[hidden].mean() == pytest.approx(90 + 25, abs=2)


def unsure(mask, level=0.7):
    return mask * np.float32(level)


def sure(masks):
    return [None if mask is None else believed(mask) for mask in masks]


def test_a_part_counts_while_the_network_is_sure_of_it_nearby_in_time():
    real, mistake = square(40), square(180)
    masks = [real + unsure(mistake), None, unsure(real) + unsure(mistake), None, real]
    found = counted(masks, sure(masks))
    assert [mask is None for mask in found] == [False, True, False, True, False]
    for mask in found[::2]:
        assert (mask[real > 0] > 0.5).all()
        assert not mask[mistake > 0].any()


def test_what_was_sure_once_is_not_believed_for_ever():
    once = square(40)
    masks = [once, *[unsure(once)] * (SURE_FRAMES + 3)]
    seen = [bool(mask.any()) for mask in counted(masks, sure(masks))]
    assert seen == [True] * (SURE_FRAMES + 1) + [False] * 3
    later = [unsure(once)]
    assert counted(later, sure(later), [once > 0])[0].any()
    assert not counted(later, sure(later))[0].any()


def test_without_memory_only_what_was_invented_is_carried():
    hidden, real = hidden_box()
    canvas = Canvas(remember=False)
    face = np.full((SIZE, SIZE, 3), 120, np.uint8)
    canvas.next(face, np.zeros_like(hidden), None, NOTHING, None)
    proposal = np.full_like(face, 200)
    first = canvas.next(face, hidden, STILL, real, proposal)
    assert (first[hidden] == 200).all()  # not the 120 that was seen a frame ago
    second = canvas.next(face, hidden, STILL, real, np.full_like(face, 20))
    assert second[hidden].mean() > 150


def test_what_was_seen_goes_over_softly_to_what_is_invented():
    hidden, real = hidden_box()
    face = np.full((SIZE, SIZE, 3), 120, np.uint8)
    seen = np.zeros_like(hidden)
    seen[:, :125] = True
    colours, trust = real[0] + np.float32(60), seen[hidden].astype(np.float32)
    filled = Canvas().next(face, hidden, None, (colours, trust), np.full_like(face, 160))
    row = filled[125, 90:160, 0].astype(int)
    assert row[0] == 60
    assert row[-1] == 160
    assert np.abs(np.diff(row)).max() < 40


def test_what_was_seen_before_goes_over_to_what_will_be_seen():
    hidden, real = hidden_box()
    face, trust = np.full((SIZE, SIZE, 3), 120, np.uint8), np.ones(hidden.sum(), np.float32)
    canvas, levels = Canvas(), []
    for i in range(16):
        colours = real[0] + np.float32(100 if i < 4 else 130)
        filled = canvas.next(face, hidden, STILL if i else None, (colours, trust), None)
        levels.append(filled[hidden].mean())
    assert levels[3] == 100
    assert np.abs(np.diff(levels)).max() < 16  # of 30
    assert levels[-1] == pytest.approx(130, abs=2)


def pattern(moved):
    """A proposal of fine stripes, so many pixels to the right."""
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    level = np.uint8(128 + 60 * np.sin((x - moved) / 2) * np.sin(y / 3))
    return np.repeat(level[..., None], 3, axis=2)


def test_what_was_invented_stays_sharp_while_it_moves():
    proposal = pattern(0)
    hidden, real = hidden_box()
    face, canvas = np.full_like(proposal, 128), Canvas()
    for i in range(61):
        flow = shift(-0.35) if i else None
        filled = canvas.next(face, hidden, flow, real, None if i else proposal)
    inside = (slice(105, 145), slice(95, 155))
    assert filled[inside].std() > 0.9 * proposal[inside].std()
    assert np.abs(filled[inside] - pattern(21).astype(float)[inside]).mean() < 6


def test_proposals_that_agree_with_what_moves_a_little_leave_it_as_it_is():
    hidden, real = hidden_box()
    face, canvas = np.full((SIZE, SIZE, 3), 128, np.uint8), Canvas()
    for i in range(33):
        flow = shift(-0.35) if i else None
        proposal = None if i % FILL_EVERY else pattern(0.35 * i)
        filled = canvas.next(face, hidden, flow, real, proposal)
    inside = (slice(105, 145), slice(95, 155))
    wrong = filled[inside] - pattern(0.35 * 32).astype(float)[inside]
    assert np.abs(wrong).mean() < 0.7  # painted anew with each of them, it would be off by 2


def test_what_is_invented_is_whole_however_far_the_face_has_moved():
    """Further than the frame that it was painted in reaches."""
    ramp = np.broadcast_to(np.arange(SIZE, dtype=np.uint8)[None, :, None], (SIZE, SIZE, 3)).copy()
    hidden, real = hidden_box()
    canvas = Canvas()
    for i in range(150):
        proposal = None if i % FILL_EVERY else ramp
        filled = canvas.next(ramp, hidden, shift(-1) if i else None, real, proposal)
    row = filled[125, 95:155, 0].astype(int)
    assert row[-1] - row[0] == pytest.approx(59, abs=8)  # and not all the same
