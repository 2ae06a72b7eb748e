"""What a restoration costs on this machine: time and memory, measured, not estimated."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unveil import __version__
from unveil.files import encode, write_bytes
from unveil.imaging import FACE_SIZE, Photo
from unveil.occlusion.shapes import box_mask
from unveil.progress import track
from unveil.runtime.session import FaceNetwork
from unveil.runtime.weights import list_weights

# The command as the shell runs it, which at its end writes its own peak memory in kB to a file. The
# parent cannot ask: what it hears of a child (ru_maxrss) begins with its own size before the exec.
MEASURED = """
import atexit, pathlib, sys
from unveil.cli import main
target = pathlib.Path(sys.argv.pop(1))
def peak():
    try:
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
        return next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    except OSError:
        import resource
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return str(used // 1024 if sys.platform == "darwin" else used)
atexit.register(lambda: target.write_text(peak()))
main()
"""


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
        network_milliseconds: "model/role/threads" -> one face through one network; all networks
            take turns, so that whatever else the machine does meets them alike.
        machine: what it ran on.
    """

    shell_seconds: Spread
    peak_megabytes: Spread
    network_milliseconds: dict[str, Spread]
    machine: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def sample_face() -> Photo:
    """Smooth colours with a black rectangle, 256x256; what it shows does not change the cost."""
    y, x = np.mgrid[0:FACE_SIZE, 0:FACE_SIZE]
    face = np.stack([90 + y // 3, 80 + x // 4, 120 - y // 6], axis=-1).astype(np.uint8)
    face[box_mask(90, 120, 90, 60)] = 0
    return face


def run(repeats: int = 10, threads: tuple[int, ...] = (1, 2)) -> Benchmark:
    """Measure the shipped models.

    Args:
        repeats: measurements of each kind.
        threads: counts of threads that each network is timed with.
    """
    shell, memory = _from_the_shell(min(repeats, 5))
    networks = {
        f"{weights.name}/{file.role}/{n}": _runner(FaceNetwork(weights, n), file.role)
        for weights in list_weights()
        for file in weights.files
        for n in threads
    }
    times: dict[str, list[float]] = {name: [] for name in networks}
    face = sample_face()[None]
    for call in networks.values():
        call(face)  # the first call loads the network
    for _ in track(range(repeats), "timing networks", repeats):
        for name, call in networks.items():
            started = time.perf_counter()
            call(face)
            times[name].append((time.perf_counter() - started) * 1000)
    return Benchmark(
        Spread.of(shell),
        Spread.of(memory),
        {name: Spread.of(values) for name, values in times.items()},
        _machine(),
    )


def _runner(network: FaceNetwork, role: str) -> Any:
    return network.restore if role == "face" else network.find_mask


def _from_the_shell(repeats: int) -> tuple[list[float], list[float]]:
    seconds, megabytes = [], []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "face.png", Path(folder) / "out.png"
        write_bytes(source, encode(sample_face(), "PNG"))
        memory = Path(folder) / "peak"
        command = [sys.executable, "-c", MEASURED, str(memory), "restore", "--aligned", str(source)]
        for _ in track(range(repeats), "timing the command", repeats):
            started = time.perf_counter()
            subprocess.run([*command, "-o", str(target)], check=True)
            seconds.append(time.perf_counter() - started)
            megabytes.append(int(memory.read_text()) / 1e3)
    return seconds, megabytes


def _machine() -> dict[str, Any]:
    import onnxruntime

    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "unveil": __version__,
    }
