from itertools import pairwise

import numpy as np
import pytest
from drawn import draw_face

from unveil.faces.exposure import brightened, gains, lit, unlit
from unveil.imaging import to_uint8

FACE = draw_face(1)[None]
MOUTH = np.zeros((1, 256, 256), bool)
MOUTH[:, 180:220, 70:190] = True


def dark(light, faces=FACE):
    return to_uint8(faces * np.float32(light))


def brightest(faces):
    """Where the brightest twentieth of the middle of a face begins."""
    return np.percentile(faces[0, 110:210, 90:166].max(-1), 95)


def test_a_bright_face_is_shown_as_it_is():
    assert brightest(FACE) > 120
    assert gains(FACE, MOUTH).tolist() == [1]
    assert lit(FACE, gains(FACE, MOUTH)) is FACE
    assert unlit(FACE, gains(FACE, MOUTH)) is FACE


@pytest.mark.parametrize("light", [0.25, 0.12])
def test_a_dark_face_is_shown_in_a_usual_light_and_comes_back(light):
    face = dark(light)
    gain = gains(face, MOUTH)
    shown = lit(face, gain)
    assert brightest(shown) == pytest.approx(175, abs=16)
    off = np.abs(unlit(shown, gain).astype(int) - face)
    assert off[shown <= 224].max() <= 1
    assert off.max() <= 6
    assert shown[0, 110:210, 90:166].max() <= 224


def test_the_gain_sets_in_by_and_by():
    found = [float(gains(dark(light), MOUTH)[0]) for light in np.linspace(1, 0.2, 81)]
    assert found[0] == 1
    assert found == sorted(found)
    assert found[-1] > 3
    assert max(b / a for a, b in pairwise(found)) < 1.15


def test_what_hides_a_face_and_what_is_behind_it_do_not_say_how_dark_it_is():
    face = dark(0.25)
    plain = gains(face, MOUTH)
    assert plain > 2
    masked, before_a_wall = face.copy(), face.copy()
    masked[MOUTH] = 250
    before_a_wall[:, :, :70] = before_a_wall[:, :, 186:] = 250
    assert gains(masked, MOUTH) == plain
    assert gains(before_a_wall, MOUTH) == plain


def test_dark_hair_above_a_hidden_face_is_no_dark_face():
    """What is invented would be as dark as the hair."""
    face, hidden = FACE.copy(), np.zeros((1, 256, 256), bool)
    face[:, :100] = 15
    for top in range(60, 200):
        hidden[:] = False
        hidden[:, top:] = True
        told = gains(face, hidden)[0]
        assert told == 1 or top > 150, top


def test_the_less_skin_is_known_the_less_it_says():
    face, hidden, found = dark(0.25), np.zeros((1, 256, 256), bool), []
    for top in range(215, 98, -3):
        hidden[:, top:] = True
        found.append(float(gains(face, hidden)[0]))
    assert found[0] > 3
    assert found[-1] == 1
    assert max(a - b for a, b in pairwise(found)) < 0.6


def test_where_nobody_says_what_is_hidden_the_whole_frame_counts():
    """Or else a dark occluder would be a dark face."""
    face = FACE.copy()
    face[:, 80:240, 60:196] = 12
    assert gains(face)[0] == 1
    assert gains(dark(0.12))[0] > 2


def test_light_of_one_colour_is_not_dark():
    blue = to_uint8(FACE * np.float32([0.1, 0.1, 0.9]))
    assert gains(blue, MOUTH)[0] == 1


@pytest.mark.parametrize("value", [60, 120, 235, 255])
def test_of_what_is_bright_beside_a_dark_face_nothing_is_lost(value):
    gain = np.array([6.0])
    wall = np.full((1, 4, 4, 3), value, np.uint8)
    assert abs(int(unlit(lit(wall, gain), gain)[0, 0, 0, 0]) - value) <= 4


def test_each_face_has_its_own():
    both = np.concatenate([FACE, dark(0.25)])
    shown = lit(both, gains(both, np.concatenate([MOUTH, MOUTH])))
    assert np.array_equal(shown[0], both[0])
    assert brightest(shown[1:]) > 2.5 * brightest(both[1:])


def test_nothing_known_and_nothing_but_black():
    assert gains(dark(0.25), np.ones((1, 256, 256), bool))[0] == 1
    assert gains(np.zeros_like(FACE), MOUTH)[0] == 16


@pytest.mark.parametrize("size", [(1, 1), (40, 700), (900, 600)])
def test_a_dark_photo(size):
    photo = np.random.default_rng(0).integers(20, 40, (*size, 3), np.uint8)
    photo[:1, :1] = 35
    shown = brightened(photo)
    assert shown.shape == photo.shape
    assert np.percentile(shown.max(-1), 95) == pytest.approx(175, abs=16)
    assert brightened(to_uint8(photo * np.float32(4))) is None
