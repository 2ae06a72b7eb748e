"""Named settings of `unveil train`."""

from __future__ import annotations

from unveil.training.config import TrainConfig

PRESETS: dict[str, TrainConfig] = {
    # Section 3.4 and 4.3: batch 64, 256x256, four Adams, a rectangle a face, no mirroring.
    "paper": TrainConfig(),
}
