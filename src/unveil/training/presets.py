"""Named settings of `unveil train`."""

from __future__ import annotations

from unveil.training.config import (
    LiteConfig,
    PaperConfig,
    PicNetConfig,
    SegmenterConfig,
    ShiftNetConfig,
    TrainConfig,
    UnetConfig,
)

PRESETS: dict[str, TrainConfig] = {
    # Section 3.4 and 4.3: batch 64, 256x256, four Adams, a rectangle a face, no mirroring.
    "paper": PaperConfig(),
    "lite": LiteConfig(),
    "segmenter": SegmenterConfig(),
    # Re-implementations of others' networks, for comparison.
    "unet": UnetConfig(),
    "shiftnet": ShiftNetConfig(),
    "picnet": PicNetConfig(),
}
