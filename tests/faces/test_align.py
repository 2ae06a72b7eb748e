import cv2
import numpy as np
import pytest
from drawn import draw_face
from hypothesis import given
from hypothesis import strategies as st

from unveil.faces.align import (
    CANONICAL_POINTS,
    chain,
    corner_shift,
    corrected_by,
    correction,
    cut,
    fit,
    frame_box,
    invert,
    mapped,
    scale_of,
    seen_from_side,
    shifted,
    shown,
    smaller,
    turn_of,
)


def moved(points, scale, degrees, shift):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points @ turn.T * scale + shift).astype(np.float32)


@given(
    st.floats(0.05, 20),
    st.floats(-180, 180),
    st.tuples(st.floats(-500, 5000), st.floats(-500, 5000)),
)
def test_fit_undoes_any_turn_scale_and_shift(scale, degrees, shift):
    matrix = fit(moved(CANONICAL_POINTS, scale, degrees, shift))
    corners = np.array([[0, 0], [256, 0], [0, 256], [256, 256]])
    back = moved(corners, scale, degrees, shift) @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(back - corners).max() < 0.5
    assert scale_of(matrix) == pytest.approx(1 / scale, rel=1e-3)


@pytest.mark.parametrize("wrong", range(5))
def test_one_wrong_point_hardly_moves_the_face(wrong):
    points = CANONICAL_POINTS.copy()
    points[wrong] += (25, 40)
    matrix = fit(points)
    off = CANONICAL_POINTS @ matrix[:, :2].T + matrix[:, 2] - CANONICAL_POINTS
    # Least squares over five equal points would be off by 9 pixels and more.
    assert np.hypot(*off.T).mean() < 6


def test_points_in_one_place_give_a_finite_map():
    assert np.isfinite(fit(np.full((5, 2), 7, np.float32))).all()


def test_cut_of_an_aligned_face_is_the_face():
    face = draw_face(2)
    identity = np.array([[1.0, 0, 0], [0, 1, 0]])
    assert np.array_equal(cut(face, identity), face)


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, -135])
def test_cut_brings_a_turned_and_enlarged_face_back(degrees):
    import cv2

    face = draw_face(2)
    there = cv2.getRotationMatrix2D((128, 128), degrees, 2.0)
    there[:, 2] += 500 - 128
    photo = cv2.warpAffine(face, there, (1000, 1000), flags=cv2.INTER_CUBIC)
    points = CANONICAL_POINTS @ there[:, :2].T + there[:, 2]
    again = cut(photo, fit(points))
    inside = (slice(20, 236),) * 2
    assert np.abs(again.astype(int) - face)[inside].mean() < 3


def test_shrinking_takes_the_mean_of_what_it_covers():
    fine = np.indices((1024, 1024)).sum(axis=0) % 2 * 255
    photo = np.repeat(fine[..., None], 3, axis=2).astype(np.uint8)
    face = cut(photo, np.array([[0.25, 0, 0], [0, 0.25, 0]]))
    assert np.abs(face[2:-2, 2:-2].astype(int) - 127).max() <= 1


def test_shrinking_does_not_shift():
    ramp = np.repeat(np.linspace(0, 255, 1024)[None, :, None], 1024, axis=0)
    photo = np.repeat(ramp, 3, axis=2).astype(np.uint8)
    face = cut(photo, np.array([[0.25, 0, 0], [0, 0.25, 0]]))
    at = np.arange(10, 240)
    assert np.abs(face[128, at, 0] - at * 4 / 1023 * 255).max() <= 1


def test_a_smaller_part_lies_where_it_lay():
    part, matrix = np.zeros((90, 41, 3), np.uint8), fit(moved(CANONICAL_POINTS, 2.5, 20, (9, 4)))
    (width, height), less = smaller(part, matrix, 0.3)
    assert (width, height) == (12, 27)
    for x, y in ((0, 0), (5, 20), (11, 26)):  # the middle of a small pixel, in both
        large = np.array([(x + 0.5) * 41 / width - 0.5, (y + 0.5) * 90 / height - 0.5, 1])
        np.testing.assert_allclose(less @ (x, y, 1), matrix @ large, atol=1e-9)
    assert smaller(part[:1, :1], matrix, 0.01)[0] == (1, 1)


