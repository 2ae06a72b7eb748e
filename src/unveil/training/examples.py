"""Faces with something before them, for all that is trained but the paper's system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unveil.data.faces import Faces
from unveil.imaging import Mask, Photo, grow, occlude
from unveil.occlusion.compose import compose
from unveil.occlusion.objects.choose import draw as draw_layer
from unveil.occlusion.objects.files import FileOccluders
from unveil.occlusion.objects.head import Head
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle, rectangle, strokes
from unveil.training.config import OccludedConfig, TrainConfig

Drawn = TypeVar("Drawn")

# A mask that a segmenter finds is never exact: what is hidden grows by up to so many pixels.
MARGIN = 4


@dataclass(frozen=True)
class Example:
    """One face: as it is, (S, S, 3) uint8; with an occluder; the soft occluder mask (S, S)."""

    clean: Photo
    occluded: Photo
    mask: NDArray[np.float32]

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All three, as they are named: what moves one moves all."""
        return [self.clean, self.occluded, self.mask]


def load_occluders(folder: Path | None) -> FileOccluders | None:
    """The occluders of a folder, without the third that tests are made with.

    Raises:
        DataError: the folder holds none that can be read.
    """
    return FileOccluders.load(folder).split("train") if folder else None


def draw_example(
    face: Photo,
    turn: float | None,
    rng: Seeded,
    config: OccludedConfig,
    files: FileOccluders | None,
) -> Example:
    """Hide part of a face with an occluder of the kinds that the settings name.

    Args:
        face: (S, S, 3) uint8.
        turn: of the head, radians, as `Head.turn`.
    """
    if draw_kind(rng, config):
        return realistic_example(face, turn, rng, files)
    return shape_example(face, draw_shape(rng, config))


def draw_kind(rng: Seeded, config: OccludedConfig) -> bool:
    """Whether the next occluder is a realistic one."""
    realistic = rng.integer(0, 999) < 1000 * config.objects
    return config.occluders == "all" and realistic


def realistic_example(
    face: Photo, turn: float | None, rng: Seeded, files: FileOccluders | None
) -> Example:
    """A face behind a realistic occluder; arguments as `draw_example`'s."""
    floats = rng.floats()
    layer = draw_layer(floats, Head.seen(face, turn), files)
    return Example(face, *compose(face, layer, floats))


def draw_shape(rng: Seeded, config: OccludedConfig) -> Mask:
    """A rectangle or strokes: (config.size, config.size) bool, True = hidden."""
    size, kind = config.size, rng.integer(0, 99)
    if config.occluders == "all" and kind >= 75:
        low = 0.05 * rng.integer(1, 6)
        return strokes(rng, low, low + 0.1, size)
    if config.occluders == "paper" or kind < 15:
        return paper_rectangle(rng, size)
    return rectangle(rng, 0.1, 0.3, size)


def shape_example(face: Photo, mask: Mask) -> Example:
    """A face with a black shape before it."""
    return Example(face, occlude(face, mask), mask.astype(np.float32))


def draw_examples(
    faces: Faces,
    items: Sequence[tuple[int, int]],
    config: TrainConfig,
    draw: Callable[[Photo, float | None, Seeded], Drawn],
) -> list[Drawn]:
    """What `draw` makes of each (epoch, face): of its picture, and of its turn in radians."""
    examples = []
    for epoch, index in items:
        rng = Seeded(config.seed, 2, epoch, index)
        face, turn = faces.face(index), faces.turn(index)
        if config.flip and rng.integer(0, 1):
            face, turn = face[:, ::-1], None if turn is None else -turn
        examples.append(draw(np.ascontiguousarray(face), turn, rng))
    return examples


def to_restore(mask: NDArray[np.float32], margin: int) -> Mask:
    """What is to be restored: all that the occluder touches, and `margin` pixels around it.

    Args:
        mask: (S, S) in [0, 1], 1 = hidden.

    Returns:
        (S, S) bool, True = hidden.
    """
    return grow(mask > 1 / 255, margin)


def to_tensor(images: Sequence[Photo], device: torch.device) -> Tensor:
    """HWC uint8 images -> (N, 3, S, S) in [-1, 1]; bytes travel, floats are made there."""
    nchw = torch.from_numpy(np.stack(images)).to(device, non_blocking=True).permute(0, 3, 1, 2)
    return nchw.to(torch.float32).div_(127.5).sub_(1.0)  # channels_last memory already


def masks_to_tensor(masks: Sequence[NDArray[np.float32] | Mask], device: torch.device) -> Tensor:
    """HW masks -> (N, 1, S, S) in [0, 1]."""
    return torch.from_numpy(np.stack(masks).astype(np.float32)).to(device)[:, None]
