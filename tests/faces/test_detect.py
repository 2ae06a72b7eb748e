from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn import draw_face

from unveil.errors import UsageError
from unveil.faces.align import CANONICAL_POINTS
from unveil.faces.detect import SEEN, FaceDetector, _windows
from unveil.files import read_image


@pytest.fixture(scope="module")
def detector():
    return FaceDetector(threads=1)


@pytest.fixture(scope="module")
def astronaut():
    """A photograph of a face, in the canonical frame."""
    return read_image(Path(__file__).parents[2] / "examples" / "astronaut.png").photo


def scene(size, *faces):
    """A dull photo of (height, width) with drawn faces: (seed, left, top, side, quarter turns)."""
    y, x = np.mgrid[: size[0], : size[1]]
    photo = np.stack([110 + y * 40 // size[0], 120 + x * 30 // size[1], 130 - y * 0], -1)
    photo = photo.astype(np.uint8)
    for seed, left, top, side, turns in faces:
        photo[top : top + side, left : left + side] = np.rot90(draw_face(seed, side), turns)
    return photo


def expected(left, top, side, turns):
    points = CANONICAL_POINTS * (side / 256)
    for _ in range(turns):  # counterclockwise
        points = np.stack([points[:, 1], side - points[:, 0]], axis=1)
    return points + np.array([left, top])


def off(found, left, top, side, turns=0):
    """How far the points lie from where they should, in parts of the distance of the eyes."""
    wrong = found.points - expected(left, top, side, turns)
    return np.hypot(*wrong.T).mean() / (side * 0.22)


@pytest.mark.parametrize("turns", range(4))
def test_a_face_and_its_points_however_it_is_turned(detector, turns):
    (found,) = detector.find(scene((480, 640), (1, 200, 100, 256, turns)))
    assert off(found, 200, 100, 256, turns) < 0.25
    assert found.score > 0.9


@pytest.mark.parametrize("degrees", [25, 45, 135, -120])
def test_a_tilted_face(detector, astronaut, degrees):
    there = cv2.getRotationMatrix2D((128, 128), degrees, 1.0)
    there[:, 2] += 172
    photo = cv2.warpAffine(astronaut, there, (600, 600), borderMode=cv2.BORDER_REPLICATE)
    (found,) = detector.find(photo)
    wrong = found.points - (CANONICAL_POINTS @ there[:, :2].T + there[:, 2])
    assert np.hypot(*wrong.T).mean() < 15


def test_faces_come_from_left_to_right(detector):
    photo = scene((400, 1000), (3, 700, 60, 200, 0), (1, 40, 150, 160, 0), (5, 380, 20, 240, 0))
    found = detector.find(photo)
    assert len(found) == 3
    for face, place in zip(found, [(40, 150, 160), (380, 20, 240), (700, 60, 200)], strict=True):
        assert off(face, *place) < 0.3
        assert place[0] < face.box[0] < face.box[2] < place[0] + place[2]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("hide", [False, True])
def test_a_group_is_found_whole_however_its_photo_stands(detector, turns, hide):
    places = [
        (seed, 30 + 160 * i, 40 + 20 * (i % 2), 130) for i, seed in enumerate((1, 3, 5, 2, 4))
    ]
    photo = scene((250, 860), *[(*place, 0) for place in places])
    for _, left, top, _ in places if hide else ():
        photo[top + 78 : top + 123, left + 32 : left + 97] = (170, 200, 230)
    found = detector.find(np.ascontiguousarray(np.rot90(photo, turns)))
    assert len(found) == 5
    assert {face.quarters for face in found} == {-turns % 4}


@pytest.mark.parametrize("size", [(64, 64), (300, 200)])
def test_no_face(detector, size):
    assert detector.find(scene(size)) == ()


@pytest.mark.parametrize("size", [1, 2, 9])
def test_photos_too_small_for_a_face(detector, size):
    assert detector.find(np.zeros((size, 2 * size, 3), np.uint8)) == ()


def test_a_face_in_a_photo_of_64_pixels(detector):
    (found,) = detector.find(draw_face(1, 64))
    assert off(found, 0, 0, 64) < 0.3


def test_a_small_face_in_a_large_photo_is_found_where_it_is_asked_for(detector):
    photo = scene((2600, 3400), (1, 2900, 1900, 90, 0))
    (found,) = detector.find(photo, min_size=40)
    assert off(found, 2900, 1900, 90) < 0.3


def test_a_large_face_across_all_tiles_comes_once(detector):
    (found,) = detector.find(scene((2000, 3000), (1, 600, 100, 1800, 0)))
    assert off(found, 600, 100, 1800) < 0.2


@pytest.mark.parametrize("left", range(570, 630, 10))
def test_a_face_at_the_edge_of_a_tile_is_one_candidate_and_whole(detector, left):
    size = (260, 1500)
    assert (1.0, (654, 0, 1500, 260)) in _windows(size, 40)
    (box,) = detector._candidates(scene(size, (1, left, 40, 150, 0)), 40)
    assert np.abs(box[[0, 2]] - (left + 36, left + 112)).max() < 5


def test_a_lit_face_is_found_in_a_dark_photo_and_a_dark_one_too(detector):
    photo = np.full((700, 1000, 3), 6, np.uint8)
    photo[200:350, 300:450] = scene((150, 150), (1, 0, 0, 150, 0))
    (lit,) = detector.find(photo)
    assert off(lit, 300, 200, 150) < 0.1
    photo[200:350, 300:450] = photo[200:350, 300:450] // 24
    assert photo.max() < 12
    (dark,) = detector.find(photo)
    assert off(dark, 300, 200, 150) < 0.15


def test_a_face_that_the_photo_cuts_is_found(detector):
    photo = scene((260, 400), (1, 100, 40, 150, 0))[:, 150:]
    (found,) = detector.find(np.ascontiguousarray(photo))
    assert off(found, -50, 40, 150) < 0.3


def test_detections_are_compared_by_identity(detector):
    photo = scene((400, 400), (1, 60, 60, 280, 0))
    (one,), (other,) = detector.find(photo), detector.find(photo)
    assert one.box == other.box
    assert one in [other, one]
    assert len({one, other}) == 2


def test_the_smallest_size_is_a_setting(detector):
    photo = scene((400, 800), (3, 60, 60, 100, 0), (1, 400, 60, 280, 0))
    assert len(detector.find(photo)) == 2
    (found,) = detector.find(photo, min_size=120)
    assert off(found, 400, 60, 280) < 0.3
    with pytest.raises(UsageError, match="under 8"):
        detector.find(photo, min_size=7)


@pytest.mark.parametrize(("megapixels", "least"), [(6, 8), (12, 11), (96, 31)])
def test_how_small_a_face_may_be_in_a_large_photo(megapixels, least):
    """As the help of --min-face says."""
    finest = max(scale for scale, _ in _windows((1000, megapixels * 1000), 8))
    assert round(SEEN / finest) == least


@pytest.mark.parametrize("hidden", [(165, 235, 80, 180), (115, 150, 70, 190)])
def test_what_hides_mouth_or_eyes_does_not_lose_the_face(detector, astronaut, hidden):
    photo = scene((480, 640))
    photo[100:356, 200:456] = astronaut
    top, bottom, left, right = hidden
    photo[100 + top : 100 + bottom, 200 + left : 200 + right] = (120, 170, 200)
    (found,) = detector.find(photo)
    assert off(found, 200, 100, 256) < 0.35


def test_a_head_and_its_mirror_image_turn_to_opposite_sides(detector, astronaut):
    turn = detector.turn(astronaut)
    assert abs(turn) < 0.5
    assert detector.turn(np.ascontiguousarray(astronaut[:, ::-1])) == pytest.approx(-turn, abs=0.08)
    small = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
    assert detector.turn(small) == pytest.approx(turn, abs=0.08)
    assert detector.turn(np.full((256, 256, 3), 90, np.uint8)) is None
