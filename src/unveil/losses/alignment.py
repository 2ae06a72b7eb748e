"""How far a frame is from where it belongs."""

from __future__ import annotations

from torch import Tensor


def corner_distance(moved: Tensor, wanted: Tensor) -> Tensor:
    """How far the corners of a frame of 256 pixels are off, the mean of four, in pixels.

    Args:
        moved, wanted: (N, 4), of `models.aligner`.

    Returns:
        (N,)
    """
    a, b, x, y = (moved - wanted).unbind(1)
    corners = [
        ((x + a * i - b * j) ** 2 + (y + b * i + a * j) ** 2 + 1e-4).sqrt()
        for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    return sum(corners[1:], corners[0]) / 4
