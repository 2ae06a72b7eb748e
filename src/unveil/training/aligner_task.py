"""The network that aligns a face anew, in training: occluders draw the detector's points along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from unveil.data.faces import Faces, FaceSet
from unveil.faces.align import (
    Array,
    chain,
    corrected_by,
    correction,
    cut,
    fit,
    invert,
    turn_of,
)
from unveil.faces.detect import FaceDetector
from unveil.imaging import FACE_SIZE, Mask, Photo, from_network, resize
from unveil.losses.alignment import corner_distance
from unveil.models.aligner import ALIGNER, Aligner
from unveil.occlusion.seeded import Seeded
from unveil.training.augment import dye, worsen
from unveil.training.config import AlignerConfig
from unveil.training.examples import (
    MARGIN,
    Example,
    draw_examples,
    draw_kind,
    draw_shape,
    masks_to_tensor,
    realistic_example,
    shape_example,
    to_restore,
    to_tensor,
)
from unveil.training.task import Items
from unveil.training.trunk_task import TrunkTask
from unveil.training.validation import VALIDATION_SEED

SAMPLES = 8
DYED = 0.3  # of the occluders
TILT = 25  # degrees, the most that a shape is turned by
DETECTED = 0.6  # of the faces start as the detector aligns them with the occluder
# How far they are moved after that: deviations of the turn in degrees, of the logarithm of the
# scale and of the shift in pixels of a frame of 256; for half of the faces by SLIGHTLY of it.
TURN, SCALE, SHIFT, SLIGHTLY = 4.0, 0.05, 6.0, 0.3
# Occluders are drawn where the frame has a face's parts; real ones sit askew. So they are drawn in
# a frame that is off by so much of that: else their place alone would tell the frame.
ASKEW = 0.6
# Heads that are turned aside are few, and the detector's points lie worst there: by this factor
# times the square of the turn in radians such a face counts more.
TURNED = 4.0


@dataclass(frozen=True)
class Misaligned:
    """A face with an occluder in a wrong frame.

    Attributes:
        face: (S, S, 3) uint8.
        hidden: (S, S) bool.
        wanted: (4,) what the network is to say of it.
        weight: how much it counts.
    """

    face: Photo
    hidden: Mask
    wanted: NDArray[np.float32]
    weight: float


@dataclass(frozen=True)
class AlignmentBatch:
    """Faces (N, 3, S, S) in [-1, 1], masks (N, 1, S, S), answers (N, 4) and weights (N,)."""

    face: Tensor
    mask: Tensor
    wanted: Tensor
    weight: Tensor


class AlignerTask(TrunkTask[AlignerConfig, AlignmentBatch]):
    """One network; what it is to say is where the detector sees the face without its occluder."""

    NAME, LOSS = "aligner", "corners"

    def __init__(
        self,
        fabric: Fabric,
        config: AlignerConfig,
        occluders: Path | None,
        *,
        resumed: bool = False,
    ) -> None:
        network = Aligner(replace(ALIGNER.scaled(config.width), side=config.size))
        super().__init__(fabric, config, occluders, network, resumed=resumed)

    @cached_property
    def detector(self) -> FaceDetector:
        """Whose alignments are to be bettered."""
        return FaceDetector(threads=1)

    def batch(self, faces: Faces, items: Items) -> AlignmentBatch:
        """Faces with occluders, as the detector or chance aligns them."""
        return self._to_device(draw_examples(faces, items, self.config, self._draw))

    def _draw(self, face: Photo, _: float | None, rng: Seeded) -> Misaligned:
        """A face with an occluder; how far it is turned is seen where its points are looked for."""
        floats = rng.floats()
        example, right, turn = self._askew(face, rng, floats)
        photo = example.occluded
        if floats.random() < DYED:
            photo = dye(photo, example.mask, floats)
        start = self._aligned(photo)[0] if floats.random() < DETECTED else np.eye(2, 3)
        start = chain(start, _chance(floats, SLIGHTLY if floats.random() < 0.5 else 1.0))
        return self._misaligned(worsen(photo, floats), example.mask, start, right, turn, rng)

    def _askew(
        self, face: Photo, rng: Seeded, floats: np.random.Generator
    ) -> tuple[Example, Array, float | None]:
        """A face behind an occluder that is laid on askew, the map from there to the face's own
        frame, and how far the head is turned.
        """
        turn = self._aligned(face)[1]
        away = _chance(floats, ASKEW)
        moved = resize(cut(resize(face, FACE_SIZE), away), self.config.size)
        return self._occluded(moved, turn, rng), invert(away), turn

    def _occluded(self, face: Photo, turn: float | None, rng: Seeded) -> Example:
        """An occluder of the kinds that the settings name, but no shape stands upright.

        Rectangles do in the right frame: in a wrong one, the mask alone would tell how to turn it.
        """
        if draw_kind(rng, self.config):
            return realistic_example(face, turn, rng, self.files)
        shape = draw_shape(rng, self.config).astype(np.uint8)
        angle = rng.integer(-TILT, TILT)
        middle = (shape.shape[1] / 2, shape.shape[0] / 2)
        turned = cv2.warpAffine(shape, cv2.getRotationMatrix2D(middle, angle, 1), shape.shape[::-1])
        return shape_example(face, turned > 0)

    def _aligned(self, face: Photo) -> tuple[Array, float | None]:
        """How the detector aligns an aligned face anew, and how far it is turned."""
        points = self.detector.points(resize(face, FACE_SIZE))
        if points is None:  # as CelebA has it
            return np.eye(2, 3), None
        return fit(points), turn_of(points)

    def _misaligned(
        self,
        photo: Photo,
        mask: NDArray[np.float32],
        start: Array,
        right: Array,
        turn: float | None,
        rng: Seeded,
    ) -> Misaligned:
        size = self.config.size
        large = resize(photo, FACE_SIZE)
        soft = np.asarray(cv2.resize(mask, (FACE_SIZE, FACE_SIZE)), np.float32)
        # What leaves the frame is not drawn out with its edge: nothing is known to hide that.
        moved = cv2.warpAffine(soft, start, (FACE_SIZE, FACE_SIZE))
        hidden = to_restore(np.asarray(moved, np.float32), rng.integer(0, MARGIN))
        wanted = corrected_by(chain(invert(start), right))
        small = cv2.resize(hidden.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST)
        weight = 1 + TURNED * (turn or 0.0) ** 2
        return Misaligned(resize(cut(large, start), size), small > 0, wanted, weight)

    def _to_device(self, examples: Sequence[Misaligned]) -> AlignmentBatch:
        device = self.fabric.device
        return AlignmentBatch(
            to_tensor([e.face for e in examples], device),
            masks_to_tensor([e.hidden for e in examples], device),
            torch.from_numpy(np.stack([e.wanted for e in examples])).to(device),
            torch.tensor([e.weight for e in examples], device=device),
        )

    def loss(self, batch: AlignmentBatch) -> Tensor:
        """The distance of the frame's corners, weighted."""
        said = self.learner.network(batch.face, batch.mask)
        return (batch.weight * corner_distance(said, batch.wanted)).mean()

    @torch.no_grad()
    def _said(self, batch: AlignmentBatch) -> Tensor:
        said: Tensor = self.learner.inference_network()(batch.face, batch.mask).float()
        return said

    def _validation_batch(self, faces: FaceSet, start: int, stop: int) -> AlignmentBatch:
        """Faces as the detector aligns them behind their occluder."""
        examples = []
        for i in range(start, min(stop, len(faces))):
            face = np.ascontiguousarray(faces.faces[i])
            rng = Seeded(VALIDATION_SEED, i)
            example, right, turn = self._askew(face, rng, rng.floats())
            begin, photo = self._aligned(example.occluded)[0], example.occluded
            examples.append(self._misaligned(photo, example.mask, begin, right, turn, rng))
        return self._to_device(examples)

    def samples(self, faces: FaceSet) -> Photo:
        """Columns of faces: as they came, as the network aligns them, as they should be."""
        batch = self._validation_batch(faces, 0, SAMPLES)
        shown = from_network(batch.face.cpu().numpy())
        came = np.stack([resize(face, FACE_SIZE) for face in shown])
        rows = [
            came,
            *(
                np.stack(
                    [cut(face, correction(moved)) for face, moved in zip(came, said, strict=True)]
                )
                for said in (self._said(batch).cpu().numpy(), batch.wanted.cpu().numpy())
            ),
        ]
        return np.concatenate([np.hstack(list(row)) for row in rows])

    def validate(self, faces: FaceSet, n: int) -> dict[str, float]:
        """How far the corners of the frame are off, in pixels of 256: before, and as it says."""
        before, after = [], []
        for i in range(0, min(n, len(faces)), self.config.micro_batch_size):
            batch = self._validation_batch(faces, i, min(n, i + self.config.micro_batch_size))
            nothing = torch.zeros_like(batch.wanted)
            before += corner_distance(nothing, batch.wanted).tolist()
            after += corner_distance(self._said(batch), batch.wanted).tolist()
        return {"before": float(np.mean(before)), "after": float(np.mean(after))}


def _chance(floats: np.random.Generator, much: float) -> Array:
    """A small turn, scale and shift about the middle of the frame."""
    angle = np.radians(floats.normal(0, TURN * much))
    scale = np.exp(floats.normal(0, SCALE * much))
    turn = scale * np.exp(1j * angle)
    shift = floats.normal(0, SHIFT * much, 2)
    middle = FACE_SIZE / 2
    return correction(np.array([(turn.real - 1) * middle, turn.imag * middle, *shift]))
