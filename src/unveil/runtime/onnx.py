"""onnxruntime sessions, opened in one way for all networks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from unveil.errors import UsageError, WeightsError
from unveil.runtime.weights import WeightFile, read_checked

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def open_session(
    file: WeightFile,
    threads: int,
    device: str = "cpu",
    contract: str | None = None,
) -> InferenceSession:
    """A network, ready to run.

    Args:
        file: its weights.
        threads: of one run, 0 = all cores.
        device: "cpu" or "cuda", which needs onnxruntime-gpu.
        contract: what its metadata must say of its inputs; None: it is not ours and says nothing.

    Raises:
        WeightsError: the file is missing, damaged, no network or one of another contract.
        UsageError: there is no such device.
    """
    from unveil.runtime.ort import ort

    check_device(device)
    data = read_checked(file)
    if PROVIDERS[device] not in ort.get_available_providers():
        raise UsageError(
            f"this onnxruntime cannot use {device}: it needs an NVIDIA GPU and the package "
            "onnxruntime-gpu instead of onnxruntime"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads steal the cores from whoever else works on this machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # It keeps as much as its largest run takes, and all of ours have a largest one. Without it they
    # tear the heap: docs/log.md.
    options.enable_cpu_mem_arena = True
    try:
        session = ort.InferenceSession(data, options, providers=[PROVIDERS[device]])
    except Exception as error:  # onnxruntime's own exceptions have no common base but this
        raise WeightsError(f"{file.path} cannot be loaded: {error}") from None
    said = session.get_modelmeta().custom_metadata_map.get("unveil.contract")
    if contract is not None and said != contract:
        raise WeightsError(
            f"{file.path} has another input contract: {said!r}; name a whole model, FOLDER/NAME, "
            "or export it again"
        )
    return session


def check_device(device: str) -> None:
    """Refuse what is no device; whether this machine has it, is asked when it is needed.

    Raises:
        UsageError: it is none.
    """
    if device not in PROVIDERS:
        raise UsageError(f"device must be one of {', '.join(PROVIDERS)}, not {device!r}")


def usable_cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
