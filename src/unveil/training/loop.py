"""The whole training loop, top to bottom; what is particular to a model is in its task."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from unveil.data.faces import Faces, FaceSet
from unveil.errors import TrainingError
from unveil.occlusion.seeded import Seeded
from unveil.training import checkpoint, processes
from unveil.training.aligner_task import AlignerTask
from unveil.training.config import (
    AlignerConfig,
    LiteConfig,
    PaperConfig,
    SegmenterConfig,
    TrainConfig,
)
from unveil.training.lite_task import LiteTask
from unveil.training.logbook import Logbook
from unveil.training.order import faces_of_step
from unveil.training.paper_task import PaperTask
from unveil.training.peer_config import PicNetConfig, ShiftNetConfig, UnetConfig
from unveil.training.picnet_task import PicNetTask
from unveil.training.resume import (
    check_inputs,
    check_preset,
    check_same,
    check_start,
    inputs_of,
    preset_of,
    taking,
)
from unveil.training.run_options import RunOptions
from unveil.training.segmenter_task import SegmenterTask
from unveil.training.shiftnet_task import ShiftNetTask
from unveil.training.stop import StopRequest
from unveil.training.task import Task
from unveil.training.unet_task import UnetTask

LAST = "last.ckpt"
READ_AHEAD = 8  # steps whose faces a stream reads before they are needed


@dataclass(frozen=True)
class TrainResult:
    """How a run ended: its steps, all faces seen (those of `init_from` too), its checkpoint."""

    step: int
    faces_seen: int
    checkpoint: Path
    finished: bool


def make_task(
    fabric: Fabric, config: TrainConfig, occluders: Path | None, *, resumed: bool = False
) -> Task:
    """The task of a configuration; where it is resumed, no network starts from features."""
    if isinstance(config, PaperConfig):
        return PaperTask(fabric, config)
    if isinstance(config, LiteConfig):
        return LiteTask(fabric, config, occluders)
    if isinstance(config, UnetConfig):
        return UnetTask(fabric, config, occluders)
    if isinstance(config, ShiftNetConfig):
        return ShiftNetTask(fabric, config, occluders)
    if isinstance(config, PicNetConfig):
        return PicNetTask(fabric, config, occluders)
    if isinstance(config, AlignerConfig):
        return AlignerTask(fabric, config, occluders, resumed=resumed)
    assert isinstance(config, SegmenterConfig)
    return SegmenterTask(fabric, config, occluders, resumed=resumed)


def train(
    faces: Faces,
    validation: FaceSet,
    config: TrainConfig,
    options: RunOptions,
    out: Path,
    fabric: Fabric | None = None,
) -> TrainResult:
    """Train a model; checkpoints, logs and sample grids go to `out`.

    Args:
        faces: a `FaceSet`, or with `config.stream` a `FaceStream`.
        validation: faces of the validation measures and of the sample grids.
        fabric: the processes, where they are started already (`processes.start`).

    Raises:
        TrainingError: no faces, a checkpoint that cannot be read or written, a loss that is no
            longer a number, memory that is full, another process that is gone.
        UsageError: `out` already holds a run and `resume` is not set, or the other way round; a
            batch that the processes cannot share.
    """
    fabric = fabric or processes.start(options)
    with processes.notice_losses(fabric, out / LAST), processes.notice_memory(out / LAST):
        result = _train(faces, validation, config, options, out, fabric)
        processes.end(fabric)
    return result


def _train(
    faces: Faces,
    validation: FaceSet,
    config: TrainConfig,
    options: RunOptions,
    out: Path,
    fabric: Fabric,
) -> TrainResult:
    rank, world = fabric.global_rank, fabric.world_size
    last = out / LAST
    share = processes.share_of_process(config, world)
    check_start(faces, options, last)
    inputs = inputs_of(faces, options, config)
    torch.manual_seed(config.seed)
    task = make_task(fabric, config, options.occluders, resumed=options.resume)
    step, faces_before, minutes_before = 0, 0, 0.0
    if options.resume:
        state, source = checkpoint.load(last), f"--resume: {last}"
        check_preset(config, state, source)
        check_same(config, state["config"])
        check_inputs(state.get("inputs", {}), inputs)
        with taking(config, state, source):
            task.load(state)
        # A scaler that starts anew skips steps until it has found the run's scale again.
        if scaler := state.get("scaler"):  # none in float32, nor in checkpoints of before
            fabric.strategy.precision.load_state_dict(scaler)
        step, minutes_before = state["step"], state["minutes"]
        faces_before = state["faces_seen"] - step * config.batch_size
    elif options.init_from:
        state, source = checkpoint.load(options.init_from), f"--init-from {options.init_from}"
        check_preset(config, state, source)
        with taking(config, state, source):
            task.load_networks(state)
        faces_before, minutes_before = state["faces_seen"], state["minutes"]

    total = -(-config.epochs * len(faces) // config.batch_size)
    started = time.monotonic()

    def minutes() -> float:
        return minutes_before + (time.monotonic() - started) / 60

    def faces_seen() -> int:
        return faces_before + step * config.batch_size

    def out_of_time() -> bool:
        return 0 < options.max_minutes * 60 < time.monotonic() - started

    saved = -1

    def save() -> None:
        nonlocal saved
        saved = step
        if fabric.is_global_zero:
            networks = task.state()
            if name := checkpoint.not_finite(networks):
                raise _diverged(step, f"weights of {name} are not finite", last)
            state: dict[str, Any] = networks | {
                "preset": preset_of(config),
                "config": config.to_dict(),
                "inputs": inputs,
                "step": step,
                "faces_seen": faces_seen(),
                "minutes": minutes(),
                "scaler": fabric.strategy.precision.state_dict(),
            }
            checkpoint.save(last, state)

    def items_of(step: int) -> list[tuple[int, int]]:
        return faces_of_step(step, len(faces), config)[rank::world]

    with (
        StopRequest() as stop,
        Logbook(out, total, config.batch_size, step=step, enabled=fabric.is_global_zero) as log,
    ):
        stopping = False
        while step < total and not stopping:
            # One seed a step: a resumed run draws what an unbroken one would have drawn.
            torch.manual_seed(_step_seed(config.seed, step, rank))
            items = items_of(step)
            faces.expect([face for _, face in items_of(min(step + READ_AHEAD, total - 1))])
            micro = [
                task.batch(faces, items[i : i + config.micro_batch_size])
                for i in range(0, share, config.micro_batch_size)
            ]
            losses, stopping = processes.agree(
                fabric, task.step(micro, step), stop.requested or out_of_time()
            )
            if not np.isfinite(list(losses.values())).all():
                raise _diverged(step, losses, last)
            step += 1
            log.step(step, faces_seen(), losses, epoch=step * config.batch_size / len(faces))
            # The weights are the same in all processes: the first one looks at them for all.
            if fabric.is_global_zero and (step % options.sample_every == 0 or step == total):
                log.samples(step, task.samples(validation))
            if step % options.checkpoint_every == 0 or step == total:
                if fabric.is_global_zero:
                    scores = task.validate(validation, options.validation_faces)
                    log.validation(step, faces_seen(), scores)
                    if not np.isfinite(list(scores.values())).all():
                        raise _diverged(step, scores, last)
                save()
        if saved != step:
            save()
    return TrainResult(step, faces_seen(), last, finished=step >= total)


def _diverged(step: int, what: object, last: Path) -> TrainingError:
    kept = f"{last} is whole; " if last.exists() else ""
    return TrainingError(
        f"training diverged at step {step}: {what}; {kept}try a smaller --learning-rate"
    )


def _step_seed(seed: int, step: int, rank: int) -> int:
    return Seeded(seed, 3, step, rank).integer(0, 2**62)
