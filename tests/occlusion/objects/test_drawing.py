"""Units and pixels, outlines, and the small functions that shading is made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import straight

from unveil.occlusion.objects import drawing
from unveil.occlusion.objects.drawing import fill, jitter, smooth
from unveil.occlusion.objects.head import Head, Turned

SQUARE = np.array([(80, 100), (176, 100), (176, 196), (80, 196)], np.float32)


def test_without_jitter_units_are_pixels():
    pose = straight(256)
    # The centre of pixel (3, 5) lies at 3.5, 5.5 units.
    np.testing.assert_allclose(pose.points([(3.5, 5.5)]), [(3, 5)], atol=1e-4)
    x, y = pose.grid()
    np.testing.assert_allclose(x[7], np.arange(256) + 0.5, atol=1e-3)
    np.testing.assert_allclose(y[:, 9], np.arange(256) + 0.5, atol=1e-3)


@pytest.mark.parametrize("size", [48, 100, 256])
def test_grid_undoes_points(size):
    for seed in range(12):
        pose = jitter(np.random.Generator(np.random.PCG64(seed)), Head(size)).around(SQUARE)
        x, y = pose.grid()
        height, width = x.shape
        for row, column in ((0, 0), (height - 1, width - 1), (height // 2, width // 3)):
            back = pose.points([(x[row, column], y[row, column])])[0]
            np.testing.assert_allclose(back, (column, row), atol=0.012 * size)


def test_jitter_stays_within_its_limits():
    for seed in range(300):
        pose = jitter(np.random.Generator(np.random.PCG64(seed)), Head(256))
        straight = replace(pose, head=Turned(0.0))
        left, right = straight.points([(108, 155), (148, 155)]) - straight.points([(128, 155)])
        length = np.linalg.norm(right - left) * (0.55 + 0.45 * np.cos(pose.head.turn))
        assert 34 < length < 46
        assert np.abs(np.degrees(np.arctan2(*(right - left)[::-1]))) < 9.5
        moved = straight.points([drawing.MIDDLE])[0] - (127.5, 154.5)
        assert np.abs(moved).max() < 0.045 * 256 + 2


@pytest.mark.parametrize("turn", [-0.5, 0.5])
def test_a_pose_turns_as_the_head_it_is_for(turn):
    turns = [
        jitter(np.random.Generator(np.random.PCG64(seed)), Head(256, turn)).head.turn
        for seed in range(200)
    ]
    assert np.mean(turns) == pytest.approx(turn, abs=0.02)
    assert np.std(turns) < 0.1


def test_fill_is_exact_and_soft():
    alpha = fill(straight(256), SQUARE)
    assert alpha.sum() == pytest.approx(96 * 96, rel=0.02)
    assert alpha[150, 128] == 1
    assert alpha[90, 128] == 0
    hole = SQUARE * 0.5 + 64
    ring = fill(straight(256), SQUARE, hole)
    assert ring.sum() == pytest.approx(96 * 96 - 48 * 48, rel=0.03)
    slanted = fill(straight(256), SQUARE + np.array([(0, 0), (9, 4), (3, 3), (-5, 7)]))
    assert ((slanted > 0.05) & (slanted < 0.95)).sum() > 50


def test_a_window_shows_the_same_as_the_whole():
    for seed in range(8):
        pose = jitter(np.random.Generator(np.random.PCG64(seed)), Head(128))
        part = pose.around(SQUARE)
        left, top, width, height = part.window
        assert width * height < 0.5 * 128 * 128
        layer = drawing.finish(
            part, np.ones((height, width, 3), np.float32), fill(part, SQUARE), 0.0
        )
        np.testing.assert_allclose(layer.alpha, fill(pose, SQUARE), atol=0.02)
        for whole, piece in zip(pose.grid(), part.grid(), strict=True):
            np.testing.assert_allclose(
                piece, whole[top : top + height, left : left + width], atol=0.1
            )


def test_a_window_outside_the_image_is_small_and_empty():
    part = straight(64).around(SQUARE + 400)
    assert part.window[2] >= 2
    assert part.window[3] >= 2
    assert fill(part, SQUARE + 400).max() == 0


def test_spline_goes_through_its_points():
    curve = smooth(SQUARE)
    np.testing.assert_allclose(curve[::8], SQUARE)
    open_curve = smooth(SQUARE, closed=False)
    np.testing.assert_allclose(open_curve[[0, -1]], SQUARE[[0, -1]])


def test_shading_functions():
    at = np.linspace(0, 1, 101, dtype=np.float32)
    assert drawing.bump(at, 0.5, 0.1).argmax() == 50
    assert drawing.bump(at, 0.5, 0.1)[[39, 61]].max() == 0
    np.testing.assert_allclose(drawing.ramp(at, 0.2, 0.4)[[20, 30, 40]], [0, 0.5, 1], atol=1e-5)
    np.testing.assert_allclose(drawing.ramp(at, 0.4, 0.2)[[20, 30, 40]], [1, 0.5, 0], atol=1e-5)
    curve = np.array([0, 10, 40], np.float32)
    np.testing.assert_allclose(
        drawing.look_up(curve, np.array([-1, 0, 0.5, 2], np.float32)), [0, 0, 10, 40]
    )


@pytest.mark.parametrize("kind", ["lower", "cup", "skull"])
def test_a_head_is_darker_where_it_turns_away_from_the_light(kind):
    random = np.random.Generator(np.random.PCG64(1))
    shade = np.mean([drawing.volume(random, kind, straight(256)) for _ in range(20)], axis=0)
    middle, side, chin = shade[170, 128], shade[190, [60, 196]].mean(), shade[235, 128]
    assert side < 0.95 * middle
    assert chin < middle
    assert shade.min() > 0.3
    assert shade.max() < 1.3
