"""What a restoration costs on this machine: time and memory, measured, not estimated."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unveil import __version__
from unveil.files import encode, write_bytes
from unveil.imaging import FACE_SIZE, Mask, Photo, occlude
from unveil.occlusion.shapes import box_mask
from unveil.progress import track
from unveil.runtime.session import FaceNetwork
from unveil.runtime.weights import list_weights

REFERENCE = "paper"

# The command as the shell runs it, which at its end writes its own peak memory to a file. The
# parent cannot ask: what it hears of a child (ru_maxrss) begins with its own size before the exec.
MEASURED = """
import atexit, pathlib, sys
from unveil.cli import main
target = pathlib.Path(sys.argv.pop(1))
def tell():
    from unveil.bench import peak_megabytes
    target.write_text(str(peak_megabytes()))
atexit.register(tell)
main()
"""


def memory(field: str, pid: int | str = "self") -> float:
    """Megabytes (10^6 bytes) that a process holds, by Linux's own account.

    Args:
        field: "VmRSS", what it holds now; "VmHWM", the most that it has held.
        pid: of the process.

    Returns:
        0 where the system does not say, or the process has ended.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    found = (int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
    return next(found, 0) * 1024 / 1e6  # its kB are 1,024 bytes


def peak_megabytes() -> float:
    """The most that this process has held, in 10^6 bytes; 0 where the system does not say."""
    if most := memory("VmHWM"):
        return most
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used * (1 if sys.platform == "darwin" else 1024) / 1e6


def interleave(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each call, `rounds` times; all take turns, so that whatever else the machine
    does meets them alike."""
    for call in calls.values():
        call()  # the first call loads what it needs
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in track(range(rounds), "taking turns", rounds):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - started) * 1000)
    return times


@dataclass(frozen=True)
class Spread:
    """Minimum, median and maximum of repeated measurements."""

    minimum: float
    median: float
    maximum: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(float(min(values)), float(np.median(values)), float(max(values)))


@dataclass(frozen=True)
class Benchmark:
    """The results of `run`.

    Attributes:
        shell_seconds: `unveil restore FACE --aligned` from the shell, start-up included.
        peak_megabytes: resident memory of that process.
        model_milliseconds: "model/what/threads" -> one face: "restore" is all from the occluded
            face to the network's output, its prior included; "find" the mask.
        relative: "model/threads" -> median of its restore divided by that of `REFERENCE`, taken
            face by face in turn.
        machine: what it ran on.
        weights: model -> role -> sha256 of its files.
        date: of the measurement, YYYY-MM-DD.
    """

    shell_seconds: Spread
    peak_megabytes: Spread
    model_milliseconds: dict[str, Spread]
    relative: dict[str, float]
    machine: dict[str, Any]
    weights: dict[str, dict[str, str]]
    date: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def sample_face() -> Photo:
    """Smooth colours with a black rectangle, 256x256; what it shows does not change the cost."""
    y, x = np.mgrid[0:FACE_SIZE, 0:FACE_SIZE]
    face = np.stack([90 + y // 3, 80 + x // 4, 120 - y // 6], axis=-1).astype(np.uint8)
    return occlude(face, sample_mask())


def sample_mask() -> Mask:
    """What is hidden of `sample_face`: 20 %."""
    return box_mask(70, 110, 120, 110, FACE_SIZE)


def run(repeats: int = 10, threads: tuple[int, ...] = (1, 2)) -> Benchmark:
    """Measure the shipped models.

    Args:
        repeats: measurements of each kind.
        threads: counts of threads that each model is timed with, each in a process of its own, for
            the libraries under numpy take theirs from the environment when they load.
    """
    shell, peaks = _from_the_shell(min(repeats, 5))
    times: dict[str, list[float]] = {}
    for n in track(threads, "timing models", len(threads)):
        variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"))
        code = f"from unveil.bench import time_models; time_models({repeats}, {n})"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {name: str(n) for name in variables},
            check=True,
            capture_output=True,
        )
        times |= json.loads(done.stdout)
    medians = {name: float(np.median(values)) for name, values in times.items()}
    relative = {
        f"{name}/{n}": round(
            medians[f"{name}/restore/{n}"] / medians[f"{REFERENCE}/restore/{n}"], 3
        )
        for n in threads
        for name in sorted({key.split("/")[0] for key in times})
        if f"{name}/restore/{n}" in medians and name != REFERENCE
    }
    return Benchmark(
        Spread.of(shell),
        Spread.of(peaks),
        {name: Spread.of(values) for name, values in times.items()},
        relative,
        machine(),
        {w.name: {file.role: file.sha256 for file in w.files} for w in list_weights()},
        date.today().isoformat(),
    )


def time_models(repeats: int, threads: int) -> None:
    """Print the milliseconds of every shipped model as JSON; see `interleave`."""
    import cv2

    cv2.setNumThreads(threads)
    face, mask = sample_face()[None], sample_mask()[None]
    calls: dict[str, Callable[[], Any]] = {}
    for weights in list_weights():
        network = FaceNetwork(weights, threads)
        if weights.has("face"):
            calls[f"{weights.name}/restore/{threads}"] = partial(network.restore, face, mask)
        if weights.has("mask"):
            calls[f"{weights.name}/find/{threads}"] = partial(network.find_mask, face)
    print(json.dumps(interleave(calls, repeats)))


def _from_the_shell(repeats: int) -> tuple[list[float], list[float]]:
    seconds, megabytes = [], []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "face.png", Path(folder) / "out.png"
        write_bytes(source, encode(sample_face(), "PNG"))
        peak = Path(folder) / "peak"
        command = [sys.executable, "-c", MEASURED, str(peak), "restore", "--aligned", str(source)]
        for _ in track(range(repeats), "timing the command", repeats):
            started = time.perf_counter()
            subprocess.run([*command, "-o", str(target)], check=True)
            seconds.append(time.perf_counter() - started)
            megabytes.append(float(peak.read_text()))
    return seconds, megabytes


def machine() -> dict[str, Any]:
    """What this runs on, as far as it explains a time."""
    from unveil.runtime.ort import ort

    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "onnxruntime": ort.__version__,
        "unveil": __version__,
    }
