"""What an archive costs: seconds a photo by stage, and how workers add up.

    python benchmarks/scale.py stages
    python benchmarks/scale.py throughput --photos 1000
    python benchmarks/scale.py ledger --photos 5000
    python docs/make_report.py

The first three write benchmarks/results/scale.json, each its own part; the last puts that into the
documents. Needs the extras `cluster` and `evaluate` (for the astronaut), and a machine with
nothing else to do.

Each way of working restores two archives, a small and a large one: the slope is what a photo costs,
the rest is what the start costs. The photos are NASA's astronaut behind a black bar, one face each,
at about a megapixel, JPEG.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from unveil.evaluation.parts import stamp
from unveil.files import encode, read_image, write_bytes
from unveil.output import restored_file
from unveil.restorer import Restorer
from unveil.runtime.weights import DEFAULT_MODEL

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "scale.json"
SIDES = {"1": 1024, "12": 3464}  # megapixels: side
# The ways of working: arguments of `unveil restore`, and whether on one core only.
WAYS: dict[str, tuple[tuple[str, ...], bool]] = {
    "one process on one core": (("--jobs", "1"), True),
    "--jobs 2": (("--jobs", "2"), False),
    "--engine ray, 1 worker": (("--engine", "ray", "--jobs", "1"), False),
    "--engine ray, 2 workers": (("--engine", "ray", "--jobs", "2"), False),
}
SMALL_SHARE, LEAST_SMALL = 5, 8  # the small archive has a fifth of the photos, and so many


def picture(seed: int, side: int) -> bytes:
    """The astronaut with a bar over nose and mouth, (side, side), JPEG; each seed cut elsewhere."""
    from skimage.data import astronaut

    photo = np.ascontiguousarray(astronaut())
    cv2.rectangle(photo, (190, 115), (260, 165), (0, 0, 0), -1)
    left, top = seed * 7 % 40, seed * 3 % 20
    cut = photo[top : top + 460, left : left + 460]
    large = cv2.resize(cut, (side, side), interpolation=cv2.INTER_CUBIC)
    buffer = io.BytesIO(encode(large, "JPEG"))
    return buffer.getvalue()


class Clock:
    """Seconds by stage; a stage inside another counts for itself only."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def time(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            self._inside.append(0.0)
            try:
                return call(*arguments, **options)
            finally:
                took = time.perf_counter() - started
                self.seconds[stage] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        return timed


def stages(repeats: int) -> dict[str, Any]:
    """Milliseconds of each stage for a photo, on one thread: the median over photos."""
    cv2.setNumThreads(1)
    found: dict[str, Any] = {}
    for megapixels, side in SIDES.items():
        restorer, clock = Restorer(threads=1), Clock()
        patched: Any = restorer
        patched.detector.find = clock.time("detect", restorer.detector.find)
        patched.detector.points = clock.time("detect", restorer.detector.points)
        patched.model.find = clock.time("segment", restorer.model.find)
        aligner: Any = restorer.outliner.aligner
        aligner.better_frame = clock.time("align", aligner.better_frame)
        patched.model.fill = clock.time("restore", restorer.model.fill)
        patched.model.confidence = clock.time("confidence", restorer.model.confidence)
        decode, write = clock.time("decode", read_image), clock.time("encode", restored_file)
        restore = clock.time("cut and paste", restorer.restore)
        photos = [picture(seed, side) for seed in range(repeats)]
        rows = []
        for data in [photos[0], *photos]:  # the first one loads the networks
            clock.seconds.clear()
            source = decode(io.BytesIO(data))
            result = restore(source.photo)
            assert result.invented.any(), "the bar was not found"
            write(result, "PNG", source, data)
            rows.append(dict(clock.seconds))
        rows = rows[1:]
        names = (
            "decode",
            "detect",
            "segment",
            "align",
            "restore",
            "confidence",
            "cut and paste",
            "encode",
        )
        found[megapixels] = {
            name: round(1000 * float(np.median([row[name] for row in rows])), 1) for name in names
        }
    return found


