"""A tiny run: 64-pixel drawn faces, a U-Net of a few thousand parameters."""

import numpy as np
import torch
from lightning_fabric import Fabric

from unveil.data.faces import FaceSet
from unveil.training.config import PaperConfig, TrainConfig
from unveil.training.loop import make_task
from unveil.training.run_options import RunOptions
from unveil.training.task import Task

# Nets this small spend their time on handing work between threads.
torch.set_num_threads(1)

CONFIG = PaperConfig(
    size=64, width=0.05, depth=4, batch_size=4, micro_batch_size=2, epochs=2, ema=0.9
)


def options(**changes) -> RunOptions:
    return RunOptions(accelerator="cpu", **{"sample_every": 2, "checkpoint_every": 2, **changes})


def task(config: TrainConfig) -> Task:
    return make_task(Fabric(accelerator="cpu", devices=1), config, None)


def faces(n: int = 12, seed: int = 0) -> FaceSet:
    """Smooth blobs in skin colours: something that a network can learn in a few steps."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:64, 0:64] / 63 - 0.5
    images = []
    for _ in range(n):
        skin, back = rng.uniform(90, 230, 3), rng.uniform(0, 120, 3)
        inside = (x / rng.uniform(0.3, 0.4)) ** 2 + (y / rng.uniform(0.38, 0.48)) ** 2 < 1
        images.append(np.where(inside[..., None], skin, back))
    return FaceSet(tuple(f"{i}.png" for i in range(n)), np.array(images, dtype=np.uint8))