def test_frame_box_is_clipped_to_the_photo_and_empty_beside_it():
    rows, columns = frame_box(np.array([[1.0, 0, 10], [0, 1, 10]]), (100, 200))
    assert (rows.start, rows.stop, columns.start, columns.stop) == (0, 100, 0, 200)
    matrix = np.array([[1.0, 0, -900], [0, 1, 0]])
    rows, columns = frame_box(matrix, (100, 200))
    assert columns.start >= columns.stop
    assert not cut(np.full((100, 200, 3), 9, np.uint8), matrix).any()


def test_shifted_and_inverse():
    matrix = fit(moved(CANONICAL_POINTS, 1.7, 20, (300, 200)))
    point = np.array([333.0, 222.0])
    there = matrix[:, :2] @ point + matrix[:, 2]
    part = shifted(matrix, 100, 50)
    assert np.allclose(part[:, :2] @ (point - (100, 50)) + part[:, 2], there)
    back = invert(matrix)
    assert np.allclose(back[:, :2] @ there + back[:, 2], point)


@pytest.mark.parametrize("degrees", [0, 90, 180])
@pytest.mark.parametrize(("squeeze", "side"), [(1.0, False), (0.65, False), (0.4, True)])
def test_a_head_is_seen_from_the_side_when_its_eyes_close_up(squeeze, side, degrees):
    turned = CANONICAL_POINTS * np.float32([squeeze, 1])
    assert seen_from_side(moved(turned, 0.3, degrees, (40, 700))) == side


@pytest.mark.parametrize(("degrees", "size"), [(0, 1.0), (40, 2.5), (-160, 0.3)])
def test_a_turn_is_told_whatever_the_face_s_size_and_tilt(degrees, size):
    for aside in (-15.0, 0.0, 9.0):
        points = CANONICAL_POINTS.astype(np.float64)
        middle = (points[:2].mean(0) + points[3:].mean(0)) / 2
        points[2] = middle + np.array([aside, 5])
        turn = turn_of(moved(points, size, degrees, (30, -7)))
        assert turn == pytest.approx(np.arcsin(aside / 0.43 / 57.7), abs=0.02)
    assert abs(turn_of(CANONICAL_POINTS)) < 0.03


@given(st.lists(st.floats(-40, 40), min_size=4, max_size=4))
def test_a_correction_can_be_read_back(numbers):
    assert corrected_by(correction(np.array(numbers))) == pytest.approx(numbers, abs=1e-3)


def test_a_correction_turns_about_the_middle():
    assert correction(np.zeros(4)) == pytest.approx(np.eye(2, 3))
    turned = correction(np.array([0, 64.0, 10, 0]))  # by half a radian and more, clockwise
    assert mapped(np.array([[128.0, 128.0], [228, 128]]), turned) == pytest.approx(
        np.array([[138.0, 128.0], [238, 178]])
    )


def test_maps_one_after_the_other():
    first, then = (fit(moved(CANONICAL_POINTS, s, d, (9, 7))) for s, d in ((2, 30), (0.7, -80)))
    points = np.array([[3.0, 5.0], [200, 100]])
    both = mapped(points, chain(first, then))
    assert both == pytest.approx(mapped(mapped(points, first), then), abs=1e-3)
    assert chain(first, invert(first)) == pytest.approx(np.eye(2, 3), abs=1e-9)


def test_corners_are_moved_by_their_shift_and_by_half_of_the_diagonal_times_the_turn():
    assert corner_shift(np.array([[1.0, 0, 3], [0, 1, 4]])) == pytest.approx(5)
    angle = 0.01
    turn = correction(128 * np.array([np.cos(angle) - 1, np.sin(angle), 0, 0]))
    assert corner_shift(turn) == pytest.approx(128 * np.sqrt(2) * angle, rel=1e-3)


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_what_of_a_frame_lies_in_the_photo(scale):
    for x, y in ((-40.0, 10.0), (0, 0), (60.5, 300.25), (-900, 0)):
        matrix = np.array([[scale, 0.1, x], [-0.1, scale, y]])
        whole = cv2.warpAffine(np.full((90, 130), 255, np.uint8), matrix, (256, 256))
        assert np.array_equal(shown(matrix, (90, 130)), whole)
