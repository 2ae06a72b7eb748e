from itertools import pairwise

import numpy as np
import pytest
from drawn import draw_face

from unveil.faces.exposure import brightened, gains, scaled
from unveil.imaging import LUMA, to_uint8

FACE = draw_face(1)[None]
HIDDEN = np.zeros((1, 256, 256), bool)
HIDDEN[:, 150:220, 70:190] = True


def dark(light, faces=FACE):
    return to_uint8(faces * np.float32(light))


def brightest(faces):
    """Where the brightest twentieth of the middle of a face begins."""
    return np.percentile(faces[0, 60:210, 80:176] @ LUMA, 95)


def test_a_bright_face_is_shown_as_it_is():
    assert brightest(FACE) > 120
    assert gains(FACE).tolist() == [1]
    assert scaled(FACE, gains(FACE)) is FACE


@pytest.mark.parametrize("light", [0.25, 0.12])
def test_a_dark_face_is_shown_in_a_usual_light_and_comes_back(light):
    face = dark(light)
    gain = gains(face)
    lit = scaled(face, gain)
    assert brightest(lit) == pytest.approx(170, abs=12)
    back = scaled(lit, 1 / gain).astype(int)
    clipped = (lit == 255).any(-1)
    assert np.abs(back - face)[~clipped].max() <= 1
    assert clipped[0, 60:210, 80:176].mean() < 0.1


def test_the_gain_sets_in_by_and_by():
    found = [float(gains(dark(light))[0]) for light in np.linspace(1, 0.2, 81)]
    assert found[0] == 1
    assert found == sorted(found)
    assert max(b / a for a, b in pairwise(found)) < 1.15


def test_what_hides_a_face_and_what_is_behind_it_do_not_say_how_dark_it_is():
    face = dark(0.25)
    plain = gains(face, HIDDEN)
    masked, before_a_wall = face.copy(), face.copy()
    masked[HIDDEN] = 250
    before_a_wall[:, :, :50] = before_a_wall[:, :, 206:] = 250
    assert gains(masked)[0] == 1
    assert gains(masked, HIDDEN) == plain
    assert gains(before_a_wall, HIDDEN) == plain


def test_each_face_has_its_own():
    both = np.concatenate([FACE, dark(0.25)])
    lit = scaled(both, gains(both))
    assert np.array_equal(lit[0], both[0])
    assert brightest(lit[1:]) > 3 * brightest(both[1:])


def test_of_a_face_with_little_to_see_all_that_is_known_counts():
    face, hidden = dark(0.25), np.ones((1, 256, 256), bool)
    hidden[:, :, :20] = False
    face[:, :, :20] = 200
    assert gains(face, hidden)[0] == 1
    face[:, :, :20] = 20
    assert gains(face, hidden)[0] == pytest.approx(8.5)


def test_nothing_known_and_nothing_but_black():
    assert gains(dark(0.25), np.ones((1, 256, 256), bool))[0] == 1
    assert gains(np.zeros_like(FACE))[0] == 16


@pytest.mark.parametrize("size", [(1, 1), (40, 700), (900, 600)])
def test_a_dark_photo(size):
    photo = np.random.default_rng(0).integers(20, 40, (*size, 3), np.uint8)
    photo[:1, :1] = 35
    lit = brightened(photo)
    assert lit.shape == photo.shape
    assert np.percentile(lit @ LUMA, 95) == pytest.approx(170, abs=12)
    bright = to_uint8(photo * np.float32(4))
    assert np.array_equal(brightened(bright), bright)
