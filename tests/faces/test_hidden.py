"""What of a found occluder mask counts."""

from __future__ import annotations

import cv2
import numpy as np
from drawn import draw_face

from unveil.faces.hidden import FOUND_MARGIN, HOLE, believed, hidden_part, out_of_focus


def square(side: int, sure: float = 1.0) -> np.ndarray:
    occluder = np.zeros((256, 256), np.float32)
    occluder[60 : 60 + side, 70 : 70 + side] = sure
    return occluder


def test_what_is_found_grows_by_the_margin():
    assert hidden_part(square(40)).sum() == (40 + 2 * FOUND_MARGIN) ** 2


def test_a_part_that_is_nowhere_sure_does_not_count():
    occluder = square(40)
    occluder[200:220, 200:220] = 0.7
    assert believed(occluder).sum() == 40 * 40
    occluder[200:204, 200:220] = 0.95  # over 15 % of it
    assert believed(occluder).sum() == 40 * 40 + 20 * 20


def test_small_holes_are_closed_and_large_ones_are_not():
    occluder = square(60)
    occluder[70:80, 80:90] = 0.2
    assert believed(occluder).sum() == 60 * 60
    side = int(np.ceil(HOLE**0.5))
    occluder[70 : 70 + side, 80 : 80 + side] = 0
    assert believed(occluder).sum() == 60 * 60 - side * side


def test_a_bay_is_no_hole():
    occluder = square(60)
    occluder[60:70, 80:84] = 0
    assert believed(occluder).sum() == 60 * 60 - 40


def test_what_counts_nearby_in_other_frames_counts():
    occluder = square(40, 0.7)
    assert not believed(occluder).any()
    near = np.zeros((256, 256), bool)
    near[60:100, 70:95] = True
    assert believed(occluder, near).sum() == 40 * 40


def test_what_reaches_no_head_hides_no_face():
    occluder = np.zeros((256, 256), np.float32)
    occluder[200:256, 0:60] = 1
    assert not believed(occluder).any()
    occluder[190:240, 60:100] = 1  # it comes before the cheek
    assert believed(occluder).sum() == 56 * 60 + 50 * 40


def test_only_a_blur_is_out_of_focus():
    face = draw_face(3)
    blur = cv2.GaussianBlur(face, (0, 0), 24)
    assert out_of_focus(blur)
    assert not out_of_focus(face)
    assert not out_of_focus(cv2.GaussianBlur(face, (0, 0), 3))
    assert not out_of_focus((face * 0.1).astype(np.uint8))  # dark, and sharp
    assert not out_of_focus(
        np.clip(blur + np.random.default_rng(1).normal(0, 4, blur.shape), 0, 255).astype(np.uint8)
    )
