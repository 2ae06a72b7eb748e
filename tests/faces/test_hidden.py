"""What of a found occluder mask counts."""

from __future__ import annotations

import cv2
import numpy as np
from drawn import draw_face

from unveil.faces.hidden import (
    FOUND_MARGIN,
    HOLE,
    STRAP_LENGTH,
    STRAP_WIDTH,
    believed,
    hidden_part,
    out_of_focus,
)


def square(side: int, sure: float = 1.0) -> np.ndarray:
    occluder = np.zeros((256, 256), np.float32)
    occluder[60 : 60 + side, 70 : 70 + side] = sure
    return occluder


def test_what_is_found_grows_by_the_margin():
    assert hidden_part(square(40)).sum() == (40 + 2 * FOUND_MARGIN) ** 2


def with_strap(width: int, length: int, sure: float = 0.3, gap: int = 0) -> np.ndarray:
    """A square mask, and a faint strap that goes on to its right, as wide and long as told."""
    occluder = square(60)
    occluder[80 : 80 + width, 130 + gap : 130 + gap + length] = sure
    return occluder


def test_a_faint_strap_of_a_mask_is_hidden_too():
    mask = hidden_part(square(60))
    found = hidden_part(with_strap(5, 40))
    # What of it the mask's own margin does not reach, 37 pixels, and a margin on three sides.
    assert (found & ~mask).sum() == (5 + 2 * FOUND_MARGIN) * (40 - FOUND_MARGIN + FOUND_MARGIN)
    assert not (mask & ~found).any()


def test_what_is_faint_and_no_strap_is_left():
    mask = hidden_part(square(60))
    for other in (
        with_strap(5, 40, sure=0.2),  # fainter still
        with_strap(STRAP_WIDTH, 40),  # as wide as an ear
        with_strap(5, 40, gap=FOUND_MARGIN + 2),  # of something else
        with_strap(5, FOUND_MARGIN + STRAP_LENGTH - 1),  # short, as the mask's own soft edge
    ):
        np.testing.assert_array_equal(hidden_part(other), mask)
    assert (hidden_part(with_strap(5, FOUND_MARGIN + STRAP_LENGTH)) & ~mask).any()
    wide = with_strap(20, 40)
    wide[80:100:5, 130:170] = 0  # an ear of which the network thinks in stripes
    np.testing.assert_array_equal(hidden_part(wide), mask)


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
