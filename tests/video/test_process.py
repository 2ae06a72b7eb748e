"""The pipeline over frames, with the model that finds black and paints one colour."""

import numpy as np
import pytest
from clips import black_box, faces

import unveil
from unveil.errors import ImageError, MaskError, UsageError
from unveil.restorer import Restorer
from unveil.video.steadiness import Steadiness

MOUTH = (slice(103, 118), slice(65, 95))


@pytest.fixture(scope="module")
def restorer(model):
    return Restorer(model, threads=1)


@pytest.mark.parametrize("live", [False, True])
def test_known_pixels_stay_and_hidden_ones_are_restored(restorer, live):
    frames, hidden = black_box(faces(12, step=0), *MOUTH)
    results = list(unveil.restore_video(frames, None, restorer, Steadiness(live=live)))
    assert len(results) == 12
    for frame, result in zip(frames, results, strict=True):
        assert np.array_equal(result.photo[~result.invented], frame[~result.invented])
        assert result.invented[hidden].all()
        assert result.invented.mean() < 3 * hidden.mean()
        assert [face.track for face in result.faces] == [0]
        assert result.photo[hidden].mean() > 60  # not black any more


def test_a_hand_that_passes_gives_way_to_what_was_and_will_be_seen(restorer):
    clean = faces(40, step=0)
    masks = []
    for i in range(40):
        mask = np.zeros(clean[0].shape[:2], bool)
        left = -30 + 5 * i
        mask[60:, max(0, left) : max(0, left + 30)] = True
        masks.append(mask)
    occluded = [np.where(m[..., None], np.uint8(0), f) for f, m in zip(clean, masks, strict=True)]

    def error(steadiness):
        results = unveil.restore_video(occluded, masks, restorer, steadiness)
        gaps = [
            np.abs(r.photo[r.invented].astype(float) - f[r.invented]).mean()
            for r, f in zip(results, clean, strict=True)
            if r.invented.any()
        ]
        return np.mean(gaps)

    remembered = error(Steadiness())
    assert remembered < 3
    assert error(Steadiness(remember=False)) > 2 * remembered


def test_a_face_that_comes_later_is_remembered_as_well(restorer):
    clean, empty = faces(34, step=0), np.full((160, 160, 3), (120, 130, 110), np.uint8)
    frames = []
    for i, photo in enumerate(clean):
        left = 10 * i - 60
        frames.append(photo.copy())
        frames[-1][40:150, max(0, left) : max(0, left + 50)] = 0

    def error(before):
        results = list(unveil.restore_video([empty] * before + frames, None, restorer))[before:]
        gaps = [
            np.abs(r.photo[r.invented].astype(float) - f[r.invented]).mean()
            for r, f in zip(results, clean, strict=True)
            if r.invented.any()
        ]
        return np.mean(gaps)

    # In the second, the first frames to be restored are without the face, and the next with it.
    assert error(12) < 1.1 * error(0)


def test_frames_are_held_in_a_bounded_number(restorer):
    taken = 0

    def endless():
        nonlocal taken
        for photo in faces(6) * 30:
            taken += 1
            yield photo

    results = unveil.restore_video(endless(), np.zeros((160, 160), bool), restorer)
    for done in range(1, 60):
        next(results)
        # A block, what is seen after it, steady points; the next block; and three on their way.
        assert taken - done <= 8 + 16 + 16 + (8 + 1) + 3
    results.close()


def test_live_gives_each_frame_before_it_takes_the_next(restorer):
    taken = 0

    def camera():
        nonlocal taken
        for photo in faces(6):
            taken += 1
            yield photo

    results = unveil.restore_video(camera(), None, restorer, Steadiness(live=True))
    for done, _ in enumerate(results, 1):
        assert taken == done


def test_nothing_to_find(restorer):
    grey = [np.full((50, 61, 3), 120, np.uint8)] * 3
    results = list(unveil.restore_video(grey, None, restorer))
    assert [r.faces for r in results] == [()] * 3
    assert all(np.array_equal(r.photo, grey[0]) and not r.invented.any() for r in results)
    assert list(unveil.restore_video([], None, restorer)) == []


def test_one_frame(restorer):
    frames, hidden = black_box(faces(1), *MOUTH)
    (result,) = unveil.restore_video(frames, hidden, restorer)
    assert np.array_equal(result.invented, hidden)


@pytest.mark.parametrize(
    ("frames", "mask", "error"),
    [
        ([np.zeros((9, 9), np.uint8)], None, ImageError),
        ([np.zeros((9, 9, 3), np.uint8)], np.zeros((9, 8), bool), MaskError),
        ([np.zeros((9, 9, 3), np.uint8)] * 2, [np.zeros((9, 9), bool)], MaskError),
        ([np.zeros((9, 9, 3), np.uint8), np.zeros((9, 8, 3), np.uint8)], None, UsageError),
    ],
)
def test_wrong_frames_and_masks(restorer, frames, mask, error):
    with pytest.raises(error):
        list(unveil.restore_video(frames, mask, restorer))


