"""Running average of a network's weights (Polyak averaging), the one that is exported."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Ema:
    """Average of `model`'s weights and buffers with a decay that warms up over the first steps."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model after an optimiser step."""
        self.steps += 1
        # (1 + n) / (10 + n): the untrained weights of the first steps must not linger.
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        ours, theirs = self.model.state_dict(), model.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - decay)
            else:
                value.copy_(theirs[name])
