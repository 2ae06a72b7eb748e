"""`lite` in training: the prior's fill in, what it lacks out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from unveil.data.faces import Faces, FaceSet
from unveil.errors import UsageError
from unveil.imaging import Mask, Photo, occlude
from unveil.losses.adversarial import place_discriminator_loss, place_generator_loss
from unveil.losses.perceptual import LAYERS, SqueezeFeatures, perceptual_distance, unit
from unveil.losses.pixel import border_l1, hidden_l1, hidden_log_l2
from unveil.models.critic import Critic
from unveil.models.folded import cut_windows
from unveil.models.prior import FacePrior
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import rectangle
from unveil.training.augment import at_edge, elsewhere, misalign
from unveil.training.config import LiteConfig
from unveil.training.examples import (
    MARGIN,
    Example,
    draw_example,
    draw_examples,
    load_occluders,
    masks_to_tensor,
    to_restore,
    to_tensor,
)
from unveil.training.learner import Learner
from unveil.training.lite_model import make_lite, prior_of
from unveil.training.task import Items
from unveil.training.validation import BINS, VALIDATION_SEED, grid, mean_psnr, squared_errors

SAMPLES = 6
GREY = 128

# Its gradient is 1 / 0.05 that of squared differences (19 dB), which had a weight of 2.
LIKELY_WEIGHT = 0.1
BORDER_WEIGHT = 0.15
SHADED = 0.02  # of [-1, 1]: a known pixel that differs more from the clean one lies in a shadow


@dataclass(frozen=True)
class FilledBatch:
    """Faces filled by the prior and clean ones in [-1, 1], masks (N, 1, S, S), 1 = hidden.

    `corners` are the top and left of the window of each face that training looks at.
    """

    filled: Tensor
    clean: Tensor
    mask: Tensor
    corners: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Window:
    """Features of restored and of clean windows, a tensor a layer, and their masks."""

    fake: list[Tensor]
    clean: list[Tensor]
    mask: Tensor


class LiteTask:
    """The generator on top of the prior, and where it is asked for a discriminator."""

    def __init__(self, fabric: Fabric, config: LiteConfig, occluders: Path | None) -> None:
        self.fabric, self.config = fabric, config
        self.files = load_occluders(occluders)
        self.prior_file = b""
        self.prior: FacePrior | None = None
        if config.prior:
            self.prior = FacePrior.load(Path(config.prior))
            self.prior_file = Path(config.prior).read_bytes()
        self.generator = Learner(fabric, make_lite(config), config)
        self.critic = (
            Learner(fabric, Critic([*LAYERS.values()], config.width), config, average=False)
            if config.adversarial_weight
            else None
        )
        self.features = None
        if config.features:
            self.features = SqueezeFeatures.load(Path(config.features)).to(fabric.device)

    def batch(self, faces: Faces, items: Items) -> FilledBatch:
        """Faces with occluders of the kinds that the settings name."""

        def draw(face: Photo, turn: float | None, rng: Seeded) -> tuple[Photo, Photo, Mask]:
            varied = rng.integer(0, 999) < 1000 * self.config.varied
            if varied:
                face = elsewhere(face, rng.floats())
            example = draw_example(face, turn, rng, self.config, self.files)
            example = self._misaligned(example, rng)
            if varied:
                example = Example(*at_edge(example.parts, rng.floats()))
            hidden = to_restore(example.mask, rng.integer(0, MARGIN))
            corners.append(_corner(hidden, self.config.window, rng))
            return self.fill(example.occluded, hidden), example.clean, hidden

        corners: list[tuple[int, int]] = []
        batch = self._to_device(draw_examples(faces, items, self.config, draw))
        return replace(batch, corners=tuple(corners))

    def _misaligned(self, example: Example, rng: Seeded) -> Example:
        """As a detector aligns what it cannot see: the points under a mask are guesses."""
        if rng.integer(0, 999) >= 1000 * self.config.misaligned:
            return example
        floats = rng.floats()
        return Example(*misalign(example.parts, floats, 0.7))

    def fill(self, face: Photo, hidden: Mask) -> Photo:
        """What the network gets, (S, S, 3) uint8: the prior's fill, or grey without one."""
        return self.prior.fill(face, hidden) if self.prior else occlude(face, hidden, GREY)

    def _to_device(self, examples: Sequence[tuple[Photo, Photo, Mask]]) -> FilledBatch:
        filled, clean, masks = zip(*examples, strict=True)
        device = self.fabric.device
        return FilledBatch(
            to_tensor(filled, device), to_tensor(clean, device), masks_to_tensor(masks, device)
        )

    def step(self, batches: Sequence[FilledBatch], step: int) -> dict[str, float]:
        """The generator's step, then the discriminator's."""
        sharpened = step % self.config.sharp_every == 0
        windows, losses = self._generator_step(batches, sharpened)
        if self.critic and sharpened:
            losses |= self._critic_step(self.critic, windows)
        return losses

    def _generator_step(
        self, batches: Sequence[FilledBatch], sharpened: bool = True
    ) -> tuple[list[Window], dict[str, float]]:
        """Windows that were looked at, none where the likely output alone learns, and losses."""
        sums: dict[str, float] = {}
        windows = []
        if self.critic:
            self.critic.network.requires_grad_(False)
        for i, batch in enumerate(batches):
            with self.generator.sync(i, batches):
                side = self.config.window
                likely, fake = self.generator.network(batch.filled, batch.mask, batch.corners, side)
                filled, clean, mask = (
                    cut_windows(x, batch.corners, side)
                    for x in (batch.filled, batch.clean, batch.mask)
                )
                lit = (filled - clean).abs().amax(1, keepdim=True) < SHADED
                known = lit * (1 - mask)
                border = border_l1(likely, clean, mask, known)
                parts = {"likely": (LIKELY_WEIGHT, hidden_log_l2(likely, clean, mask))}
                if sharpened:
                    # An occluder's shadow on known pixels cannot be undone; that it is asked for
                    # all the same makes what is beside it go over to it, without a line.
                    window = self._look(fake, clean, mask)
                    border = border + border_l1(fake, clean, mask, known)
                    parts |= {"l1_sharp": (1.0, hidden_l1(fake, clean, mask))}
                    parts |= self._losses(window)
                    windows.append(replace(window, fake=[x.detach() for x in window.fake]))
                parts |= {"border": (BORDER_WEIGHT, border)}
                loss = sum((weight * value for weight, value in parts.values()), torch.zeros(()))
                self.fabric.backward(loss / len(batches))
            for name, (_, value) in parts.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / len(batches)
        if self.critic:
            self.critic.network.requires_grad_(True)
        self.generator.update()
        return windows, sums

    def _look(self, fake: Tensor, clean: Tensor, mask: Tensor) -> Window:
        if self.features is None:
            return Window([], [], mask)
        # It is not trained, so Fabric has not wrapped it and casts nothing of its own.
        with self.fabric.autocast():
            with torch.no_grad():
                seen = self.features.look(clean)
            looked = self.features.look(fake)
        return Window([x.float() for x in looked], [x.float() for x in seen], mask)

    def _losses(self, window: Window) -> dict[str, tuple[float, Tensor]]:
        """Weight and value of each loss in the features, by name."""
        losses = {}
        if self.config.perceptual_weight:
            ours, theirs = ([unit(x) for x in part] for part in (window.fake, window.clean))
            distance = perceptual_distance(ours, theirs)
            # It is a mean over the window: a small hole must not count for nothing.
            share = window.mask.mean((1, 2, 3)).clamp(min=0.05)
            losses["perceptual"] = (self.config.perceptual_weight, (distance / share).mean())
        if self.critic:
            scores = self.critic.network(window.fake, window.mask)
            judged = place_generator_loss(scores, window.mask)
            losses["gan"] = (self.config.adversarial_weight, judged)
        return losses

    def _critic_step(self, critic: Learner, windows: Sequence[Window]) -> dict[str, float]:
        total = 0.0
        for i, window in enumerate(windows):
            with critic.sync(i, windows):
                both = [torch.cat(pair) for pair in zip(window.clean, window.fake, strict=True)]
                scores = critic.network(both, torch.cat([window.mask, window.mask]))
                real, fake = zip(*(s.chunk(2) for s in scores), strict=True)
                loss = place_discriminator_loss(real, fake, window.mask)
                self.fabric.backward(loss / len(windows))
            total += float(loss.detach()) / len(windows)
        critic.update()
        return {"d": total}

    @torch.no_grad()
    def _restore(self, batch: FilledBatch) -> tuple[Tensor, Tensor]:
        """The likeliest faces and sharp ones."""
        likely, sharp = self.generator.inference_network()(batch.filled, batch.mask)
        return likely.float().clamp(-1, 1), sharp.float().clamp(-1, 1)

    def _validation_batch(self, faces: FaceSet, n: int, low: float, high: float) -> FilledBatch:
        examples = []
        for i in range(min(n, len(faces))):
            mask = rectangle(Seeded(VALIDATION_SEED, i), low, high, self.config.size)
            face = np.asarray(faces.faces[i])
            examples.append((self.fill(face, mask), face, mask))
        return self._to_device(examples)

    def samples(self, faces: FaceSet) -> Photo:
        """Columns of faces: the mask on the prior's fill, the fill, likeliest, sharp, clean."""
        batch = self._validation_batch(faces, SAMPLES, *BINS["20_30"])
        masked = batch.filled * (1 - batch.mask)
        rows = [masked, batch.filled, *self._restore(batch), batch.clean]
        return grid(rows)

    def validate(self, faces: FaceSet, n: int) -> dict[str, float]:
        """PSNR (dB) of the prior and of what the network makes of it, known pixels kept."""
        scores = {}
        for name, (low, high) in BINS.items():
            whole = self._validation_batch(faces, n, low, high)
            errors: dict[str, list[Tensor]] = {"prior": [], "likely": [], "psnr": []}
            for i in range(0, len(whole.clean), self.config.micro_batch_size):
                stop = i + self.config.micro_batch_size
                tensors = (whole.filled, whole.clean, whole.mask)
                filled, clean, mask = (t[i:stop] for t in tensors)
                part = FilledBatch(filled, clean, mask)
                for kind, restored in zip(errors, (filled, *self._restore(part)), strict=True):
                    errors[kind].append(squared_errors(restored, clean))
            for kind, parts in errors.items():
                scores[f"{kind}_{name}"] = mean_psnr(torch.cat(parts))
        return scores

    def state(self) -> dict[str, Any]:
        """Networks, optimisers, and the prior itself: a checkpoint is a whole model."""
        state: dict[str, Any] = {"generator": self.generator.state()}
        if self.critic:
            state["critic"] = self.critic.state()
        if self.prior_file:
            state["prior"] = torch.from_numpy(np.frombuffer(self.prior_file, np.uint8).copy())
        return state

    def load(self, state: dict[str, Any]) -> None:
        """Networks and optimisers."""
        self._take_prior(state)
        self.generator.load(state["generator"])
        if self.critic:
            self.critic.load(state["critic"])

    def load_networks(self, state: dict[str, Any]) -> None:
        """Networks alone; a discriminator may be new, and so may a prior that was asked for."""
        if not self.prior_file:
            self._take_prior(state)
        self.generator.load_network(state["generator"])
        if self.critic and "critic" in state:
            self.critic.load_network(state["critic"])

    def _take_prior(self, state: dict[str, Any]) -> None:
        """The checkpoint's prior: its network corrects the fills of no other."""
        if "prior" not in state:
            if self.config.prior:
                raise UsageError(f"--prior {self.config.prior}: the run has none; leave it out")
            return
        saved = state["prior"].numpy().tobytes()
        if self.config.prior and saved != self.prior_file:
            raise UsageError(
                f"--prior {self.config.prior} is not the one of the checkpoint: leave it out, and "
                "the checkpoint's is taken"
            )
        self.prior, self.prior_file = prior_of(state), saved


def _corner(hidden: Mask, side: int, rng: Seeded) -> tuple[int, int]:
    """Top and left of a window around a random hidden pixel, multiples of 16."""
    places = np.argwhere(hidden)
    middle = places[rng.integer(0, len(places) - 1)] if len(places) else np.array(hidden.shape) // 2
    # To the nearest multiple: rounded down, a window of 16 pixels would mostly miss its own middle.
    top, left = np.clip((middle - side // 2 + 8) // 16 * 16, 0, len(hidden) - side)
    return int(top), int(left)
