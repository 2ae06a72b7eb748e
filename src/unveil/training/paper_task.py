"""The paper's system in training: a face branch and a mask branch (Algorithm 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from unveil.data.faces import Faces, FaceSet
from unveil.imaging import Photo
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle
from unveil.training.batches import Batch, make_batch, to_batch
from unveil.training.branch import Branch
from unveil.training.config import PaperConfig
from unveil.training.task import Items
from unveil.training.validation import VALIDATION_SEED, grid, mean_psnr, squared_errors

SAMPLES = 3  # the paper's validation batch


class PaperTask:
    """Two generator-discriminator pairs over the same triplets."""

    def __init__(self, fabric: Fabric, config: PaperConfig) -> None:
        self.fabric, self.config = fabric, config
        self.branches = {name: Branch(fabric, config, name) for name in ("clean", "mask")}

    def batch(self, faces: Faces, items: Items) -> Batch:
        """A, B and C of these faces."""
        return make_batch(faces, items, self.config, self.fabric.device)

    def step(self, batches: Sequence[Batch], step: int) -> dict[str, float]:
        """Both branches, the mask branch where it is its turn."""
        adversarial = step * self.config.batch_size >= self.config.adversarial_from
        losses = self.branches["clean"].step(batches, adversarial=adversarial)
        if step % self.config.mask_every == 0:
            mask_losses = self.branches["mask"].step(batches, adversarial=adversarial)
            losses |= {f"mask_{k}": v for k, v in mask_losses.items()}
        return losses

    def state(self) -> dict[str, Any]:
        """Of both branches, by name."""
        return {name: branch.state() for name, branch in self.branches.items()}

    def load(self, state: dict[str, Any]) -> None:
        """Networks and optimisers."""
        for name, branch in self.branches.items():
            branch.load(state[name])

    def load_networks(self, state: dict[str, Any]) -> None:
        """Networks alone."""
        for name, branch in self.branches.items():
            branch.load_networks(state[name])

    @torch.no_grad()
    def _outputs(self, batch: Batch) -> dict[str, torch.Tensor]:
        results = {}
        for name, branch in self.branches.items():
            network = branch.inference_network()
            was_training = network.training
            network.eval()
            results[name] = network(batch.occluded.to(self.fabric.device)).float().cpu()
            network.train(was_training)
        return results

    def samples(self, faces: FaceSet) -> Photo:
        """Columns of three faces: occluded, restored, mask, clean (Figures 4 and 5)."""
        batch = validation_batch(faces, SAMPLES, self.config)
        out = self._outputs(batch)
        rows = [batch.occluded, out["clean"], out["mask"].expand(-1, 3, -1, -1), batch.clean]
        return grid(rows)

    def validate(self, faces: FaceSet, n: int) -> dict[str, float]:
        """PSNR (dB), raw and with known pixels pasted back, and the mask's IoU."""
        raw, pasted, iou = [], [], []
        batch = validation_batch(faces, n, self.config)
        for i in range(0, len(batch.clean), self.config.micro_batch_size):
            part = Batch(*(t[i : i + self.config.micro_batch_size] for t in vars(batch).values()))
            out = self._outputs(part)
            hidden = part.mask > 0
            raw.append(squared_errors(out["clean"], part.clean))
            kept = torch.where(hidden, out["clean"], part.clean)
            pasted.append(squared_errors(kept, part.clean))
            found = out["mask"] > 0
            both, either = (found & hidden).sum((1, 2, 3)), (found | hidden).sum((1, 2, 3))
            iou.append(both / either.clamp(min=1))
        return {
            "psnr_raw": mean_psnr(torch.cat(raw)),
            "psnr_pasted": mean_psnr(torch.cat(pasted)),
            "mask_iou": float(torch.cat(iou).mean()),
        }


def validation_batch(faces: FaceSet, n: int, config: PaperConfig) -> Batch:
    """The first `n` validation faces with rectangles that never change."""
    n = min(n, len(faces))
    masks = [paper_rectangle(Seeded(VALIDATION_SEED, i), config.size) for i in range(n)]
    return to_batch(np.asarray(faces.faces[:n]), np.stack(masks), torch.device("cpu"))
