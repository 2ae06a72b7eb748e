import cv2
import numpy as np
import pytest
from drawn import draw_face
from skimage.color import lab2rgb

from unveil.evaluation.skin_tone import CHEEKS, CLASSES, NO_COLOUR, classify, measure
from unveil.evaluation.skin_tone import typology_angle as ita
from unveil.imaging import without_colour


@pytest.mark.parametrize(
    ("lab", "angle", "group"),
    [
        ((75, 12, 15), 59.04, "very light"),  # arctan(25 / 15)
        ((70, 12, 20), 45.0, "light"),
        ((65, 14, 20), 36.87, "intermediate"),
        ((57, 14, 20), 19.29, "tan"),
        ((50, 14, 20), 0.0, "brown"),
        ((30, 10, 12), -59.04, "dark"),
    ],
)
def test_the_published_formula_and_classes(lab, angle, group):
    assert ita(lab[0], lab[2]) == pytest.approx(angle, abs=0.005)
    assert classify(angle) == group
    # The same colour, painted on a face and measured there.
    face = draw_face(2)
    face[:] = np.rint(lab2rgb(np.array([[lab]], float)) * 255).astype(np.uint8)
    tone = measure(face)
    assert tone.angle == pytest.approx(angle, abs=1.5)  # of 8-bit values
    assert tone.group == group


def test_each_class_begins_above_its_angle():
    for (name, least), below in zip(CLASSES, [name for name, _ in CLASSES[1:]], strict=False):
        assert classify(least + 0.01) == name
        assert classify(least) == below


def test_only_the_cheeks_count_and_a_spot_does_not():
    face = draw_face(1)
    tone = measure(face)
    other = np.full_like(face, 9)
    for cheek in CHEEKS:
        other[cheek] = face[cheek]
    assert measure(other) == tone
    cv2.circle(other, (95, 165), 4, (255, 255, 255), -1)
    assert measure(other).angle == pytest.approx(tone.angle, abs=1)


def test_darker_skin_has_a_smaller_angle_and_a_shadow_parts_the_cheeks():
    face = draw_face(1)
    dark = (face * 0.5).astype(np.uint8)
    assert measure(dark).angle < measure(face).angle
    face[:, 128:] = dark[:, 128:]
    left, right = measure(face).cheeks
    assert left > right


def test_a_photo_without_colours_has_no_skin_tone():
    tone = measure(without_colour(draw_face(4)))
    assert (tone.angle, tone.cheeks, tone.group) == (None, None, NO_COLOUR)
