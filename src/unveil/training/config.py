"""Settings of a training run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unveil.errors import UsageError

OCCLUDERS = ("paper", "mixed")


@dataclass(frozen=True)
class TrainConfig:
    """All that decides the weights of a run, saved inside each checkpoint.

    Attributes:
        size: side of the faces in pixels, a multiple of 2**depth.
        width: channels relative to the paper's (tests use less than 1).
        depth: downs of the U-Net (paper: 8).
        batch_size: faces an optimiser step (paper: 64).
        micro_batch_size: faces at a time; gradients are accumulated up to `batch_size`.
        epochs: passes over the faces.
        learning_rate, beta1, beta2: Adam's, for all four optimisers (pix2pix's values).
        pixel_weight: lambda, the weight of L1 beside the adversarial loss.
        hidden_weight: weight of hidden pixels in the face branch's L1 (paper: 1, like all others).
        occluders: "paper" (section 3.3, 4 to 15 % of the image), or "mixed": every other face gets
            a rectangle of 10 to 30 % instead, as the evaluation has them.
        adversarial_from: faces seen before the discriminators join in; until then L1 alone is
            trained (paper: 0). On a CPU, a start on L1 alone buys twice the faces an hour.
        conv_mean: mean of the convolutions' initial weights: 0 (pix2pix) or 1 (paper's words).
        dropout: rate in the first five downs.
        mask_every: train the mask branch on every n-th step only. The paper notes that it needs
            far less work than the face branch.
        flip: mirror half of the faces.
        ema: decay of the running average of the generators' weights that is exported; 0 = none.
        static_occluders: one rectangle a face for the whole run, as triplets on disk have;
            otherwise a new one each epoch.
        seed: of everything drawn at random.
    """

    size: int = 256
    width: float = 1.0
    depth: int = 8
    batch_size: int = 64
    micro_batch_size: int = 16
    epochs: int = 200
    learning_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    pixel_weight: float = 100.0
    hidden_weight: float = 1.0
    occluders: str = "paper"
    adversarial_from: int = 0
    conv_mean: float = 0.0
    dropout: float = 0.5
    mask_every: int = 1
    flip: bool = False
    ema: float = 0.0
    static_occluders: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.depth <= 8 or self.size % 2**self.depth:
            raise UsageError(f"--size {self.size} must be a multiple of {2**self.depth} (2^depth)")
        if self.batch_size % self.micro_batch_size:
            raise UsageError(
                f"--batch-size {self.batch_size} must be a multiple of "
                f"--micro-batch-size {self.micro_batch_size}"
            )
        for name in ("batch_size", "micro_batch_size", "epochs", "mask_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be at least 1")
        if self.occluders not in OCCLUDERS:
            raise UsageError(f"--occluders {self.occluders}: choose from {', '.join(OCCLUDERS)}")
        for name in ("dropout", "ema"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"--{name} must be in [0, 1)")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for checkpoints and logs."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class RunOptions:
    """How a run is carried out; nothing here changes the weights.

    Attributes:
        accelerator, devices, nodes, precision: Lightning Fabric's settings.
        sample_every: batches between grids of validation samples (paper: 20).
        checkpoint_every: batches between checkpoints.
        validation_faces: faces of the validation PSNR, taken at each checkpoint.
        max_minutes: stop, with a checkpoint, after this time; 0 = never.
        resume: go on from the last checkpoint in the output folder.
        init_from: a checkpoint whose networks a new run starts from, with fresh optimisers.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: str = "32-true"
    sample_every: int = 20
    checkpoint_every: int = 100
    validation_faces: int = 48
    max_minutes: float = 0.0
    resume: bool = False
    init_from: Path | None = None
