import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unveil.errors import UsageError
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import (
    box_mask,
    check_coverage,
    paper_rectangle,
    parse_coverage,
    rectangle,
    strokes,
)

SEEDS = st.integers(0, 2**40)
# The paper's bins, and ones so narrow that rounding alone would leave them.
BINS = st.sampled_from([(0.10, 0.15), (0.20, 0.30), (0.12, 0.121), (0.01, 0.02), (0.55, 0.60)])


def box_of(mask):
    """x, y, width, height of the hidden pixels; fails unless they fill their box."""
    rows, columns = np.nonzero(mask)
    x, y = int(columns.min()), int(rows.min())
    width, height = int(columns.max()) - x + 1, int(rows.max()) - y + 1
    assert mask.sum() == width * height
    return x, y, width, height


def fingerprint(mask):
    return hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()[:16]


@given(SEEDS)
def test_paper_rectangle_keeps_the_papers_bounds(seed):
    mask = paper_rectangle(Seeded(seed))
    x, y, width, height = box_of(mask)
    assert mask.shape == (256, 256)
    assert mask.dtype == np.bool_
    assert 0 <= x <= 156
    assert 0 <= y <= 156
    assert 50 <= width <= 100
    assert 50 <= height <= 100
    assert x + width <= 256
    assert y + height <= 256


def test_paper_rectangle_reaches_its_bounds():
    boxes = np.array([box_of(paper_rectangle(Seeded(seed))) for seed in range(1500)])
    assert boxes.min(axis=0).tolist() == [0, 0, 50, 50]
    assert boxes.max(axis=0).tolist() == [156, 156, 100, 100]


@given(SEEDS, st.integers(16, 300))
def test_paper_rectangle_of_another_size_never_leaves_the_image(seed, size):
    _, _, width, height = box_of(paper_rectangle(Seeded(seed), size))
    # A box cut off at the edge would be smaller than the least side.
    assert min(width, height) >= 50 * size // 256
    assert max(width, height) <= 100 * size // 256


@given(SEEDS, BINS)
def test_rectangle_lies_in_its_bin(seed, bounds):
    mask = rectangle(Seeded(seed), *bounds)
    _, _, width, height = box_of(mask)
    assert bounds[0] <= mask.mean() <= bounds[1]
    assert max(width, height) <= 2 * min(width, height)


@settings(max_examples=40)
@given(SEEDS, BINS, st.sampled_from([32, 64, 256]))
def test_strokes_lie_in_their_bin(seed, bounds, size):
    assert bounds[0] <= strokes(Seeded(seed), *bounds, size).mean() <= bounds[1]


@settings(max_examples=10)
@given(SEEDS, st.integers(1, 2400))
def test_strokes_end_even_where_one_number_of_pixels_will_do(seed, pixels):
    low, high = (pixels - 0.5) / 4096, (pixels + 0.5) / 4096
    assert strokes(Seeded(seed), low, high, 64).sum() == pixels


def test_strokes_fill_their_bin_evenly():
    shares = np.sort([strokes(Seeded(seed), 0.1, 0.5, 64).mean() for seed in range(200)])
    np.testing.assert_allclose(shares, np.linspace(0.1, 0.5, 200), atol=0.06)


def test_strokes_differ_from_seed_to_seed_and_are_not_boxes():
    masks = [strokes(Seeded(seed), 0.2, 0.3) for seed in range(10)]
    assert len({fingerprint(mask) for mask in masks}) == 10
    for mask in masks:
        box = mask.any(axis=1).sum() * mask.any(axis=0).sum()
        assert mask.sum() < 0.8 * box


@pytest.mark.parametrize(
    ("seed", "paper", "small", "large"),
    [
        (0, (100, 42, 52, 50), (7, 2, 83, 104), (5, 1, 117, 148)),
        (1, (80, 149, 57, 98), (19, 181, 125, 66), (11, 155, 177, 93)),
        (2, (41, 46, 91, 54), (145, 14, 78, 95), (118, 11, 111, 134)),
    ],
)
def test_rectangles_are_the_recorded_ones(seed, paper, small, large):
    assert box_of(paper_rectangle(Seeded(seed))) == paper
    assert box_of(rectangle(Seeded(seed), 0.10, 0.15)) == small
    assert box_of(rectangle(Seeded(seed), 0.20, 0.30)) == large


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (paper_rectangle(Seeded(0)), "a4aba23ff30c0c56"),
        (strokes(Seeded(0), 0.10, 0.15), "8a2b3040ce0ffbbd"),
        (strokes(Seeded(1), 0.10, 0.15), "1994098bfd0c179e"),
        (strokes(Seeded(0), 0.20, 0.30), "fa8b2ffd61644c88"),
        (strokes(Seeded(0), 0.10, 0.10001), "27649cfa0d523e6a"),
        (strokes(Seeded(0), 0.10, 0.15, 64), "952c7a81aa00ef8b"),
    ],
)
def test_masks_are_the_recorded_ones(mask, expected):
    assert fingerprint(mask) == expected


@pytest.mark.parametrize("draw", [rectangle, strokes])
def test_bin_without_a_whole_pixel_is_refused(draw):
    with pytest.raises(UsageError, match="narrower than a pixel"):
        draw(Seeded(0), 0.100001, 0.100002)


def test_area_of_no_rectangle_is_refused():
    # 4099 is prime: one row of 4099 pixels does not fit.
    area = 4099 / 256**2
    with pytest.raises(UsageError, match="no rectangle"):
        rectangle(Seeded(0), area, math.nextafter(area, 1))


@pytest.mark.parametrize(
    ("text", "expected"), [("0.10-0.15", (0.10, 0.15)), ("0.2-0.3", (0.2, 0.3))]
)
def test_coverage_is_read(text, expected):
    assert parse_coverage(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "0.1",
        "0.1-0.2-0.3",
        "a-b",
        "0.3-0.2",
        "0.2-0.2",
        "0-0.1",
        "0.1-0.7",
        "10-15",
        "nan-0.2",
        "0.1-nan",
        "0.1-inf",
        "-0.1-0.2",
        "",
    ],
)
def test_bad_coverage_is_refused(text):
    with pytest.raises(UsageError, match="coverage must"):
        parse_coverage(text)


def test_check_coverage_names_the_numbers():
    with pytest.raises(UsageError, match=r"not 0\.5-0\.4"):
        check_coverage(0.5, 0.4)


def test_box_mask_is_cut_at_the_edge_only():
    assert np.argwhere(box_mask(1, 2, 2, 1, size=4)).tolist() == [[2, 1], [2, 2]]
