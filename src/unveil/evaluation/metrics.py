"""PSNR, SSIM, L1 and IoU of one face, and means with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from unveil.imaging import Mask, Photo

# Equal images have no finite PSNR; one such face must not make a mean infinite.
MAX_PSNR = 100.0
# From so many degrees of freedom on, the normal distribution's quantile does: Student's is 1.2 %
# wider here and 0.1 % at a thousand faces, and the results that are kept were measured without it.
MANY = 100
INTERVAL = (
    "mean +- t sample deviations / sqrt(n), faces as the units; t: Student's 97.5 % quantile, 1.96 "
    f"from {MANY} degrees of freedom on"
)


@dataclass(frozen=True)
class Scores:
    """PSNR (dB), SSIM and L1 (0..255) of one output, whole face and hidden part."""

    psnr_whole: float
    psnr_hidden: float
    ssim_whole: float
    ssim_hidden: float
    l1_whole: float
    l1_hidden: float


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` faces with its 95 % interval low..high; see `INTERVAL`."""

    mean: float
    low: float
    high: float
    n: int


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


def quantile(degrees: float) -> float:
    """How many standard errors a 95 % interval reaches to each side; see `MANY`.

    >>> round(quantile(9), 4), quantile(999)
    (2.2622, 1.96)
    """
    return float(stdtrit(degrees, 0.975)) if degrees < MANY else 1.96


def estimate(values: Sequence[float] | NDArray[np.floating]) -> Estimate:
    """Mean and 95 % interval of one value a face.

    >>> estimate([1.0, 2.0, 3.0]).mean
    2.0
    """
    array = np.asarray(values, dtype=np.float64)
    n, mean = len(array), float(array.mean())
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"), n)
    half = quantile(n - 1) * float(array.std(ddof=1)) / float(np.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)


def paired(a: Sequence[float], b: Sequence[float]) -> Estimate:
    """How much larger `a` is than `b` on the same faces, in the same order."""
    if len(a) != len(b):
        raise ValueError(f"paired values must be of the same faces: {len(a)} and {len(b)}")
    return estimate(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))
