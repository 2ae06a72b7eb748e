"""Shift-Net in training: L1, the guidance loss and a discriminator (section 3.4 of its paper)."""

from __future__ import annotations

from pathlib import Path

from lightning_fabric import Fabric
from torch import Tensor, nn

from unveil.losses.adversarial import generator_loss
from unveil.losses.pixel import hidden_l1, l1_loss
from unveil.models.patchgan import PatchGan
from unveil.models.shiftnet import ShiftNet
from unveil.training.peer_config import ShiftNetConfig
from unveil.training.peer_task import Judged, PeerBatch, PeerTask


class ShiftNetTask(PeerTask[ShiftNetConfig]):
    """`models/shiftnet.py` and a discriminator of whole faces."""

    NAME = "shiftnet"

    def __init__(self, fabric: Fabric, config: ShiftNetConfig, occluders: Path | None) -> None:
        critics = {"face": PatchGan(3, config.width)}
        super().__init__(fabric, config, occluders, ShiftNet(config.width), critics)
        self.generator.network.mark_forward_method("guided")

    def restore(self, network: nn.Module, batch: PeerBatch) -> Tensor:
        restored: Tensor = network(batch.occluded, batch.mask)
        return restored

    def judge(self, batch: PeerBatch, adversarial: bool) -> Judged:
        config = self.config
        guided = self.generator.network.guided
        fake, guidance = self.called(guided, batch.occluded, batch.mask, batch.clean)
        losses = {
            "l1": (config.pixel_weight, l1_loss(fake, batch.clean)),
            "hidden": (
                config.pixel_weight * config.hidden_weight,
                hidden_l1(fake, batch.clean, batch.mask),
            ),
            "guidance": (config.guidance_weight, guidance),
        }
        if adversarial:
            judged = generator_loss(self.scores("face", fake, batch))
            losses["gan"] = (config.adversarial_weight, judged)
        return Judged(losses, {"face": fake})