def throughput(photos: int, ways: list[str]) -> dict[str, Any]:
    """Seconds of whole commands over a small and a large archive, and what follows."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        counts = {"small": max(LEAST_SMALL, photos // SMALL_SHARE), "large": photos}
        for name, count in counts.items():
            (root / name).mkdir()
            for i in range(count):
                write_bytes(root / name / f"{i:06d}.jpg", picture(i, SIDES["1"]))
        for way in ways:
            took = {}
            for name in counts:
                target = root / f"{way.replace(' ', '-')}-{name}"
                target.mkdir()
                took[name] = _time(way, root / name, target)
                done = len(list(target.glob("*.restored.png")))
                assert done == counts[name], f"{way}: {done} of {counts[name]}"
            slope = (took["large"] - took["small"]) / (counts["large"] - counts["small"])
            found[way] = {
                "photos": counts["large"],
                "seconds": round(took["large"], 2),
                # Below zero is what the two times scatter by.
                "start_seconds": max(0.0, round(took["large"] - counts["large"] * slope, 2)),
                "photos_per_second": round(1 / slope, 3),
            }
            print(way, found[way], file=sys.stderr, flush=True)
    return found


def _time(way: str, source: Path, target: Path) -> float:
    arguments, pinned = WAYS[way]
    command = [sys.executable, "-m", "unveil", "restore", str(source), "-o", str(target)]

    def pin() -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    started = time.perf_counter()
    subprocess.run(
        [*command, *arguments],
        check=True,
        stderr=subprocess.DEVNULL,
        preexec_fn=pin if pinned else None,
    )
    return time.perf_counter() - started


def ledger(rows: int) -> int:
    """Rows a second that the one ledger of a job takes, each sent by itself."""
    import ray

    from unveil.cluster.ledger import Ledger
    from unveil.cluster.manifest import Manifest
    from unveil.cluster.places import Place
    from unveil.cluster.pool import Pool, start_ray

    start_ray(Pool(workers=1))
    with tempfile.TemporaryDirectory() as folder:
        manifest = Manifest.of(Place(folder), {})
        actor: Any = ray.remote(Ledger)
        actor = actor.options(num_cpus=0).remote(manifest)
        ray.get(actor.flush.remote())
        started = time.perf_counter()
        for i in range(rows):
            actor.add.remote([{"input": f"{i:09d}.jpg", "output": "x", "faces": 1, "error": None}])
        ray.get(actor.flush.remote())
        took = time.perf_counter() - started
    ray.shutdown()
    return round(rows / took)


def machine() -> dict[str, Any]:
    return {"processor": platform.machine(), "cores": os.cpu_count()}


def read() -> dict[str, Any]:
    if RESULTS.exists():
        known: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
        return known
    return {"protocol": "scale", "data": {"name": "astronaut, enlarged", "faces": 1}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("stages", "throughput", "ledger"))
    parser.add_argument("--photos", type=int, default=200, help="of the large archive")
    parser.add_argument("--repeats", type=int, default=10, help="photos of the stages")
    parser.add_argument("--way", action="append", choices=tuple(WAYS), help="only this one")
    given = parser.parse_args()
    results = read()
    if given.what == "stages":
        results["stages"] = stages(given.repeats)
        stamp(results, "stages", DEFAULT_MODEL)
    elif given.what == "ledger":
        results["ledger_rows_per_second"] = ledger(given.photos)
        stamp(results, "ledger", None)
    elif given.what == "throughput":
        if given.photos <= LEAST_SMALL:
            parser.error(f"--photos: more than {LEAST_SMALL}, for two archives are compared")
        ways = throughput(given.photos, given.way or list(WAYS))
        results.setdefault("throughput", {}).update(ways)
        for way in ways:
            stamp(results, f"throughput, {way}", DEFAULT_MODEL)
    results["machine"] = machine()
    write_bytes(RESULTS, (json.dumps(results, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
