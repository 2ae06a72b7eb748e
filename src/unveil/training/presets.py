"""Named settings of `unveil train`."""

from __future__ import annotations

from unveil.training.config import (
    AlignerConfig,
    LiteConfig,
    PaperConfig,
    SegmenterConfig,
    TrainConfig,
)
from unveil.training.peer_config import PicNetConfig, ShiftNetConfig, UnetConfig

PRESETS: dict[str, TrainConfig] = {
    # Sections 3.4 and 4.3: batch 64, 256x256, four Adams, no mirroring. Ours are the number of
    # epochs, 16 faces at a time, and a new rectangle for each face in each epoch.
    "paper": PaperConfig(),
    "lite": LiteConfig(),
    "segmenter": SegmenterConfig(),
    "aligner": AlignerConfig(),
    # Re-implementations of others' networks, for comparison.
    "unet": UnetConfig(),
    "shiftnet": ShiftNetConfig(),
    "picnet": PicNetConfig(),
}
