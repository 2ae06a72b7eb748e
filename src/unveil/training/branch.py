"""One generator-discriminator pair with its two optimisers: the face branch or the mask branch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn

from unveil.losses.adversarial import discriminator_loss, generator_loss
from unveil.losses.pixel import l1_loss
from unveil.models.paper import PaperGenerator, init_normal
from unveil.models.patch_discriminator import PatchDiscriminator
from unveil.training.batches import Batch
from unveil.training.config import PaperConfig
from unveil.training.learner import Learner


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
        self.generator = Learner(fabric, generator, config)
        self.discriminator = Learner(fabric, discriminator, config, average=False)

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
        self.discriminator.network.requires_grad_(False)
        for i, batch in enumerate(batches):
            with self.generator.sync(i, batches):
                fake = self.generator.network(batch.occluded)
                pixel = l1_loss(fake, self._real(batch))
                loss = self.config.pixel_weight * self._pixel_loss(fake, batch)
                if adversarial:
                    gan = generator_loss(self.discriminator.network(fake, batch.occluded))
                    loss = loss + gan
                    gan_sum += float(gan.detach())
                self.fabric.backward(loss / len(batches))
            pixel_sum += float(pixel.detach())
            fakes.append(fake.detach())
        self.discriminator.network.requires_grad_(True)
        self.generator.update()
        n = len(batches)
        return fakes, {"l1": pixel_sum / n} | ({"gan": gan_sum / n} if adversarial else {})

    def _discriminator_step(
        self, batches: Sequence[Batch], fakes: Sequence[Tensor]
    ) -> dict[str, float]:
        total = 0.0
        for i, (batch, fake) in enumerate(zip(batches, fakes, strict=True)):
            with self.discriminator.sync(i, batches):
                real_scores = self.discriminator.network(self._real(batch), batch.occluded)
                loss = discriminator_loss(
                    real_scores, self.discriminator.network(fake, batch.occluded)
                )
                self.fabric.backward(loss / len(batches))
            total += float(loss.detach())
        self.discriminator.update()
        return {"d": total / len(batches)}

    def _pixel_loss(self, fake: Tensor, batch: Batch) -> Tensor:
        weight = self.config.hidden_weight if self.target == "clean" else 1.0
        return l1_loss(fake, self._real(batch), batch.mask > 0, weight)

    def _real(self, batch: Batch) -> Tensor:
        return batch.clean if self.target == "clean" else batch.mask

    def inference_network(self) -> nn.Module:
        """The network to export: the average where there is one, in evaluation mode."""
        return self.generator.inference_network()

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        generator, discriminator = self.generator.state(), self.discriminator.state()
        state = {
            "generator": generator["network"],
            "discriminator": discriminator["network"],
            "optimizers": {"g": generator["optimizer"], "d": discriminator["optimizer"]},
        }
        if "ema" in generator:
            state["ema"] = generator["ema"]
        return state

    def load_networks(self, state: dict[str, Any]) -> None:
        """Take a checkpoint's networks; an average starts from the averaged generator."""
        ema = {"ema": state["ema"]} if "ema" in state else {}
        self.generator.load_network({"network": state["generator"], **ema})
        if "discriminator" in state:
            self.discriminator.load_network({"network": state["discriminator"]})

    def load(self, state: dict[str, Any]) -> None:
        """Take a checkpoint's networks and optimisers: the run goes on as if never stopped."""
        self.load_networks(state)
        for name, learner in (("g", self.generator), ("d", self.discriminator)):
            learner.optimizer.load_state_dict(state["optimizers"][name])
