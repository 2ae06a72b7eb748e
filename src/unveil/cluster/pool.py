"""Who does the work of an archive: a Ray that is joined or started here, and its workers."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

import ray
import ray.data

from unveil.errors import ClusterError, UnveilError, UsageError
from unveil.runtime.onnx import usable_cores

# A worker that took a whole core would leave none for Ray Data's own tasks.
WORKER_CPUS, TASK_CPUS = 0.9, 0.05
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
STARTS, CONNECT_SECONDS = 3, 10.0
LEAST_BLOCK = 4  # photos handed out at a time: no worker is started for fewer
BLOCK_BYTES = 16 * 2**20  # the same for photos that come in Parquet


@dataclass(frozen=True)
class Pool:
    """Who does the work.

    Attributes:
        workers: processes; 0 = one a core, or one a GPU.
        gpus: workers that have a GPU each; 0 = none has.
        address: of a running cluster; "": that of $RAY_ADDRESS, or Ray is started here.
    """

    workers: int = 0
    gpus: int = 0
    address: str = ""


def _check_reached(address: str) -> None:
    """Ray would knock at a closed door for minutes, and say so in lines of its own."""
    host, _, port = address.rpartition(":")
    if "/" in host or not port.isdecimal():
        return  # "auto", ray://...: Ray knows where that is
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        said = error.strerror or error
        raise ClusterError(f"no Ray cluster at {address}: {said}") from None


def joins(pool: Pool) -> bool:
    """Whether the work is done by a cluster that runs already."""
    return bool(pool.address) or "RAY_ADDRESS" in os.environ


def start_ray(pool: Pool) -> bool:
    """Join the cluster, or start one here; False where this process is in one already.

    Raises:
        ClusterError: nobody is at the address, or Ray cannot be started or joined.
    """
    if ray.is_initialized():
        return False
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent home
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    _check_reached(pool.address or os.environ.get("RAY_ADDRESS", ""))
    # On a busy machine Ray gives up after half a minute, with an Exception of no kind.
    tries = 1 if joins(pool) else STARTS
    for left in reversed(range(tries)):
        try:
            if joins(pool):
                ray.init(address=pool.address or None, **common)
            else:
                for name, value in ONE_THREAD.items():
                    os.environ.setdefault(name, value)
                # More workers than cores are slower, but asked for.
                cores = max(usable_cores(), pool.workers)
                ray.init(
                    num_cpus=cores, _node_ip_address="127.0.0.1", include_dashboard=False, **common
                )
            break
        except Exception as error:
            ray.shutdown()
            if not left:
                raise ClusterError(f"Ray cannot be started or joined: {reason(error)}") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_max_block_size = BLOCK_BYTES
    return True


def resources(pool: Pool, todo: int) -> tuple[int, dict[str, Any], int]:
    """How many workers, what each takes of Ray's, and its threads.

    Args:
        pool: what was asked for.
        todo: photos.

    Raises:
        UsageError: more GPUs are asked for than Ray sees.
    """
    have: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    cores = int(have.get("CPU", 1))
    if not pool.gpus:
        workers = min(pool.workers or max(1, cores), -(-todo // LEAST_BLOCK))
        return workers, {"num_cpus": WORKER_CPUS}, 1
    if pool.gpus > have.get("GPU", 0):
        raise UsageError(f"--gpus {pool.gpus}: Ray sees {int(have.get('GPU', 0))} here")
    threads = max(1, cores // pool.gpus)
    return pool.gpus, {"num_cpus": threads - 0.1, "num_gpus": 1}, threads


def reason(error: BaseException) -> str:
    """The line of what Ray says that holds the cause; its tracebacks are long.

    That is the last one, but where an error of ours ended it: Ray's advice follows that.
    """
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith(f"{UnveilError.__module__}.")]
    if ours:
        return ours[-1].partition(": ")[2]
    return lines[-1] if lines else type(error).__name__
