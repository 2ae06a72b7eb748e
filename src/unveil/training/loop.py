"""The whole training loop (Algorithm 3), top to bottom."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from unveil.data.faces import FaceSet
from unveil.errors import TrainingError, UsageError
from unveil.imaging import Photo, from_network
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle
from unveil.training import checkpoint
from unveil.training.batches import Batch, faces_of_step, make_batch, to_batch
from unveil.training.branch import Branch
from unveil.training.config import RunOptions, TrainConfig
from unveil.training.logbook import Logbook
from unveil.training.stop import StopRequest

LAST = "last.ckpt"
SAMPLES = 3  # the paper's validation batch
VALIDATION_SEED = 20_000


@dataclass(frozen=True)
class TrainResult:
    """How a run ended: its steps, all faces seen (those of `init_from` too), its checkpoint."""

    step: int
    faces_seen: int
    checkpoint: Path
    finished: bool


def train(
    faces: FaceSet, validation: FaceSet, config: TrainConfig, options: RunOptions, out: Path
) -> TrainResult:
    """Train the paper's two branches; checkpoints, logs and sample grids go to `out`.

    Raises:
        TrainingError: no faces, a checkpoint that cannot be read or written, a loss that is no
            longer a number.
        UsageError: `out` already holds a run and `resume` is not set, or the other way round.
    """
    fabric = Fabric(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        precision=options.precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    last = out / LAST
    _check_start(faces, options, last)
    torch.manual_seed(config.seed)
    branches = {name: Branch(fabric, config, name) for name in ("clean", "mask")}
    step, faces_before, minutes_before = 0, 0, 0.0
    if options.resume:
        state = checkpoint.load(last)
        _check_same(config, state["config"])
        for name, branch in branches.items():
            branch.load(state[name])
        step, minutes_before = state["step"], state["minutes"]
        faces_before = state["faces_seen"] - step * config.batch_size
    elif options.init_from:
        state = checkpoint.load(options.init_from)
        for name, branch in branches.items():
            branch.load_networks(state[name])
        faces_before, minutes_before = state["faces_seen"], state["minutes"]

    total = -(-config.epochs * len(faces) // config.batch_size)
    started = time.monotonic()

    def minutes() -> float:
        return minutes_before + (time.monotonic() - started) / 60

    def faces_seen() -> int:
        return faces_before + step * config.batch_size

    def save() -> None:
        if fabric.is_global_zero:
            state: dict[str, Any] = {n: b.state() for n, b in branches.items()}
            state |= {
                "config": config.to_dict(),
                "step": step,
                "faces_seen": faces_seen(),
                "minutes": minutes(),
            }
            checkpoint.save(last, state)

    with (
        StopRequest() as stop,
        Logbook(out, total, config.batch_size, enabled=fabric.is_global_zero) as log,
    ):
        while step < total and not stop.requested:
            adversarial = step * config.batch_size >= config.adversarial_from
            # One seed a step: a resumed run draws what an unbroken one would have drawn.
            torch.manual_seed(_step_seed(config.seed, step, fabric.global_rank))
            items = faces_of_step(step, len(faces), config)
            items = items[fabric.global_rank :: fabric.world_size]
            micro = [
                make_batch(faces, items[i : i + config.micro_batch_size], config, fabric.device)
                for i in range(0, len(items), config.micro_batch_size)
            ]
            losses = branches["clean"].step(micro, adversarial=adversarial)
            if step % config.mask_every == 0:
                mask_losses = branches["mask"].step(micro, adversarial=adversarial)
                losses |= {f"mask_{k}": v for k, v in mask_losses.items()}
            if not np.isfinite(list(losses.values())).all():
                raise TrainingError(f"training diverged at step {step}: {losses}; {last} is whole")
            step += 1
            log.step(step, faces_seen(), losses, epoch=step * config.batch_size / len(faces))
            if step % options.sample_every == 0 or step == total:
                log.samples(step, sample_grid(branches, validation, config, fabric.device))
            if step % options.checkpoint_every == 0 or step == total:
                if fabric.is_global_zero:
                    scores = validate(branches, validation, config, options.validation_faces)
                    log.validation(step, faces_seen(), scores)
                save()
            if options.max_minutes and time.monotonic() - started > options.max_minutes * 60:
                break
        save()
    return TrainResult(step, faces_seen(), last, finished=step >= total)


def _check_start(faces: FaceSet, options: RunOptions, last: Path) -> None:
    if not len(faces):
        raise TrainingError("no faces to train on")
    if options.resume and options.init_from:
        raise UsageError("--resume goes on with a run, --init-from starts one: give one of them")
    if options.resume and not last.exists():
        raise UsageError(f"--resume: no checkpoint {last}")
    if not options.resume and last.exists():
        raise UsageError(f"{last} exists: add --resume, or choose another --out")


def _check_same(config: TrainConfig, saved: dict[str, Any]) -> None:
    ours = config.to_dict()
    differing = [k for k in ours if k != "epochs" and ours[k] != saved.get(k)]
    if differing:
        pairs = ", ".join(f"--{k.replace('_', '-')} {saved.get(k)}" for k in differing)
        raise UsageError(f"--resume: the run was started with {pairs}; give the same")


def _step_seed(seed: int, step: int, rank: int) -> int:
    return Seeded(seed, 3, step, rank).integer(0, 2**62)


def validation_batch(faces: FaceSet, n: int, config: TrainConfig) -> Batch:
    """The first `n` validation faces with rectangles that never change."""
    n = min(n, len(faces))
    masks = [paper_rectangle(Seeded(VALIDATION_SEED, i), config.size) for i in range(n)]
    return to_batch(np.asarray(faces.faces[:n]), np.stack(masks), torch.device("cpu"))


@torch.no_grad()
def _outputs(branches: dict[str, Branch], batch: Batch, device: torch.device) -> dict[str, Any]:
    results = {}
    for name, branch in branches.items():
        network = branch.inference_network()
        was_training = network.training
        network.eval()
        results[name] = network(batch.occluded.to(device)).float().cpu()
        network.train(was_training)
    return results


def sample_grid(
    branches: dict[str, Branch], faces: FaceSet, config: TrainConfig, device: torch.device
) -> Photo:
    """Columns of three validation faces: occluded, restored, mask, clean (Figures 4 and 5)."""
    batch = validation_batch(faces, SAMPLES, config)
    out = _outputs(branches, batch, device)
    rows = [batch.occluded, out["clean"], out["mask"].expand(-1, 3, -1, -1), batch.clean]
    return np.concatenate([np.hstack(list(from_network(r.numpy()))) for r in rows])


def validate(
    branches: dict[str, Branch], faces: FaceSet, config: TrainConfig, n: int
) -> dict[str, float]:
    """PSNR (dB) of validation faces, raw and with known pixels pasted back, and the mask's IoU."""
    device = branches["clean"].fabric.device
    raw, pasted, iou = [], [], []
    batch = validation_batch(faces, n, config)
    for i in range(0, len(batch.clean), config.micro_batch_size):
        part = Batch(*(t[i : i + config.micro_batch_size] for t in vars(batch).values()))
        out = _outputs(branches, part, device)
        hidden = part.mask > 0
        error = (out["clean"] - part.clean).square() / 4  # of a range of 1
        raw.append(error.mean((1, 2, 3)))
        pasted.append((error * hidden).mean((1, 2, 3)))
        found = out["mask"] > 0
        iou.append((found & hidden).sum((1, 2, 3)) / (found | hidden).sum((1, 2, 3)).clamp(min=1))
    return {
        "psnr_raw": float((-10 * torch.cat(raw).clamp(min=1e-10).log10()).mean()),
        "psnr_pasted": float((-10 * torch.cat(pasted).clamp(min=1e-10).log10()).mean()),
        "mask_iou": float(torch.cat(iou).mean()),
    }
