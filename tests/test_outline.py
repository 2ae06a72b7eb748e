"""A face is aligned anew where something hides it; drawn faces, and NASA's astronaut."""

from dataclasses import replace

import cv2
import numpy as np
import photos
import pytest
from browser import EXAMPLE

from unveil.faces.afar import FAR, FRAME_END
from unveil.faces.align import chain, corner_shift, correction, cut, fit, invert, turn_of
from unveil.faces.given import cut_known
from unveil.files import read_image
from unveil.imaging import grow
from unveil.outline import REALIGNED_BY, Outliner, Seen
from unveil.restorer import Restorer
from unveil.runtime.aligner import AlignerNetwork

PHOTO, HIDDEN = photos.scene(*photos.TWO)
MOVED = np.array([4.0, -6, 9, 5])


class Always:
    """An aligner that says the same of every face."""

    def __init__(self, moved: np.ndarray) -> None:
        self.moved = moved

    def better_frame(self, face, hidden):
        return correction(self.moved)


@pytest.fixture(scope="module")
def restorer(model) -> Restorer:
    return Restorer(model, threads=1)


@pytest.fixture(scope="module")
def seen(restorer) -> list[Seen]:
    found = restorer.detector.find(PHOTO)
    assert len(found) == 2
    return [Seen(PHOTO, each) for each in found]


def outliner(restorer, moved=MOVED) -> Outliner:
    return Outliner(restorer.model, Always(moved))


@pytest.mark.parametrize("told", [False, True])
def test_the_frame_moves_as_the_aligner_says(restorer, seen, told):
    photos_seen = [replace(one, mask=HIDDEN) for one in seen] if told else seen
    for one, each in zip(photos_seen, outliner(restorer).align(photos_seen), strict=True):
        expected = chain(fit(one.detection.points), correction(MOVED))
        assert corner_shift(chain(invert(each.matrix), expected)) < 0.1
        whole = cut(PHOTO, each.matrix)
        assert np.array_equal(
            each.face, cut_known(PHOTO, HIDDEN, each.matrix)[0] if told else whole
        )
        assert each.hidden.any()
        assert each.detection.box == one.detection.box
        assert turn_of(each.detection.points) == pytest.approx(
            turn_of(one.detection.points), abs=1e-4
        )


def test_less_than_a_few_pixels_move_nothing(restorer, seen):
    little = np.array([0.0, 0, REALIGNED_BY - 0.5, 0])
    for one, each in zip(seen, outliner(restorer, little).align(seen), strict=True):
        assert each.detection == one.detection


def test_a_face_that_nothing_hides_or_seen_from_the_side_stays(restorer, seen):
    clean = photos.scene(*photos.TWO, hide=False)[0]
    ours = outliner(restorer)
    for one, each in zip(seen, ours.align([replace(s, photo=clean) for s in seen]), strict=True):
        assert each.detection == one.detection
        assert not each.hidden.any()
    points = seen[0].detection.points.copy()
    points[:, 0] = points[:, 0].mean() + 0.3 * (points[:, 0] - points[:, 0].mean())
    aside = Seen(PHOTO, replace(seen[0].detection, points=points), HIDDEN)
    (each,) = ours.align([aside])
    assert each.hidden.any()  # the user's word
    assert each.detection == aside.detection


def test_a_face_that_is_hidden_all_over_stays(restorer, seen):
    every = np.ones(PHOTO.shape[:2], bool)
    for one in outliner(restorer).align([replace(s, mask=every) for s in seen]):
        assert one.hidden.all()
        assert any(one.detection == s.detection for s in seen)


def test_what_the_second_look_does_not_find_again_does_not_count(restorer, seen):
    class Forgetful:
        """A model that finds a large occluder first, and then a part of it."""

        def __init__(self, rows: int) -> None:
            self.rows = iter((60, rows, rows))

        def find(self, faces):
            found = np.zeros(faces.shape[:3], np.float32)
            found[:, 170 : 170 + next(self.rows), 80:170] = 1
            return found

    for rows, counts in ((35, True), (20, False)):
        ours = Outliner(Forgetful(rows), Always(MOVED))
        (each,) = ours.align(seen[:1])
        assert each.hidden.any() == counts
        assert each.occluder.any()


def test_what_is_found_by_chance_is_not_found_from_further_away(restorer, seen):
    class Nearly:
        """A model that finds a mask, and the forehead in the first look only."""

        looks = 0

        def find(self, faces):
            found = np.zeros(faces.shape[:3], np.float32)
            found[:, 150:225, 80:170] = 1
            if not self.looks:
                found[:, 60:120, 80:170] = 0.9
            self.looks += 1
            return found

    (each,) = Outliner(Nearly(), Always(np.zeros(4))).align(seen[:1])
    assert each.hidden[160:220, 90:160].all()
    assert not each.hidden[:140].any()
    assert each.occluder[80:110, 90:160].mean() == pytest.approx(0.45, abs=0.01)


