"""The processes of a run: started by torchrun or by Lightning Fabric, agreed at each step."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException

from unveil.errors import TrainingError, UsageError
from unveil.training.config import TrainConfig
from unveil.training.run_options import RunOptions

# What torch's backends say of a connection to a process that is gone; there is no type for it.
LOST = ("gloo", "nccl", "connection", "socket", "peer", "process group", "timed out")
# What its allocators say of memory that is full; only that of CUDA has a type.
FULL = ("out of memory", "allocate memory")


def start(options: RunOptions) -> Fabric:
    """The processes that the options ask for, or those that torchrun has started.

    Raises:
        UsageError: the options ask for others than torchrun has started, or than there are here.
    """
    devices, nodes = options.devices, options.nodes
    if torch.distributed.is_torchelastic_launched():
        # Fabric takes one device for a run of its own, whatever torchrun has started.
        here, all_of_them = (int(os.environ[name]) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
        started = {"devices": here, "nodes": all_of_them // here}
        for name, asked in (("devices", devices), ("nodes", nodes)):
            if asked not in (1, started[name]):
                raise UsageError(
                    f"--{name} {asked}: torchrun has started {started[name]}; leave it out"
                )
        devices, nodes = started["devices"], started["nodes"]
    try:
        fabric = Fabric(
            accelerator=options.accelerator,
            devices=devices,
            num_nodes=nodes,
            precision=options.precision,  # type: ignore[arg-type]
        )
    except (ValueError, TypeError, RuntimeError, MisconfigurationException) as error:
        raise UsageError(
            f"--accelerator {options.accelerator} --devices {devices} --precision "
            f"{options.precision}: not on this machine: {' '.join(str(error).split())}"
        ) from error
    fabric.launch()
    return fabric


def share_of_process(config: TrainConfig, processes: int) -> int:
    """Faces of a batch that each process takes.

    Raises:
        UsageError: the batch, its micro-batches or the streams cannot be shared evenly, or leave
            fewer faces at a time than the networks can be trained on.
    """
    share, rest = divmod(config.batch_size, processes)
    if rest:
        raise UsageError(
            f"--batch-size {config.batch_size} must be a multiple of the {processes} processes"
        )
    if share % min(share, config.micro_batch_size):
        raise UsageError(
            f"--micro-batch-size {config.micro_batch_size}: {processes} processes share a batch of "
            f"{config.batch_size}, and {share} must be a multiple of it"
        )
    if (at_a_time := min(share, config.micro_batch_size)) < config.least_micro_batch:
        raise UsageError(
            f"--batch-size {config.batch_size} --micro-batch-size {config.micro_batch_size}: a "
            f"process gets {at_a_time} face at a time, and BatchNorms need "
            f"{config.least_micro_batch}: choose another batch, or fewer processes"
        )
    if config.stream % processes:
        raise UsageError(
            f"--stream {config.stream} must be a multiple of the {processes} processes"
        )
    return share


def agree(fabric: Fabric, losses: dict[str, float], stop: bool) -> tuple[dict[str, float], bool]:
    """The mean of the losses over all processes, and whether any of them wants to stop.

    All must stop after the same step: whoever went on would wait for the others for ever.
    """
    if fabric.world_size == 1:
        return losses, stop
    values = torch.tensor([*losses.values(), float(stop)], device=fabric.device)
    means = fabric.all_reduce(values, reduce_op="mean").tolist()  # type: ignore[union-attr]
    return dict(zip(losses, means, strict=False)), means[-1] > 0


@contextmanager
def notice_losses(fabric: Fabric, last: Path) -> Iterator[None]:
    """Turn what torch says when another process is gone into a TrainingError."""
    try:
        yield
    except RuntimeError as error:
        text = str(error).lower()
        if fabric.world_size == 1 or not any(word in text for word in LOST):
            raise
        # torchrun ends who is left a tenth of a second later, in the middle of what they say.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise TrainingError(
            f"process {fabric.global_rank} of {fabric.world_size} has lost another one, which was "
            f"killed or has failed (then it says why): the run ends here. --resume goes on from "
            f"{last}, on any number of processes"
        ) from error


@contextmanager
def notice_memory(last: Path) -> Iterator[None]:
    """Turn what torch or numpy says when memory is full into a TrainingError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(w in str(error).lower() for w in FULL):
            raise
        goes_on = (
            f"; {last} is whole: --resume goes on where there is more memory, and --init-from "
            "starts another run from it"
        )
        raise TrainingError(
            "out of memory: try a smaller --micro-batch-size, --width or --size"
            + (goes_on if last.exists() else "")
        ) from error


def end(fabric: Fabric) -> None:
    """Wait for all, and take the connections down."""
    if fabric.world_size > 1:
        fabric.barrier()
        torch.distributed.destroy_process_group()
