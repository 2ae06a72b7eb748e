"""How far a restored face moves away from the person, as a recogniser sees it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from unveil.models.dlib_face import LEFT, SIDE, TOP, DlibFace

# The window of a canonical face that training looks at for this: multiples of 16 around the square
# that the recogniser sees.
CORNER, WINDOW = (80, 48), 160


def chips(windows: Tensor) -> Tensor:
    """Windows (N, 3, 160, 160) at `CORNER`, in [-1, 1] -> what the recogniser sees of them."""
    top, left = TOP - CORNER[0], LEFT - CORNER[1]
    return (windows[..., top : top + SIDE, left : left + SIDE] + 1) * 127.5


def identity_distance(
    recogniser: DlibFace,
    restored: Tensor,
    clean: Tensor,
    mask: Tensor,
    corners: Sequence[tuple[int, int]],
) -> Tensor:
    """Mean squared distance of the embeddings of restored faces, known pixels kept, and clean ones.

    Args:
        recogniser: frozen.
        restored, clean: windows (N, 3, 160, 160) in [-1, 1].
        mask: (N, 1, 160, 160), 1 = hidden.
        corners: top and left of each window; those elsewhere than at `CORNER` do not count.

    Returns:
        0 where no window counts.
    """
    kept = [i for i, corner in enumerate(corners) if corner == CORNER]
    if not kept:
        return restored.new_zeros(())
    restored, clean, mask = (x[kept] for x in (restored, clean, mask))
    pasted = mask * restored + (1 - mask) * clean
    with torch.no_grad():
        person = recogniser(chips(clean))
    distances: Tensor = (recogniser(chips(pasted)) - person).square().sum(1)
    return distances.mean()
