"""One generator-discriminator pair with its two optimisers: the face branch or the mask branch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from unveil.losses.adversarial import discriminator_loss, generator_loss
from unveil.losses.pixel import l1_loss
from unveil.models.paper import PaperGenerator, init_normal
from unveil.models.patch_discriminator import PatchDiscriminator
from unveil.training.batches import Batch
from unveil.training.config import PaperConfig
from unveil.training.ema import Ema


class Branch:
    """A -> B (`target="clean"`) or A -> C (`target="mask"`), as in Algorithm 3."""

    def __init__(self, fabric: Fabric, config: PaperConfig, target: str) -> None:
        self.fabric, self.config, self.target = fabric, config, target
        channels = 3 if target == "clean" else 1
        generator = PaperGenerator(
            channels, dropout=config.dropout, width=config.width, depth=config.depth
        )
        discriminator = PatchDiscriminator(channels, width=config.width)
        for network in (generator, discriminator):
            init_normal(network, conv_mean=config.conv_mean)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.generator = fabric.setup_module(generator)
        self.discriminator = fabric.setup_module(discriminator)
        self.ema = Ema(self.generator.module, config.ema) if config.ema else None
        self.optimizers: dict[str, Any] = {
            name: fabric.setup_optimizers(
                torch.optim.Adam(
                    network.parameters(),
                    lr=config.learning_rate,
                    betas=(config.beta1, config.beta2),
                )
            )
            for name, network in (("g", self.generator), ("d", self.discriminator))
        }

    def step(self, batches: Sequence[Batch], *, adversarial: bool) -> dict[str, float]:
        """One optimiser step of both networks over the micro-batches; mean losses by name."""
        fakes, losses = self._generator_step(batches, adversarial)
        if adversarial:
            losses |= self._discriminator_step(batches, fakes)
        return losses

    def _generator_step(
        self, batches: Sequence[Batch], adversarial: bool
    ) -> tuple[list[Tensor], dict[str, float]]:
        fakes, pixel_sum, gan_sum = [], 0.0, 0.0
        self.discriminator.requires_grad_(False)
        self.optimizers["g"].zero_grad()
        for i, batch in enumerate(batches):
            with self._sync(self.generator, i, batches):
                fake = self.generator(batch.occluded)
                pixel = l1_loss(fake, self._real(batch))
                loss = self.config.pixel_weight * self._pixel_loss(fake, batch)
                if adversarial:
                    gan = generator_loss(self.discriminator(fake, batch.occluded))
                    loss = loss + gan
                    gan_sum += float(gan.detach())
                self.fabric.backward(loss / len(batches))
            pixel_sum += float(pixel.detach())
            fakes.append(fake.detach())
        self.discriminator.requires_grad_(True)
        self.optimizers["g"].step()
        if self.ema:
            self.ema.update(self.generator.module)
        n = len(batches)
        return fakes, {"l1": pixel_sum / n} | ({"gan": gan_sum / n} if adversarial else {})

    def _discriminator_step(
        self, batches: Sequence[Batch], fakes: Sequence[Tensor]
    ) -> dict[str, float]:
        total = 0.0
        self.optimizers["d"].zero_grad()
        for i, (batch, fake) in enumerate(zip(batches, fakes, strict=True)):
            with self._sync(self.discriminator, i, batches):
                real_scores = self.discriminator(self._real(batch), batch.occluded)
                loss = discriminator_loss(real_scores, self.discriminator(fake, batch.occluded))
                self.fabric.backward(loss / len(batches))
            total += float(loss.detach())
        self.optimizers["d"].step()
        return {"d": total / len(batches)}

    def _pixel_loss(self, fake: Tensor, batch: Batch) -> Tensor:
        weight = self.config.hidden_weight if self.target == "clean" else 1.0
        return l1_loss(fake, self._real(batch), batch.mask > 0, weight)

    def _real(self, batch: Batch) -> Tensor:
        return batch.clean if self.target == "clean" else batch.mask

    def _sync(self, module: Any, i: int, batches: Sequence[Batch]) -> AbstractContextManager[None]:
        """Under DDP, gradients are exchanged with the last micro-batch only."""
        return self.fabric.no_backward_sync(module, enabled=i < len(batches) - 1)

    def inference_network(self) -> nn.Module:
        """The network to export: the average where there is one, in evaluation mode."""
        if self.ema:
            return self.ema.model
        network: nn.Module = self.generator.module
        return network

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        state: dict[str, Any] = {
            "generator": self.generator.module.state_dict(),
            "discriminator": self.discriminator.module.state_dict(),
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
        }
        if self.ema:
            state["ema"] = {"model": self.ema.model.state_dict(), "steps": self.ema.steps}
        return state

    def load_networks(self, state: dict[str, Any]) -> None:
        """Take a checkpoint's networks; an average starts from the averaged generator."""
        self.generator.module.load_state_dict(state["generator"])
        if "discriminator" in state:
            self.discriminator.module.load_state_dict(state["discriminator"])
        if self.ema:
            averaged = state["ema"]["model"] if "ema" in state else state["generator"]
            self.ema.model.load_state_dict(averaged)
            self.ema.steps = state["ema"]["steps"] if "ema" in state else 0

    def load(self, state: dict[str, Any]) -> None:
        """Take a checkpoint's networks and optimisers: the run goes on as if never stopped."""
        self.load_networks(state)
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
