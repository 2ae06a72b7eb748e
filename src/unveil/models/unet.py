"""The plain U-Net of pix2pix.

Source: Isola, Zhu, Zhou and Efros, "Image-to-Image Translation with Conditional Adversarial
Networks", CVPR 2017, sections 3.2.1 and 6.1.1. A re-implementation: the paper's generator of
`paper.py` with plain 4x4 convolutions, whose channels are pix2pix's.

What differs from the paper:
1.  Seven downs, not eight, as Shift-Net here, so that it can be trained on 128x128 faces first.
    `width` scales all channels.
2.  InstanceNorm where the paper has BatchNorm (which at its batch of 1 is the same).
3.  No dropout, which is where the paper's noise comes from.
4.  The output layer is nearest upsampling and a convolution, not a transposed one.
5.  The adversarial loss is that of least squares; `patchgan.py` says so.
"""

from __future__ import annotations

from unveil.models.paper import PaperGenerator, init_normal

DEPTH = 7


def make_unet(width: float) -> PaperGenerator:
    """(N, 3, S, S) in [-1, 1], hidden = -1 -> (N, 3, S, S); S is a multiple of 128."""
    network = PaperGenerator(plain=True, width=width, depth=DEPTH, dropout=0.0)
    init_normal(network)
    return network
