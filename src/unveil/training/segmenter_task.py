"""The occluder segmenter in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from unveil.data.faces import Faces, FaceSet
from unveil.imaging import Photo
from unveil.losses.segmentation import mask_loss
from unveil.models.segmenter import SEGMENTER, Segmenter
from unveil.occlusion.seeded import Seeded
from unveil.training.augment import dye, printed, rough_up
from unveil.training.config import SegmenterConfig
from unveil.training.examples import (
    Example,
    draw_example,
    draw_examples,
    masks_to_tensor,
    to_tensor,
)
from unveil.training.real_examples import RealExamples
from unveil.training.scenery import bordered, dressed, ears_out, from_afar, on_plain
from unveil.training.task import Items
from unveil.training.trunk_task import TrunkTask
from unveil.training.validation import VALIDATION_SEED, grid

SAMPLES = 8
DYED, PRINTED = 0.25, 0.2  # of the occluders
DRESSED, FROM_AFAR, BORDERED = 0.1, 0.06, 0.03  # of the faces
EARS_OUT, ON_PLAIN = 0.3, 0.3  # of the faces
REAL = 0.2  # of the faces, where there are real examples; of them, those with nothing drawn on top
REAL_ALONE = 0.65


@dataclass(frozen=True)
class MaskBatch:
    """Occluded faces (N, 3, S, S) in [-1, 1] and occluder masks (N, 1, S, S) in [0, 1]."""

    occluded: Tensor
    mask: Tensor


class SegmenterTask(TrunkTask[SegmenterConfig, MaskBatch]):
    """One network, trained on occluders of all kinds and on faces without one."""

    NAME, LOSS = "segmenter", "mask"

    def __init__(
        self,
        fabric: Fabric,
        config: SegmenterConfig,
        occluders: Path | None,
        *,
        resumed: bool = False,
    ) -> None:
        network = Segmenter(replace(SEGMENTER.scaled(config.width), side=config.size))
        super().__init__(fabric, config, occluders, network, resumed=resumed)
        self.real = None
        if config.examples:
            self.real = RealExamples.load(Path(config.examples), config.size)

    def batch(self, faces: Faces, items: Items) -> MaskBatch:
        """Faces with and without occluders, as bad cameras would show them."""
        before: list[Photo] = []  # the face before this one, whose photo is printed on occluders

        def draw(face: Photo, turn: float | None, rng: Seeded) -> Example:
            floats = rng.floats()
            other = before[-1] if before else face
            if floats.random() < ON_PLAIN:
                face = on_plain(face, floats)
            if floats.random() < EARS_OUT:
                face = ears_out(face, floats)
            scene = floats.random()
            if scene < DRESSED:
                face = dressed(face, other, floats)
            example = self._draw_real(face, rng) or self._draw(face, turn, rng)
            photo, mask = example.occluded, example.mask
            look = floats.random()
            if look < DYED:
                photo = dye(photo, mask, floats)
            elif look < DYED + PRINTED:
                photo = printed(photo, mask, other, floats)
            if DRESSED < scene < DRESSED + FROM_AFAR:
                photo, mask = from_afar(photo, mask, other, floats)
            elif scene > 1 - BORDERED:
                photo, mask = bordered(photo, mask, floats)
            before[:] = [face]
            photo, mask = rough_up(photo, mask, floats)
            return Example(example.clean, photo, mask)

        return self._to_device(draw_examples(faces, items, self.config, draw))

    def _draw(self, face: Photo, turn: float | None, rng: Seeded) -> Example:
        if rng.integer(0, 999) < 1000 * self.config.clean:
            return Example(face, face, np.zeros(face.shape[:2], np.float32))
        return draw_example(face, turn, rng, self.config, self.files)

    def _draw_real(self, face: Photo, rng: Seeded) -> Example | None:
        """Now and then a real occluder, and perhaps a drawn one as well."""
        if self.real is None or rng.integer(0, 999) >= 1000 * REAL:
            return None
        real = self.real.draw(face, rng)
        if rng.integer(0, 999) < 1000 * REAL_ALONE:
            return real
        drawn = draw_example(real.occluded, None, rng, self.config, self.files)
        return Example(real.clean, drawn.occluded, np.maximum(real.mask, drawn.mask))

    def _to_device(self, examples: Sequence[Example]) -> MaskBatch:
        device = self.fabric.device
        return MaskBatch(
            to_tensor([e.occluded for e in examples], device),
            masks_to_tensor([e.mask for e in examples], device),
        )

    def loss(self, batch: MaskBatch) -> Tensor:
        """The mask loss."""
        return mask_loss(self.learner.network(batch.occluded), batch.mask)

    @torch.no_grad()
    def _find(self, batch: MaskBatch) -> Tensor:
        found: Tensor = self.learner.inference_network()(batch.occluded).float().sigmoid()
        return found

    def _validation_batch(self, faces: FaceSet, start: int, stop: int) -> MaskBatch:
        examples = []
        for i in range(start, min(stop, len(faces))):
            face = np.ascontiguousarray(faces.faces[i])
            examples.append(self._draw(face, faces.turn(i), Seeded(VALIDATION_SEED, i)))
        return self._to_device(examples)

    def samples(self, faces: FaceSet) -> Photo:
        """Columns of faces: occluded, mask found, true mask."""
        batch = self._validation_batch(faces, 0, SAMPLES)
        masks = [(m * 2 - 1).expand(-1, 3, -1, -1) for m in (self._find(batch), batch.mask)]
        return grid([batch.occluded, *masks])

    def validate(self, faces: FaceSet, n: int) -> dict[str, float]:
        """IoU where something hides the face; share of pixels found where nothing does."""
        iou, false = [], []
        for i in range(0, min(n, len(faces)), self.config.micro_batch_size):
            batch = self._validation_batch(faces, i, min(n, i + self.config.micro_batch_size))
            said = self._find(batch)
            if said.isnan().any():  # which is no mask, and not an empty one
                return {"mask_iou": float("nan"), "false_positive": float("nan")}
            found, hidden = said > 0.5, batch.mask > 0.5
            both, either = (found & hidden).sum((1, 2, 3)), (found | hidden).sum((1, 2, 3))
            for b, e, h in zip(both.tolist(), either.tolist(), hidden.sum((1, 2, 3)), strict=True):
                if h > 0:
                    iou.append(b / e)
                else:
                    false.append(e / hidden[0].numel())
        return {
            "mask_iou": float(np.mean(iou)) if iou else 0.0,
            "false_positive": float(np.mean(false)) if false else 0.0,
        }
