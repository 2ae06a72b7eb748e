"""PICNet in training: two paths, their KL terms and a discriminator each (its section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from unveil.losses.adversarial import generator_loss
from unveil.losses.pixel import l1_loss
from unveil.models.picnet import Completions, Gaussian, PicDiscriminator, PicNet, spread_of_hidden
from unveil.training.peer_config import PicNetConfig
from unveil.training.peer_task import Judged, PeerBatch, PeerTask


class PicNetTask(PeerTask[PicNetConfig]):
    """`models/picnet.py` and two discriminators."""

    NAME = "picnet"

    def __init__(self, fabric: Fabric, config: PicNetConfig, occluders: Path | None) -> None:
        critics = {name: PicDiscriminator(config.width) for name in ("reconstructed", "generated")}
        super().__init__(fabric, config, occluders, PicNet(config.width), critics)
        self.generator.network.mark_forward_method("both_paths")

    def restore(self, network: nn.Module, batch: PeerBatch) -> Tensor:
        return self._complete(network, batch)

    def _complete(self, network: nn.Module, batch: PeerBatch, seed: int | None = None) -> Tensor:
        """The completion of the most likely latent, or of one drawn with a seed."""
        assert isinstance(network, PicNet)
        shape = (len(batch.mask), *network.noise_shape(self.config.size))
        noise = torch.zeros(shape)
        if seed is not None:
            noise.normal_(generator=torch.Generator().manual_seed(seed))
        completed: Tensor = network(batch.occluded, batch.mask, noise.to(batch.mask.device))
        return completed

    def judge(self, batch: PeerBatch, adversarial: bool) -> Judged:
        config = self.config
        both = self.generator.network.both_paths
        out: Completions = self.called(both, batch.occluded, batch.mask, batch.clean)
        spread = spread_of_hidden(batch.mask).expand_as(out.posterior.mean)
        ways = Gaussian(torch.zeros_like(spread), spread)
        # The posterior stands still while the other is drawn to it.
        target = Gaussian(out.posterior.mean.detach(), out.posterior.deviation.detach())
        known = 1 - batch.mask
        losses = {
            "l1": (config.pixel_weight, _at_scales(out.reconstructed, batch.clean)),
            "l1_known": (config.pixel_weight, _at_scales(out.generated, batch.clean, known)),
            "kl_reconstructed": (config.kl_weight, out.posterior.divergence(ways)),
            "kl_generated": (config.kl_weight, target.divergence(out.conditional)),
        }
        fakes = {
            "reconstructed": out.reconstructed[-1],
            "generated": out.generated[-1],
        }
        if adversarial:
            fooled = generator_loss(self.scores("generated", fakes["generated"], batch))
            scores = self.scores("reconstructed", fakes["reconstructed"], batch)
            with torch.no_grad():
                wanted = self.scores("reconstructed", batch.clean, batch)
            losses["gan"] = (config.adversarial_weight, fooled)
            # The reconstruction has a truth: it is to be judged as that is, place by place.
            losses["gan_match"] = (config.adversarial_weight, F.mse_loss(scores, wanted))
        return Judged(losses, fakes)

    @torch.no_grad()
    def sample_rows(self, batch: PeerBatch) -> list[Tensor]:
        """The most likely completion and two draws."""
        network = self.generator.inference_network()
        rows = [self._complete(network, batch, seed) for seed in (None, 1, 2)]
        return [torch.where(batch.mask > 0, row, batch.clean) for row in rows]


def _at_scales(outputs: Sequence[Tensor], clean: Tensor, known: Tensor | None = None) -> Tensor:
    """L1 summed over the scales; of known pixels alone where `known` (N, 1, S, S) is given."""
    total = torch.zeros((), device=clean.device)
    for output in outputs:
        side = (output.shape[-1],) * 2
        truth = F.interpolate(clean, side, mode="area")
        weight = 1.0 if known is None else F.interpolate(known, side, mode="area")
        total = total + l1_loss(output * weight, truth * weight)
    return total
