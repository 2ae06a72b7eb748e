"""The plain U-Net of pix2pix in training: L1 and a discriminator that sees the occluded face."""

from __future__ import annotations

from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from unveil.losses.adversarial import generator_loss
from unveil.losses.pixel import hidden_l1, l1_loss
from unveil.models.patchgan import PatchGan
from unveil.models.unet import make_unet
from unveil.training.peer_config import UnetConfig
from unveil.training.peer_task import Judged, PeerBatch, PeerTask


class UnetTask(PeerTask[UnetConfig]):
    """The face alone goes in, its hidden part black, as for the paper's generator."""

    NAME = "unet"

    def __init__(self, fabric: Fabric, config: UnetConfig, occluders: Path | None) -> None:
        critics = {"pair": PatchGan(6, config.width)}
        super().__init__(fabric, config, occluders, make_unet(config.width), critics)

    def restore(self, network: nn.Module, batch: PeerBatch) -> Tensor:
        restored: Tensor = network(batch.occluded)
        return restored

    def scores(self, critic: str, faces: Tensor, batch: PeerBatch) -> Tensor:
        return super().scores(critic, torch.cat([faces, batch.occluded], dim=1), batch)

    def judge(self, batch: PeerBatch, adversarial: bool) -> Judged:
        config = self.config
        fake = self.generator.network(batch.occluded)
        losses = {
            "l1": (config.pixel_weight, l1_loss(fake, batch.clean)),
            "hidden": (
                config.pixel_weight * config.hidden_weight,
                hidden_l1(fake, batch.clean, batch.mask),
            ),
        }
        if adversarial:
            judged = generator_loss(self.scores("pair", fake, batch))
            losses["gan"] = (config.adversarial_weight, judged)
        return Judged(losses, {"pair": fake})
