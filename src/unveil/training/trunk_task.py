"""What the segmenter's and the aligner's training have in common: one network on SqueezeNet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from lightning_fabric import Fabric
from torch import Tensor

from unveil.models.aligner import Aligner
from unveil.models.segmenter import Segmenter
from unveil.models.squeezenet import EDGES
from unveil.training.config import AlignerConfig, SegmenterConfig
from unveil.training.examples import load_occluders
from unveil.training.learner import Learner

Config = TypeVar("Config", SegmenterConfig, AlignerConfig)
Batch = TypeVar("Batch")


class TrunkTask(ABC, Generic[Config, Batch]):
    """One network and its one loss.

    `NAME` is the network's key in a checkpoint, `LOSS` the loss's in the log.
    """

    NAME: ClassVar[str]
    LOSS: ClassVar[str]

    def __init__(
        self,
        fabric: Fabric,
        config: Config,
        occluders: Path | None,
        network: Segmenter | Aligner,
        *,
        resumed: bool,
    ) -> None:
        self.fabric = fabric
        self.config: Config = config
        self.files = load_occluders(occluders)
        slow = []
        if config.features:
            if not resumed:  # else the checkpoint has them, and what was learned on top
                network.trunk.load(Path(config.features))
            network.trunk.fix(EDGES)
            slow = [network.trunk]
        self.learner = Learner(fabric, network, config, slow=slow)

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The network's loss on a batch."""

    def step(self, batches: Sequence[Batch], step: int) -> dict[str, float]:
        """One step along the loss."""
        total = 0.0
        for i, batch in enumerate(batches):
            with self.learner.sync(i, batches):
                loss = self.loss(batch)
                self.fabric.backward(loss / len(batches))
            total += float(loss.detach()) / len(batches)
        self.learner.update()
        return {self.LOSS: total}

    def state(self) -> dict[str, Any]:
        """Network and optimiser."""
        return {self.NAME: self.learner.state()}

    def load(self, state: dict[str, Any]) -> None:
        """Network and optimiser."""
        self.learner.load(state[self.NAME])

    def load_networks(self, state: dict[str, Any]) -> None:
        """The network alone."""
        self.learner.load_network(state[self.NAME])
