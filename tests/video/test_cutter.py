"""Faces cut out of frames: how they moved, and what a look has found of what hides them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import draw_face

from unveil.faces.align import CANONICAL_POINTS, cut, fit
from unveil.faces.detect import Detection
from unveil.outline import Aligned
from unveil.video.cutter import Cutter
from unveil.video.sighting import Sighting

POINTS = np.asarray(CANONICAL_POINTS, float)
BAR = np.zeros((256, 256), bool)
BAR[140:200, 60:190] = True


def sighting(points=POINTS, aligned=None):
    return Sighting(0, points, (60, 60, 200, 230), 1.0, aligned)


def looked(points):
    """A face by the detector's own points, behind a bar."""
    matrix = fit(points)
    seen = cut(BAR.astype(np.float32), matrix)
    detection = Detection((60, 60, 200, 230), points.astype(np.float32), 1.0)
    return Aligned(detection, matrix, cut(draw_face(3), matrix), seen, seen > 0.5)


def test_motion_leads_from_each_view_to_the_one_before():
    cutter, face = Cutter(), draw_face(3)
    first = cutter.view(0, face, None, sighting(), None)
    assert first.motion is None
    view = cutter.view(1, np.roll(face, 2, axis=1), None, sighting(), first)
    back, there = (motion[100:160, 90:170].mean(axis=(0, 1)) for motion in view.motion)
    assert back == pytest.approx([-2, 0], abs=0.3)
    assert there == pytest.approx([2, 0], abs=0.3)


@pytest.mark.parametrize("shift", [0, 5])
def test_what_the_look_found_is_put_into_the_steady_frame(shift):
    aligned = looked(np.add(POINTS, (shift, 0)))
    view = Cutter().view(0, draw_face(3), None, sighting(aligned=aligned), None)
    assert view.found is not None
    assert np.array_equal(view.found > 0.5, BAR)


def test_what_was_found_far_off_or_not_looked_for_is_not_known():
    face = draw_face(3)
    for aligned in (None, looked(np.add(POINTS, (40, 0)))):
        view = Cutter().view(0, face, None, sighting(aligned=aligned), None)
        assert view.found is None


def test_a_users_mask_counts_in_the_place_of_what_was_found():
    aligned = replace(looked(POINTS), occluder=np.ones((256, 256), np.float32))
    view = Cutter().view(0, draw_face(3), BAR, sighting(aligned=aligned), None)
    assert view.found is None
    assert np.array_equal(view.given, BAR)


def test_nothing_is_found_in_a_face_seen_from_the_side():
    points = POINTS.copy()
    points[:2, 0] = np.add(points[:2, 0].mean(), (-8, 8))
    view = Cutter().view(0, draw_face(3), None, sighting(points=points), None)
    assert view.found is not None
    assert not view.found.any()
