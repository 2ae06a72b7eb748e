import torch
import torch.nn.functional as F

from unveil.losses.segmentation import (
    NEAR,
    THIN,
    THIN_WEIGHT,
    _largest,
    mask_loss,
    thin_parts,
)


def masks(*boxes: tuple[slice, slice]) -> torch.Tensor:
    mask = torch.zeros(1, 1, 64, 64)
    for rows, columns in boxes:
        mask[..., rows, columns] = 1
    return mask


BLOCK = (slice(20, 50), slice(20, 44))
BAND = (slice(10, 13), slice(4, 60))


def test_the_largest_around_each_pixel_is_max_pooling():
    x = torch.randn(2, 1, 23, 40, generator=torch.Generator().manual_seed(3))
    for side in (3, 5, 9):
        assert torch.equal(_largest(x, side), F.max_pool2d(x, side, 1, side // 2))


def test_a_band_is_thin_with_what_is_near_and_a_block_is_not():
    assert thin_parts(masks(BLOCK)).sum() == 0
    margin = NEAR // 2
    rows, columns = BAND
    wider = slice(rows.start - margin, rows.stop + margin)
    longer = slice(columns.start - margin, columns.stop + margin)
    assert torch.equal(thin_parts(masks(BLOCK, BAND)), masks((wider, longer)))
    wide = (slice(10, 10 + THIN), columns)
    assert thin_parts(masks(wide)).sum() == 0
    # A soft edge is no thin part.
    soft = F.avg_pool2d(masks(BLOCK), 3, 1, 1)
    assert thin_parts(soft)[..., 22:48, 22:42].max() < 0.01


def test_a_band_that_is_missed_costs_more_than_as_much_of_a_block():
    mask = masks(BLOCK, BAND)
    right = (2 * mask - 1) * 6
    area = 3 * 24
    no_band, no_edge = right.clone(), right.clone()
    no_band[..., 10:13, 20:44] = -6
    no_edge[..., 47:50, 20:44] = -6
    assert int((no_band != right).sum()) == int((no_edge != right).sum()) == area
    base, band, edge = (mask_loss(x, mask) for x in (right, no_band, no_edge))
    assert base < 0.1
    # By cross-entropy alone, as many times more as the weight says; the Dice parts are the same.
    extra = THIN_WEIGHT * area * 6 / 64**2  # a wrong logit of 6 costs 6 more than a right one
    assert torch.isclose(band - edge, torch.tensor(extra), rtol=0.02)


def test_an_empty_mask_found_empty_costs_nothing():
    empty = torch.zeros(2, 1, 64, 64)
    assert mask_loss(empty - 20, empty) < 1e-3