FRAME = np.zeros((9, 9, 3), np.uint8)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"frames": None}, ImageError),
        ({"frames": "clip.mp4"}, ImageError),
        ({"frames": [None]}, ImageError),
        ({"mask": 5}, MaskError),
        ({"mask": "mask.png"}, MaskError),
        ({"mask": np.zeros((1, 9, 8), bool)}, MaskError),
        ({"model": 5}, UsageError),
        ({"steadiness": True}, UsageError),
        ({"faces": 0}, UsageError),
        ({"faces": "2"}, UsageError),
        ({"detail": 1.5}, UsageError),
        ({"detail": "much"}, UsageError),
    ],
    ids=str,
)
def test_wrong_types_and_numbers(restorer, arguments, error):
    with pytest.raises(error):
        list(unveil.restore_video(**({"frames": [FRAME], "model": restorer} | arguments)))


def test_masks_in_one_array(restorer):
    frames, hidden = black_box(faces(3, step=0), *MOUTH)
    masks = np.stack([hidden, np.zeros_like(hidden), hidden])
    results = list(unveil.restore_video(np.stack(frames), masks, restorer))
    assert np.array_equal([r.invented for r in results], masks)


@pytest.mark.parametrize(("masked", "told"), [("1110", "3 is None"), ("0010", "2 is given")])
def test_some_masks_of_a_clip_are_missing(restorer, masked, told):
    frames, hidden = black_box(faces(4, step=0), *MOUTH)
    masks = [hidden if mask == "1" else None for mask in masked]
    with pytest.raises(MaskError, match=f"mask {told}: all frames have one, or none"):
        list(unveil.restore_video(frames, masks, restorer))
    results = list(unveil.restore_video(frames, [None] * 4, restorer))
    assert all(result.invented[hidden].all() for result in results)


def test_one_buffer_for_all_frames(restorer):
    frames, hidden = black_box(faces(12, step=2), *MOUTH)
    photo, mask = np.zeros_like(frames[0]), np.zeros_like(hidden)

    def camera():
        for frame in frames:
            photo[:] = frame
            yield photo

    def masks():
        for i in range(12):
            mask[:] = np.roll(hidden, i, axis=1)
            yield mask

    results = unveil.restore_video(camera(), masks(), restorer)
    for i, result in enumerate(results):
        known = ~result.invented
        assert np.array_equal(result.photo[known], frames[i][known])
        assert np.array_equal(result.invented, np.roll(hidden, i, axis=1))


def test_the_largest_face(restorer):
    small = faces(9, seed=2, size=(160, 90), step=0)
    small, _ = black_box(small, slice(88, 96), slice(35, 55))
    large, _ = black_box(faces(9, step=0), *MOUTH)
    frames = [np.hstack(pair) for pair in zip(small, large, strict=True)]
    for count, found in [(None, 2), (1, 1)]:
        results = list(unveil.restore_video(frames, None, restorer, faces=count))
        assert [len(r.faces) for r in results] == [found] * 9
        assert results[4].invented[MOUTH[0], 90 + 65 : 90 + 95].all()
        assert results[4].invented[:, :90].any() == (found == 2)


@pytest.mark.parametrize("live", [False, True])
def test_faces_are_given_from_left_to_right(restorer, live):
    there, coming = faces(24, step=0), faces(24, seed=2, step=0)
    empty = np.full_like(there[0], (120, 130, 110))
    frames = []
    for i in range(24):
        entered = min(160, 16 * i)
        left = np.hstack([coming[i][:, 160 - entered :], empty])[:, :160]
        frames.append(np.hstack([left, empty, there[i]]))
    results = list(unveil.restore_video(frames, None, restorer, Steadiness(live=live)))
    assert [face.track for face in results[-1].faces] == [1, 0]
    for result in results:
        lefts = [face.box[0] for face in result.faces]
        assert lefts == sorted(lefts)


def test_detail_is_asked_of_the_model(restorer, monkeypatch):
    asked, fill = [], restorer.model.fill

    def recorded(faces, hidden, *manner):
        asked.extend(each.detail for each in manner)
        return fill(faces, hidden, *manner)

    monkeypatch.setattr(restorer.model, "fill", recorded)
    frames, hidden = black_box(faces(2, step=0), *MOUTH)
    list(unveil.restore_video(frames, hidden, restorer, detail=0.25))
    assert set(asked) == {0.25}


@pytest.mark.parametrize("frames", [-1, 251, 2.5, "16"])
def test_look_ahead_is_bounded(frames):
    with pytest.raises(UsageError, match="look_ahead"):
        Steadiness(look_ahead=frames)
