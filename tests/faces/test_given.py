"""A face with a given mask is made of what is known, and no more of it is hidden than must be."""

import cv2
import numpy as np
import pytest
from drawn import draw_face

from unveil.faces.align import cut
from unveil.faces.given import HALF, cut_known, mask_of_face


def placed(scale, degrees):
    """A map whose face has its middle at (450, 350), `scale` times its frame's size."""
    matrix = cv2.getRotationMatrix2D((450, 350), degrees, 1 / scale)
    matrix[:, 2] += np.array([128, 162]) - (450, 350)
    return matrix


def box():
    mask = np.zeros((700, 900), bool)
    mask[301:401, 353:517] = True
    return mask


@pytest.mark.parametrize("scale", [1.0, 1.3, 2.0, 5.2])
def test_a_box_is_as_large_as_it_is(scale):
    mask, matrix = box(), placed(scale, 10)
    ours = mask_of_face(mask, matrix)
    assert np.array_equal(ours, cut(mask.astype(np.uint8) * 255, matrix) > HALF)
    assert ours.sum() == pytest.approx(164 * 100 / scale**2, rel=0.03)


@pytest.mark.parametrize("scale", [1.0, 1.3, 2.0, 3.7])
@pytest.mark.parametrize("degrees", [0, 10])
@pytest.mark.parametrize("colour", [0, 255])
def test_no_known_pixel_has_anything_of_what_hides_the_face(scale, degrees, colour):
    photo, mask, matrix = np.full((700, 900, 3), 120, np.uint8), box(), placed(scale, degrees)
    photo[mask] = colour
    face, hidden = cut_known(photo, mask, matrix)
    assert np.array_equal(hidden, mask_of_face(mask, matrix))
    assert np.abs(face[~hidden].astype(int) - 120).max() <= 2  # to rounding: half of it is known
    plain = cut(photo, matrix)[~hidden].astype(int)  # which has
    assert degrees == 0 or np.abs(plain - 120).max() > 20


@pytest.mark.parametrize("scale", [0.2, 0.4, 0.8])
@pytest.mark.parametrize("colour", [3, 120, 252])
def test_what_is_enlarged_does_not_overshoot_beside_a_mask(scale, colour):
    mask = np.zeros((700, 900), bool)
    mask[345:365, 440:470] = True
    photo = np.full((700, 900, 3), colour, np.uint8)
    photo[mask] = 0
    face, hidden = cut_known(photo, mask, placed(scale, 10))
    assert 0.01 < hidden.mean() < 0.5
    assert np.abs(face[~hidden].astype(int) - colour).max() <= 1


def test_far_from_the_mask_the_face_is_what_it_would_be_without():
    photo = cv2.resize(draw_face(3), (900, 700), interpolation=cv2.INTER_CUBIC)
    matrix, nothing = placed(2.1, 7), np.zeros((700, 900), bool)
    face, hidden = cut_known(photo, nothing, matrix)
    assert not hidden.any()
    assert np.array_equal(face, cut(photo, matrix))
    face, hidden = cut_known(photo, box(), matrix)
    far = cut(box().astype(np.uint8) * 255, matrix) == 0
    assert np.array_equal(face[far], cut(photo, matrix)[far])


@pytest.mark.parametrize("scale", [0.4, 0.7, 1.0, 1.4, 3.0])
def test_a_single_pixel_is_hidden_wherever_it_lies(scale):
    matrix = placed(scale, 20)
    for x, y in ((450, 350), (471, 338), (433, 371)):
        mask = np.zeros((700, 900), bool)
        mask[y, x] = True
        assert mask_of_face(mask, matrix).any()


def test_a_face_beyond_the_photo():
    photo, matrix = np.full((700, 900, 3), 120, np.uint8), placed(1.0, 0)
    matrix[:, 2] += 5000
    face, hidden = cut_known(photo, box(), matrix)
    assert face.shape == (256, 256, 3)
    assert not hidden.any()
