"""PSNR, SSIM, L1 and IoU of one face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from unveil.imaging import Mask, Photo

# Equal images have no finite PSNR; one such face must not make a mean infinite.
MAX_PSNR = 100.0


@dataclass(frozen=True)
class Scores:
    """PSNR (dB), SSIM and L1 (0..255) of one output, whole face and hidden part."""

    psnr_whole: float
    psnr_hidden: float
    ssim_whole: float
    ssim_hidden: float
    l1_whole: float
    l1_hidden: float


def psnr(clean: NDArray[np.uint8], output: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two uint8 arrays of one shape, at most `MAX_PSNR`.

    >>> zero, five = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 5, np.uint8)
    >>> round(psnr(zero, five), 4)  # 20 log10(255 / 5)
    34.1514
    """
    if np.array_equal(clean, output):
        return MAX_PSNR
    value = peak_signal_noise_ratio(clean, output, data_range=255)  # type: ignore[no-untyped-call]
    return min(MAX_PSNR, float(value))


def score(clean: Photo, output: Photo, mask: Mask) -> Scores:
    """Compare an output with the truth.

    SSIM is that of Wang et al. (2004): Gaussian windows of deviation 1.5, mean over the channels.
    In the hidden part, PSNR comes from the hidden pixels' squared errors alone, and SSIM is the
    mean of its map over the hidden pixels (whose windows reach over the edge). L1 is the mean
    absolute difference of a channel, in steps of 0..255.

    Args:
        clean, output: (S, S, 3) uint8 RGB, S at least 11.
        mask: (S, S) bool, True = hidden; hides at least one pixel.
    """
    whole, ssim_map = structural_similarity(  # type: ignore[no-untyped-call]
        clean.astype(np.float32),
        output.astype(np.float32),
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    apart = np.abs(clean.astype(np.int16) - output)
    return Scores(
        psnr_whole=psnr(clean, output),
        psnr_hidden=psnr(clean[mask], output[mask]),
        ssim_whole=float(whole),
        ssim_hidden=float(ssim_map[mask].mean()),
        l1_whole=float(apart.mean()),
        l1_hidden=float(apart[mask].mean()),
    )


def iou(found: NDArray[np.floating], truth: Mask, threshold: float = 0.5) -> float:
    """Intersection over union of a found occluder mask (in [0, 1]) and the true one.

    >>> iou(np.array([[1.0, 0.9, 0.2]]), np.array([[True, False, True]]))
    0.3333333333333333
    """
    hidden = found > threshold
    union = int((hidden | truth).sum())
    return int((hidden & truth).sum()) / union if union else 1.0
