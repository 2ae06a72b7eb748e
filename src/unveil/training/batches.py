"""The paper's batches: faces with their rectangles, the same for a given seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unveil.data.faces import Faces
from unveil.imaging import Mask, Photo
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle, rectangle
from unveil.training.config import PaperConfig

MIXED_COVERAGE = (0.10, 0.30)


@dataclass(frozen=True)
class Batch:
    """The paper's triplet on a device: occluded A, clean B and mask C, in [-1, 1], NCHW."""

    occluded: Tensor
    clean: Tensor
    mask: Tensor


def make_batch(
    faces: Faces, items: Sequence[tuple[int, int]], config: PaperConfig, device: torch.device
) -> Batch:
    """Draw the paper's rectangle for each face (section 3.3) and build A, B and C."""
    images, masks = [], []
    for epoch, index in items:
        rng = Seeded(config.seed, 2, 0 if config.static_occluders else epoch, index)
        image = faces.face(index)
        mask = draw_occluder(rng, config)
        if config.flip and rng.integer(0, 1):
            image, mask = image[:, ::-1], mask[:, ::-1]
        images.append(image)
        masks.append(mask)
    return to_batch(np.stack(images), np.stack(masks), device)


def draw_occluder(rng: Seeded, config: PaperConfig) -> Mask:
    """An occluder mask of the kind that the settings name."""
    if config.occluders == "mixed" and rng.integer(0, 1):
        return rectangle(rng, *MIXED_COVERAGE, config.size)
    return paper_rectangle(rng, config.size)


def to_batch(images: Photo, masks: np.ndarray, device: torch.device) -> Batch:
    """NHWC uint8 faces and NHW bool masks -> tensors; bytes travel, floats are made there."""
    nchw = torch.from_numpy(images.copy()).to(device, non_blocking=True).permute(0, 3, 1, 2)
    clean = nchw.to(torch.float32).div_(127.5).sub_(1.0)  # channels_last memory already
    hidden = torch.from_numpy(np.ascontiguousarray(masks)).to(device)[:, None]
    occluded = clean.masked_fill(hidden, -1.0)
    return Batch(occluded, clean, hidden.to(torch.float32).mul_(2.0).sub_(1.0))
