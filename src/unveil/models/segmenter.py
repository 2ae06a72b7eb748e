"""Finds what hides a face: occluded face in, occluder mask out.

The trunk of `lite`, narrower. Left and right differ where an occluder is, so it keeps the mirrored
half; the place codes know where a face has its mouth, its eyes and its hair.
"""

from __future__ import annotations

from torch import Tensor, nn

from unveil.models.folded import FoldedShape, FoldedUNet

SEGMENTER = FoldedShape(widths=(32, 64, 128), blocks=(2, 2, 3))


class Segmenter(nn.Module):
    """Occluded face -> logits of the occluder mask."""

    def __init__(self, shape: FoldedShape = SEGMENTER) -> None:
        super().__init__()
        self.trunk = FoldedUNet(3, 1, shape)

    def forward(self, face: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1], RGB -> (B, 1, S, S) logits, above 0 = hidden."""
        logits: Tensor = self.trunk(face)
        return logits
