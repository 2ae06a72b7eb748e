"""Settings of a training run that say how it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unveil.errors import UsageError

# Of all that Fabric knows those that keep the weights in float32, as the optimisers need them.
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class RunOptions:
    """How a run is carried out.

    `init_from`, `occluders` and `precision` change the weights, and the number of processes does by
    rounding, or by more where faces touch each other in a micro-batch (docs/training.md).

    Attributes:
        accelerator, devices, nodes, precision: Lightning Fabric's settings; under torchrun, which
            has started the processes, devices and nodes are torchrun's. A run is resumed with the
            same precision.
        sample_every: batches between grids of validation samples (paper: 20).
        checkpoint_every: batches between checkpoints.
        validation_faces: faces of the validation measures, taken at each checkpoint.
        max_minutes: stop, with a checkpoint, after this time; 0 = never.
        resume: go on from the last checkpoint in the output folder.
        init_from: a checkpoint whose networks a new run starts from, with fresh optimisers.
        occluders: folder of RGBA occluders for `--occluders all`; None = drawn ones only. A run is
            resumed with the same.
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
    occluders: Path | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UsageError(f"--precision {self.precision}: choose from {', '.join(PRECISIONS)}")
        for name, least in (("sample_every", 1), ("checkpoint_every", 1), ("max_minutes", 0)):
            if not getattr(self, name) >= least:
                raise UsageError(f"--{name.replace('_', '-')} must be at least {least}")
