import cv2
import numpy as np
import pytest

from unveil.evaluation.flicker import LEAST, RIM, Truth, flicker, regions
from unveil.faces.align import invert

SIDE = 160


def texture(seed=0):
    """Blurred noise of mid brightness, larger than a frame."""
    noise = np.random.default_rng(seed).normal(0, 1, (SIDE + 60, SIDE + 60, 3))
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.rint(127 + 40 * soft / soft.std()).clip(20, 230).astype(np.uint8)


@pytest.fixture(scope="module")
def moving():
    """Six frames of a texture that moves by two pixels right and one down a frame."""
    image = texture()
    return [image[30 - i : 30 - i + SIDE, 40 - 2 * i : 40 - 2 * i + SIDE].copy() for i in range(6)]


@pytest.fixture(scope="module")
def hidden():
    mask = np.zeros((SIDE, SIDE), bool)
    mask[50:110, 50:110] = True
    return [mask] * 6


def test_what_moves_with_the_clip_does_not_flicker(moving, hidden):
    truth = Truth(moving)
    here = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), 2)
    for before in truth.before:
        off = (before - here)[50:110, 50:110].mean(axis=(0, 1))
        assert off == pytest.approx((-2, -1), abs=0.1)  # from where each pixel came
    own = truth.scores(moving, hidden)
    assert own["psnr_hidden"] == 100
    assert own["flicker"] < 1
    # What stays where it is while the clip moves on: as much as the texture differs from itself.
    stuck = truth.scores([moving[0]] * 6, hidden)
    assert stuck["flicker"] > 10


def test_what_blinks_by_ten_flickers_by_ten(moving, hidden):
    blinking = [frame + np.uint8(10 * (i % 2)) for i, frame in enumerate(moving)]
    scores = Truth(moving).scores(blinking, hidden)
    assert scores["flicker"] == pytest.approx(10, abs=0.5)
    assert scores["flicker_own"] == pytest.approx(10, abs=0.5)
    # Half of the frames are right, the others off by ten.
    wrong = 10 * np.log10(255**2 / 100)
    assert scores["psnr_hidden"] == pytest.approx((100 + wrong) / 2)


def test_what_shakes_flickers_by_the_true_motion_alone(moving, hidden):
    shaking = [np.roll(frame, 2 * (i % 2), axis=1) for i, frame in enumerate(moving)]
    truth = Truth(moving)
    clean = flicker(moving, hidden, truth.before)
    scores = truth.scores(shaking, hidden)
    assert scores["flicker"] > 5 * clean
    assert scores["flicker_own"] < 2 * clean


def test_frames_that_hide_hardly_anything_do_not_count(moving, hidden):
    few = np.zeros_like(hidden[0])
    few.flat[: LEAST - 1] = True
    spoilt = [moving[0], *(np.zeros_like(frame) for frame in moving[1:3]), *moving[3:]]
    scores = Truth(moving).scores(spoilt, [hidden[0], few, few, few, *hidden[4:]])
    assert scores["psnr_hidden"] == 100
    assert scores["flicker"] < 1


def test_regions_leave_the_rim_of_the_face_out():
    everything = np.ones((300, 320), bool)
    placed = np.float32([[1, 0, -20], [0, 1, -30]])  # the frame's corner lies at x 20, y 30
    (found,) = regions([everything], [placed])
    expected = np.zeros_like(everything)
    expected[30 + RIM : 286 - RIM, 20 + RIM : 276 - RIM] = True
    assert np.array_equal(found, expected)
    half = everything.copy()
    half[:, :150] = False
    assert np.array_equal(regions([half], [placed])[0], expected & half)
    large = np.float32([[0.5, 0, 0], [0, 0.5, 0]])  # a face of 512 pixels, cut off by the photo
    middle = np.array(invert(large)) @ (RIM + 1, RIM + 1, 1)
    assert regions([everything], [large])[0][tuple(np.int32(middle[::-1]))]
    assert not regions([everything], [large])[0][: 2 * RIM - 2].any()
