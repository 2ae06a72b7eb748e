"""Whole photographs through the pipeline, with a model known by heart."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import draw_face
from photos import TWO, scene
from stand_in import COLOUR

import unveil
from unveil.errors import MaskError, UsageError
from unveil.imaging import grow


@pytest.fixture(scope="module")
def restorer(model):
    return unveil.Restorer(model, threads=1)


def test_every_face_is_found_restored_and_described(restorer):
    photo, hidden = scene(*TWO)
    out = restorer.restore(photo)
    assert np.array_equal(out.photo[~out.invented], photo[~out.invented])
    assert (out.invented & hidden).sum() > 0.98 * hidden.sum()
    assert out.invented.sum() < 1.5 * hidden.sum()
    inner = hidden & ~grow(~hidden, 5)
    assert out.photo[inner].max(-1).min() > 20
    first, second = out.faces
    assert 60 < first.box[0] < first.box[2] < 316
    assert 480 < second.box[0] < second.box[2] < 820
    assert first.coverage == pytest.approx(0.035, abs=0.02)


def test_masks_of_some_photos_only(restorer):
    photo, hidden = scene(*TWO)
    mask = np.roll(hidden, 9, 1)
    both = restorer.restore_many([photo, photo], [None, mask])
    for one, other in zip(
        both, (restorer.restore(photo), restorer.restore(photo, mask)), strict=True
    ):
        assert np.array_equal(one.invented, other.invented)
        assert np.abs(one.photo.astype(int) - other.photo).max() <= 1
        assert [f.coverage for f in one.faces] == [f.coverage for f in other.faces]


def test_nothing_hidden_changes_nothing(restorer):
    photo, _ = scene(*TWO, hide=False)
    out = restorer.restore(photo)
    assert len(out.faces) == 2
    assert np.array_equal(out.photo, photo)
    assert not out.invented.any()
    assert [f.coverage for f in out.faces] == [0, 0]


def test_a_photo_without_a_face_comes_back_without_faces(restorer):
    photo, _ = scene()
    out = restorer.restore(photo)
    assert out.faces == ()
    assert np.array_equal(out.photo, photo)
    assert restorer.find(photo) is None


def test_the_users_mask_in_the_photos_frame(restorer):
    photo, hidden = scene(*TWO)
    outside = hidden.copy()
    outside[5:20, 880:895] = True  # in no face
    out = restorer.restore(photo, outside)
    assert np.array_equal(out.invented, hidden)
    assert np.array_equal(out.photo[~hidden], photo[~hidden])
    inner = hidden & ~grow(~hidden, 5)
    wrong = np.abs(out.photo[inner].astype(int) - COLOUR)
    assert np.median(wrong) < 60  # joined to its surroundings, so not the colour itself


def test_in_a_face_seen_from_the_side_only_the_users_mask_counts(model, monkeypatch):
    restorer = unveil.Restorer(model, threads=1)
    photo, hidden = scene(*TWO)
    first, second = restorer.detector.find(photo)
    middle = first.points[:, :1].mean()
    profile = first.points.copy()
    profile[:, :1] = middle + 0.3 * (profile[:, :1] - middle)
    side = (replace(first, points=profile), second)
    monkeypatch.setattr(restorer.detector, "find", lambda photo, min_size: side)
    out = restorer.restore(photo)
    assert np.array_equal(out.photo[:, :400], photo[:, :400])
    assert out.invented[:, 480:].any()
    assert restorer.restore(photo, hidden).invented[:, :400].any()


@pytest.mark.parametrize("told", [False, True])
def test_many_photos_are_each_as_alone(restorer, told):
    scenes = [scene(*TWO), scene(), scene(TWO[0]), scene(TWO[1], hide=False)]
    photos, hidden = zip(*scenes, strict=True)
    masks = list(hidden) if told else None
    many = restorer.restore_many(photos, masks)
    assert [len(one.faces) for one in many] == [2, 0, 1, 1]
    for i, one in enumerate(many):
        alone = restorer.restore(photos[i], hidden[i] if told else None)
        assert np.array_equal(one.photo, alone.photo)
        assert np.array_equal(one.invented, alone.invented)
        assert [f.coverage for f in one.faces] == [f.coverage for f in alone.faces]


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (2, 2), (9, 2)])
def test_the_largest_faces(restorer, count, expected):
    photo, _ = scene(*TWO)
    out = restorer.restore(photo, faces=count)
    assert len(out.faces) == expected
    assert out.invented[:, 480:].any()
    assert out.invented[:, :400].any() == (expected == 2)
    assert out.passed_over == 2 - expected
    assert np.array_equal(restorer.find(photo, faces=count), out.invented)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_is_restored_where_it_is_hidden(restorer, turns):
    photo, hidden = (np.rot90(a, turns).copy() for a in scene(TWO[0]))
    out = restorer.restore(photo)
    assert (out.invented & hidden).sum() > 0.98 * hidden.sum()
    assert out.invented.sum() < 1.5 * hidden.sum()


def tinted(model):
    """Its `fill`, with a tint that no joining to the surroundings takes away."""
    plain = model.fill

    def fill(faces, hidden, *manner):
        faces = plain(faces, hidden, *manner)
        faces[hidden] = np.clip(faces[hidden] + np.array([30, 0, -30]), 0, 255)
        return faces

    return fill


def grey(photo):
    return np.repeat(photo.mean(-1, keepdims=True).astype(np.uint8), 3, axis=2)


@pytest.fixture
def tinting(model, monkeypatch):
    restorer = unveil.Restorer(model, threads=1)
    monkeypatch.setattr(restorer.model, "fill", tinted(restorer.model))
    return restorer


def test_a_photo_without_colours_gets_none(tinting):
    out = tinting.restore(grey(scene(*TWO)[0]))
    assert out.invented.any()
    assert np.ptp(out.photo, axis=-1).max() == 0
    (frame,) = unveil.restore_video([grey(scene(*TWO)[0])], None, tinting)
    assert frame.invented.any()
    assert np.ptp(frame.photo, axis=-1).max() == 0


def test_an_aligned_face_without_colours_gets_none(tinting):
    face, mask = grey(draw_face(1, 300)), np.zeros((300, 300), bool)
    mask[150:220, 100:200] = True
    assert np.ptp(tinting.restore(face, mask, aligned=True).photo, axis=-1).max() == 0
    face[0, 0] = 255, 0, 0  # one colour is enough
    face[:40] = face[0, 0]
    assert np.ptp(tinting.restore(face, mask, aligned=True).photo[mask], axis=-1).min() > 0


def test_a_face_of_which_nothing_is_known_may_have_colours(tinting):
    photo, _ = scene(*TWO)
    out = tinting.restore(photo, np.ones(photo.shape[:2], bool))
    assert np.ptp(out.photo[out.invented], axis=-1).mean() > 20


def test_large_photo_at_its_own_resolution(restorer):
    photo, hidden = scene((1, 300, 100, 1500), size=(1800, 2400))
    out = restorer.restore(photo)
    assert (out.invented & hidden).sum() > 0.98 * hidden.sum()
    assert np.array_equal(out.photo[~out.invented], photo[~out.invented])


def test_wrong_calls(restorer):
    photo, _ = scene()
    with pytest.raises(UsageError, match="at least one face"):
        restorer.restore(photo, faces=0)
    with pytest.raises(MaskError, match="same size"):
        restorer.restore(photo, np.zeros((3, 3), bool))
