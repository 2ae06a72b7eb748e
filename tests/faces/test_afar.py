"""A mask that reaches the frame's lower edge, and what is seen of it from further away."""

from __future__ import annotations

import cv2
import numpy as np

from unveil.faces.afar import BROAD, DENIED_FROM, FAR, FRAME_END, agreed, below, reaches_below
from unveil.imaging import grow

INSIDE = np.ones((256, 256), bool)


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((256, 256), bool)
    mask[top:bottom, left:right] = True
    return mask


def from_afar(mask: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(mask.astype(np.uint8), FAR, (256, 256)) > 0


def test_only_what_meets_the_lower_edge_goes_on():
    assert not reaches_below(box(100, 250, 80, 180))
    assert not reaches_below(box(100, 256, 80, 95))
    assert reaches_below(box(100, 256, 80, 96))


def test_a_neck_that_is_not_seen_from_afar_is_none():
    mask, neck = box(140, 230, 80, 180), box(170, 256, 30, 82)
    left = agreed(mask | neck, from_afar(mask))
    assert not (mask & ~left).any()
    assert not (left & ~grow(mask, DENIED_FROM + 3)).any()


def test_what_both_see_and_straps_stay():
    mask = box(140, 256, 80, 180)
    strap = box(120, 120 + 2 * BROAD, 30, 90)
    for found in (mask, mask | strap):
        np.testing.assert_array_equal(agreed(found, from_afar(mask)), found)


def test_who_sees_little_from_afar_denies_nothing():
    mask = box(140, 256, 80, 180)
    for seen in (INSIDE & False, from_afar(box(140, 190, 80, 130))):
        np.testing.assert_array_equal(agreed(mask, seen), mask)


def test_what_hangs_below_is_what_goes_on_from_the_mask():
    mask = box(150, 256, 80, 180)
    seen = box(110, 220, 92, 167) | box(200, 230, 10, 40)
    hangs = below(mask, seen, INSIDE)
    assert hangs is not None
    np.testing.assert_array_equal(hangs, seen & box(FRAME_END - 2, 256, 80, 256))
    assert below(mask, seen, box(0, FRAME_END - 2, 0, 256)) is None  # there the photo ends
    arm = box(110, 256, 92, 167)
    assert below(mask, arm, INSIDE) is None
    cut = below(mask, arm, box(0, 220, 0, 256))  # the photo ends, and what hides goes on
    np.testing.assert_array_equal(cut, arm & box(FRAME_END - 2, 256, 0, 256))
    assert below(mask, box(110, 180, 92, 167), INSIDE) is None


def test_what_is_wider_than_the_mask_at_the_frames_edge_does_not_hang_from_it():
    mask = box(150, 256, 80, 180)  # in columns 92 to 167 from afar
    shirt = box(190, 230, 10, 250)
    hangs = below(mask, box(110, 200, 92, 167) | shirt, INSIDE)
    assert hangs is not None
    wide = np.flatnonzero(hangs.any(axis=0))
    assert 92 - 8 <= wide.min() < 92
    assert 166 < wide.max() <= 167 + 8