def test_the_shipped_one_brings_a_wrong_frame_nearer():
    face = read_image(EXAMPLE).photo
    mask = grow(face.max(axis=2) == 0, 2)
    assert 0.05 < mask.mean() < 0.3
    aligner, before, after = AlignerNetwork(threads=1), [], []
    straight = aligner.better_frame(face, mask)  # what it says of the face as it is
    for wrong in ([0, 0, 12, 0], [0, 0, -9, 9], [0, 12, 0, 0], [0, -10, 5, 0], [9, 0, 0, -8]):
        moved = correction(np.array(wrong, float))
        hidden = cut(mask.astype(np.uint8), moved) > 0
        found = aligner.better_frame(cut(face, moved), hidden)
        before.append(corner_shift(chain(moved, invert(straight))))
        after.append(corner_shift(chain(chain(moved, found), invert(straight))))
    assert np.mean(after) < 0.5 * np.mean(before)


def hanging(low: int) -> tuple[np.ndarray, np.ndarray]:
    """A drawn face in the middle of a photo, and a black bar from its mouth down to row `low`."""
    photo, _ = photos.scene((1, 100, 60, 256), size=(520, 460), hide=False)
    mask = np.zeros(photo.shape[:2], bool)
    mask[60 + 182 : low, 100 + 104 : 100 + 156] = True
    photo[mask] = 0
    return photo, mask


@pytest.mark.parametrize("told", [False, True])
def test_a_mask_that_hangs_below_the_frame_is_taken_away_whole(restorer, told):
    photo, mask = hanging(350)
    result = restorer.restore(photo, mask if told else None)
    frame_end = 60 + 256
    assert mask[frame_end:].sum() > 1500
    assert result.invented[frame_end + 3 : 350].sum() > 0.9 * mask[frame_end + 3 :].sum()
    assert not (result.invented & ~grow(mask, 8)).any()
    assert (result.photo[mask].max(axis=1) > 0).mean() > 0.97
    if not told:
        assert np.array_equal(restorer.find(photo), result.invented)
        look = restorer.look(photo)
        assert np.array_equal(look.invented, result.invented)
        assert np.array_equal(look.confidence, result.confidence)
    assert (result.confidence[result.invented] < 1).all()


def test_what_is_invented_above_what_hangs_below_is_not_known(restorer, monkeypatch):
    photo, mask = hanging(350)
    asked = []

    def confidence(faces, hidden):
        asked.append(hidden[0])
        return np.ones(hidden.shape, np.float32)

    monkeypatch.setattr(restorer.model, "confidence", confidence)
    restorer.restore(photo, mask)
    face, below = asked
    assert below[FRAME_END:].sum() > 500
    above = cv2.warpAffine(face.astype(np.uint8), FAR, (256, 256))[: FRAME_END - 2] > 0
    assert above.sum() > 1000
    assert (below[: FRAME_END - 2] != above).mean() < 0.02


def test_no_invented_pixel_is_nearly_as_sure_as_a_known_one(restorer, monkeypatch):
    photo, _ = photos.scene((1, 20, 20, 480), size=(520, 520), hide=False)
    (found,) = restorer.detector.find(photo)
    monkeypatch.setattr(restorer.detector, "find", lambda photo, min_size: (found,))
    mask = np.zeros(photo.shape[:2], bool)
    mask[336:366] = True  # its edges lie between two pixels of the face's frame
    result = restorer.restore(photo, mask)
    assert (result.confidence[~mask] == 1).all()
    assert result.confidence[result.invented].max() < 0.97


@pytest.mark.parametrize("side", [200, 256, 330])
def test_what_a_given_mask_hides_does_not_matter(monkeypatch, side):
    lite = Restorer(threads=1)
    photo, mask = photos.scene((1, 100, 60, side), size=(560, 530), hide=False)
    (found,) = lite.detector.find(photo)
    monkeypatch.setattr(lite.detector, "find", lambda photo, min_size: (found,))
    rows = slice(60 + int(side * 0.6), 60 + int(side * 1.2))  # on below the frame
    mask[rows, 100 + int(side * 0.35) : 100 + int(side * 0.65)] = True
    results = []
    for colour in (0, 255):
        photo[mask] = colour
        results.append(lite.restore(photo, mask))
    assert np.array_equal(results[0].invented, mask)
    assert np.array_equal(results[0].photo, results[1].photo)


def test_what_goes_on_below_is_left_as_it_is(restorer):
    photo, _ = hanging(520)
    result = restorer.restore(photo)
    assert result.invented.any()
    assert not result.invented[60 + 256 + 12 :].any()
