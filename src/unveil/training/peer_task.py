"""What the peers' training has in common: faces, discriminators, validation, checkpoints."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor, nn

from unveil.data.faces import Faces, FaceSet
from unveil.imaging import Mask, Photo
from unveil.losses.adversarial import discriminator_loss
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import rectangle
from unveil.training.examples import (
    MARGIN,
    draw_example,
    draw_examples,
    load_occluders,
    masks_to_tensor,
    to_restore,
    to_tensor,
)
from unveil.training.learner import Learner
from unveil.training.peer_config import PeerConfig
from unveil.training.task import Items
from unveil.training.validation import BINS, VALIDATION_SEED, grid, mean_psnr, squared_errors

SAMPLES = 6
Config = TypeVar("Config", bound=PeerConfig)
T = TypeVar("T")


@dataclass(frozen=True)
class PeerBatch:
    """Faces (N, 3, S, S) in [-1, 1], occluded ones with -1 where hidden; masks, 1 = hidden."""

    occluded: Tensor
    clean: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Judged:
    """What a generator's step leaves behind.

    Attributes:
        losses: weight and value of each loss, by name.
        fakes: what each discriminator is to tell from the clean faces.
    """

    losses: dict[str, tuple[float, Tensor]]
    fakes: dict[str, Tensor]


class PeerTask(ABC, Generic[Config]):
    """A network of others on the same faces, in the same loop as ours.

    `NAME` is its key in a checkpoint; a subclass says how it restores and what it learns from.
    """

    NAME: ClassVar[str]

    def __init__(
        self,
        fabric: Fabric,
        config: Config,
        occluders: Path | None,
        generator: nn.Module,
        critics: Mapping[str, nn.Module],
    ) -> None:
        self.fabric, self.config = fabric, config
        self.files = load_occluders(occluders)
        self.generator = Learner(fabric, generator, config)
        self.critics = {
            name: Learner(fabric, critic, config, average=False)
            for name, critic in (critics.items() if config.adversarial_weight else ())
        }

    @abstractmethod
    def judge(self, batch: PeerBatch, adversarial: bool) -> Judged:
        """The generator's losses on a batch."""

    @abstractmethod
    def restore(self, network: nn.Module, batch: PeerBatch) -> Tensor:
        """(N, 3, S, S), by the network itself or by its average."""

    def scores(self, critic: str, faces: Tensor, batch: PeerBatch) -> Tensor:
        """What a discriminator says of faces; some look at the occluded one, too."""
        judged: Tensor = self.critics[critic].network(faces)
        return judged

    def called(self, method: Callable[..., T], *arguments: Tensor) -> T:
        """What a marked method of the network gives, in the run's precision, as float32.

        On one device Fabric casts what goes through `forward` alone.
        """
        with self.fabric.autocast():
            results = method(*arguments)
        floats: T = apply_to_collection(results, Tensor, Tensor.float)
        return floats

    def batch(self, faces: Faces, items: Items) -> PeerBatch:
        """Faces with occluders of the kinds that the settings name."""

        def draw(face: Photo, turn: float | None, rng: Seeded) -> tuple[Photo, Photo, Mask]:
            example = draw_example(face, turn, rng, self.config, self.files)
            return (
                example.occluded,
                example.clean,
                to_restore(example.mask, rng.integer(0, MARGIN)),
            )

        return self._to_device(draw_examples(faces, items, self.config, draw))

    def _to_device(self, examples: Sequence[tuple[Photo, Photo, Mask]]) -> PeerBatch:
        occluded, clean, masks = zip(*examples, strict=True)
        device = self.fabric.device
        mask = masks_to_tensor(masks, device)
        painted = to_tensor(occluded, device).masked_fill_(mask > 0, -1.0)
        return PeerBatch(painted, to_tensor(clean, device), mask)

    def step(self, batches: Sequence[PeerBatch], step: int) -> dict[str, float]:
        """The generator's step, then the discriminators'."""
        seen = step * self.config.batch_size
        adversarial = bool(self.critics) and seen >= self.config.adversarial_from
        fakes, sums = self._generator_step(batches, adversarial)
        if adversarial:
            for name in self.critics:
                sums[f"d_{name}"] = self._critic_step(name, batches, [f[name] for f in fakes])
        return sums

    def _generator_step(
        self, batches: Sequence[PeerBatch], adversarial: bool
    ) -> tuple[list[dict[str, Tensor]], dict[str, float]]:
        sums: dict[str, float] = {}
        fakes = []
        for critic in self.critics.values():
            critic.network.requires_grad_(False)
        for i, batch in enumerate(batches):
            with self.generator.sync(i, batches):
                judged = self.judge(batch, adversarial)
                parts = judged.losses.values()
                loss = sum((weight * value for weight, value in parts), torch.zeros(()))
                self.fabric.backward(loss / len(batches))
            for name, (_, value) in judged.losses.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / len(batches)
            fakes.append({name: fake.detach() for name, fake in judged.fakes.items()})
        for critic in self.critics.values():
            critic.network.requires_grad_(True)
        self.generator.update()
        return fakes, sums

    def _critic_step(
        self, name: str, batches: Sequence[PeerBatch], fakes: Sequence[Tensor]
    ) -> float:
        total, critic = 0.0, self.critics[name]
        for i, (batch, fake) in enumerate(zip(batches, fakes, strict=True)):
            with critic.sync(i, batches):
                real = self.scores(name, batch.clean, batch)
                loss = discriminator_loss(real, self.scores(name, fake, batch))
                self.fabric.backward(loss / len(batches))
            total += float(loss.detach()) / len(batches)
        critic.update()
        return total

    @torch.no_grad()
    def _pasted(self, batch: PeerBatch) -> Tensor:
        """Restored faces with the known pixels put back."""
        restored = self.restore(self.generator.inference_network(), batch).float()
        return torch.where(batch.mask > 0, restored, batch.clean)

    def _validation_batch(self, faces: FaceSet, span: range, low: float, high: float) -> PeerBatch:
        examples = []
        for i in span:
            mask = rectangle(Seeded(VALIDATION_SEED, i), low, high, self.config.size)
            face = np.asarray(faces.faces[i])
            examples.append((face, face, mask))
        return self._to_device(examples)

    def samples(self, faces: FaceSet) -> Photo:
        """Columns of faces: occluded, restored, clean."""
        span = range(min(SAMPLES, len(faces)))
        batch = self._validation_batch(faces, span, *BINS["20_30"])
        rows = [batch.occluded, *self.sample_rows(batch), batch.clean]
        return grid(rows)

    def sample_rows(self, batch: PeerBatch) -> list[Tensor]:
        """The restored rows of `samples`."""
        return [self._pasted(batch)]

    def validate(self, faces: FaceSet, n: int) -> dict[str, float]:
        """PSNR (dB) with known pixels put back."""
        scores = {}
        n = min(n, len(faces))
        for name, (low, high) in BINS.items():
            errors = []
            for i in range(0, n, self.config.micro_batch_size):
                span = range(i, min(n, i + self.config.micro_batch_size))
                part = self._validation_batch(faces, span, low, high)
                errors.append(squared_errors(self._pasted(part), part.clean))
            scores[f"psnr_{name}"] = mean_psnr(torch.cat(errors))
        return scores

    def state(self) -> dict[str, Any]:
        """Networks and optimisers."""
        critics = {_key(name): critic.state() for name, critic in self.critics.items()}
        return {self.NAME: self.generator.state(), **critics}

    def load(self, state: dict[str, Any]) -> None:
        """Networks and optimisers."""
        self.generator.load(state[self.NAME])
        for name, critic in self.critics.items():
            critic.load(state[_key(name)])

    def load_networks(self, state: dict[str, Any]) -> None:
        """Networks alone; the discriminators may be new."""
        self.generator.load_network(state[self.NAME])
        for name, critic in self.critics.items():
            if _key(name) in state:
                critic.load_network(state[_key(name)])


def _key(critic: str) -> str:
    """Of a discriminator in a checkpoint."""
    return f"critic_{critic}"
