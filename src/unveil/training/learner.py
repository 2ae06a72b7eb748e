"""A network with its optimiser and its running average."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from unveil.training.checkpoint import averaged
from unveil.training.config import TrainConfig
from unveil.training.ema import Ema

SLOW = 0.3


class Learner:
    """Sets a network up for training and keeps all that goes into a checkpoint.

    Args:
        slow: parts of the network that learn at SLOW times the rate, since they know much already.
    """

    def __init__(
        self,
        fabric: Fabric,
        network: nn.Module,
        config: TrainConfig,
        *,
        average: bool = True,
        slow: Sequence[nn.Module] = (),
    ) -> None:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.fabric = fabric
        self.network = fabric.setup_module(network)
        self.ema = Ema(self.network.module, config.ema) if config.ema and average else None
        calm = {parameter for part in slow for parameter in part.parameters()}
        groups: list[dict[str, Any]] = [
            {"params": [p for p in network.parameters() if p not in calm]}
        ]
        if calm:
            rate = SLOW * config.learning_rate
            groups.append({"params": [p for p in network.parameters() if p in calm], "lr": rate})
        adam = torch.optim.Adam(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2))
        self.optimizer: Any = fabric.setup_optimizers(adam)

    def update(self) -> None:
        """Step along the gradients that are there, clear them, move the average."""
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.ema:
            self.ema.update(self.network.module)

    def sync(self, i: int, batches: Sequence[object]) -> AbstractContextManager[None]:
        """Under DDP, gradients are exchanged with the last micro-batch only."""
        return self.fabric.no_backward_sync(self.network, enabled=i < len(batches) - 1)

    def inference_network(self) -> nn.Module:
        """The network to export: the average where there is one."""
        network: nn.Module = self.ema.model if self.ema else self.network.module
        return network

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        state = {
            "network": self.network.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        if self.ema:
            state["ema"] = {"model": self.ema.model.state_dict(), "steps": self.ema.steps}
        return state

    def load_network(self, state: dict[str, Any]) -> None:
        """Take a checkpoint's network; an average starts from the averaged one."""
        self.network.module.load_state_dict(state["network"])
        if self.ema:
            self.ema.model.load_state_dict(averaged(state))
            self.ema.steps = state["ema"]["steps"] if "ema" in state else 0

    def load(self, state: dict[str, Any]) -> None:
        """Take the network, the optimiser and the average."""
        self.load_network(state)
        self.optimizer.load_state_dict(state["optimizer"])
