"""What all tasks validate with: masks that never change, the mean PSNR of faces, a grid of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from unveil.imaging import Photo, from_network

VALIDATION_SEED = 20_000
# Shares of the face that rectangles hide: the bins of the paper's section 4.3.2.
BINS = {"10_15": (0.10, 0.15), "20_30": (0.20, 0.30)}


def squared_errors(output: Tensor, clean: Tensor) -> Tensor:
    """Mean squared error of each face over its pixels and channels, as of values of a range of 1.

    Args:
        output, clean: (N, C, H, W) in [-1, 1].

    Returns:
        (N,) in [0, 1], on the CPU.
    """
    return ((output - clean).square() / 4).mean((1, 2, 3)).cpu()


def mean_psnr(errors: Tensor) -> float:
    """Mean over the faces of the PSNR in dB, at most 100 a face.

    Args:
        errors: (N,) of `squared_errors`.
    """
    return float((-10 * errors.clamp(min=1e-10).log10()).mean())


def grid(rows: Sequence[Tensor]) -> Photo:
    """Rows of faces, (N, 3, S, S) in [-1, 1] each, one under another: (rows S, N S, 3) uint8."""
    return np.concatenate([np.hstack(list(from_network(row.cpu().numpy()))) for row in rows])
