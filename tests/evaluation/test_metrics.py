import math

import numpy as np
import pytest

from unveil.evaluation.metrics import MAX_PSNR, iou, psnr, score
from unveil.occlusion.shapes import box_mask


def reference_ssim_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Wang et al. (2004), equation 13, one channel, by plain summation over 11x11 windows."""
    offsets = np.arange(-5, 6)
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    height, width = a.shape[0] - 10, a.shape[1] - 10
    out = np.empty((height, width))
    for i in range(height):
        for j in range(width):
            x, y = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * x * x).sum() - mx**2, (window * y * y).sum() - my**2
            cov = (window * x * y).sum() - mx * my
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            out[i, j] = (2 * mx * my + c1) * (2 * cov + c2)
            out[i, j] /= (mx**2 + my**2 + c1) * (vx + vy + c2)
    return out


def test_psnr_by_hand():
    clean = np.zeros((20, 20, 3), np.uint8)
    output, mask = clean.copy(), box_mask(2, 3, 10, 10, 20)
    output[mask] = 10  # a quarter of the pixels is wrong by 10: MSE 100 there, 25 over all
    scores = score(clean, output, mask)
    assert scores.psnr_hidden == pytest.approx(10 * math.log10(255**2 / 100))
    assert scores.psnr_whole == pytest.approx(10 * math.log10(255**2 / 25))
    assert (scores.l1_hidden, scores.l1_whole) == (10, 2.5)


def test_equal_images_have_the_largest_scores():
    face = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    scores = score(face, face.copy(), box_mask(3, 3, 5, 5, 24))
    assert (scores.psnr_whole, scores.psnr_hidden) == (MAX_PSNR, MAX_PSNR)
    assert scores.ssim_whole == pytest.approx(1)
    assert scores.ssim_hidden == pytest.approx(1)


def test_ssim_equals_its_definition():
    rng = np.random.default_rng(1)
    clean = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    output = np.clip(clean + rng.normal(0, 30, clean.shape), 0, 255).astype(np.uint8)
    maps = [reference_ssim_map(clean[..., c].astype(float), output[..., c]) for c in range(3)]
    inner = np.mean(maps, axis=0)  # (14, 14): windows that lie inside
    mask = box_mask(7, 8, 6, 5, 24)
    scores = score(clean, output, mask)
    assert scores.ssim_whole == pytest.approx(inner.mean(), abs=1e-4)
    assert scores.ssim_hidden == pytest.approx(inner[mask[5:-5, 5:-5]].mean(), abs=1e-4)


def test_errors_outside_the_hidden_part_do_not_touch_its_psnr():
    clean = np.full((24, 24, 3), 100, np.uint8)
    mask = box_mask(0, 0, 4, 4, 24)
    output = np.full_like(clean, 180)
    output[mask] = 103
    assert psnr(clean[mask], output[mask]) == score(clean, output, mask).psnr_hidden
    assert score(clean, output, mask).psnr_hidden == pytest.approx(20 * math.log10(255 / 3))


def test_iou():
    truth = box_mask(0, 0, 4, 4, 8)
    assert iou(truth.astype(np.float32), truth) == 1
    assert iou(box_mask(2, 0, 4, 4, 8).astype(np.float32), truth) == pytest.approx(8 / 24)
    assert iou(np.zeros((8, 8)), truth) == 0
    assert iou(np.zeros((8, 8)), np.zeros((8, 8), bool)) == 1
