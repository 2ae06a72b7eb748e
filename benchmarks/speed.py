"""Whole photographs: seconds for a large one, photos a second for a folder, and memory over it; and
how fast occluders are drawn on faces, as training needs it.

    python benchmarks/speed.py large
    python benchmarks/speed.py folder --photos 500
    python benchmarks/speed.py occluders
    python docs/make_report.py

The first three write benchmarks/results/speed.json, each its own part; the last puts that into
docs/scale.md. The photos are those of benchmarks/scale.py (which see), or with --data FOLDER yours:
over and over for the folder, the first two side by side for the large one; occluders are drawn on
the aligned astronaut. Needs the extra `evaluate` (for the astronaut), Linux, and a machine with
nothing else to do.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scale import SIDES, machine, picture

from unveil.bench import memory
from unveil.evaluation.parts import stamp
from unveil.files import encode, read_image, write_bytes
from unveil.imaging import Photo
from unveil.occlusion.compose import compose
from unveil.occlusion.objects.choose import OBJECTS, draw, draw_named
from unveil.occlusion.objects.head import Head
from unveil.output import restored_file
from unveil.progress import track
from unveil.restorer import Restorer
from unveil.runtime.onnx import usable_cores
from unveil.runtime.weights import DEFAULT_MODEL

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "speed.json"
LARGE = (3000, 4000)  # rows, columns: 12 megapixels
COLD, WARM = 5, 9  # repetitions
STEP = 100  # photos between two looks at the memory
ROUNDS, DRAWN, FEW = 9, 300, 20  # of occluders; how many a round, and of one family
ENLARGED = "astronaut, enlarged"  # the photos, where none are given
ASTRONAUT = Path(__file__).parents[1] / "examples" / "astronaut.png"


def large(pair: Sequence[bytes]) -> dict[str, Any]:
    """Seconds of a 12-megapixel photo: the command from the shell, and in a process that runs."""
    data = _side_by_side([read_image(io.BytesIO(each)).photo for each in pair])
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "large.jpg", Path(folder) / "out.png"
        write_bytes(source, data)
        cold = []
        for _ in range(COLD):
            started = time.perf_counter()
            subprocess.run(_command(source, target), check=True, stderr=subprocess.DEVNULL)
            cold.append(time.perf_counter() - started)
    restorer, warm, spent = Restorer(), [], []
    for _ in range(WARM + 1):
        started, before = time.perf_counter(), time.process_time()
        file = read_image(io.BytesIO(data))
        result = restorer.restore(file.photo)
        restored_file(result, "PNG", file, data)
        warm.append(time.perf_counter() - started)
        spent.append(time.process_time() - before)
    return {
        "megapixels": LARGE[0] * LARGE[1] / 1e6,
        "faces": len(result.faces),
        "cold_seconds": round(float(np.median(cold)), 3),
        "warm_seconds": round(float(np.median(warm[1:])), 3),
        "warm_processor_seconds": round(float(np.median(spent[1:])), 3),
    }


def _side_by_side(pair: Sequence[Photo]) -> bytes:
    """A JPEG of `LARGE`, each photo as large as its half allows."""
    height, width = LARGE[0], LARGE[1] // 2
    halves = []
    for photo in pair:
        scale = min(height / photo.shape[0], width / photo.shape[1])
        size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
        part = cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC)
        down, across = height - size[1], width - size[0]
        edges = (down // 2, down - down // 2, across // 2, across - across // 2)
        halves.append(cv2.copyMakeBorder(part, *edges, cv2.BORDER_REPLICATE))
    return encode(np.hstack(halves), "JPEG")


def folder(photos: Sequence[bytes], count: int) -> dict[str, Any]:
    """One command over `count` photos: how fast, how much processor time, how much memory."""
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "in", Path(place) / "out"
        source.mkdir()
        for i, data in enumerate(islice(cycle(photos), count)):
            write_bytes(source / f"{i:06d}.jpg", data)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        running = subprocess.Popen(_command(source, target), stderr=subprocess.DEVNULL)
        held: dict[str, float] = {}
        most = 0.0
        while running.poll() is None:
            done = len(list(target.glob("*.png"))) if target.exists() else 0
            now = memory("VmRSS", running.pid)
            most = max(most, now)
            if done // STEP * STEP and str(done // STEP * STEP) not in held:
                held[str(done // STEP * STEP)] = round(now, 1)
            time.sleep(0.02)
        took = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = len(list(target.glob("*.png")))
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sizes = [read_image(io.BytesIO(data)).photo.size / 3e6 for data in photos[:count]]
    return {
        "photos": done,
        "megapixels": round(float(np.mean(sizes)), 2),
        "seconds": round(took, 2),
        "photos_per_second": round(done / took, 2),
        "processor_seconds_per_photo": round(spent / done, 4),
        "megabytes": held,
        "most_megabytes": round(most, 1),
    }


def occluders() -> dict[str, Any]:
    """Faces a second of one core that get a realistic occluder, 256x256: the median round's, and
    milliseconds a face of each family."""
    cv2.setNumThreads(1)
    face = read_image(ASTRONAUT).photo
    head = Head.of(face)
    # Caches are filled, then all take turns: what else the machine does then meets each of them.
    _milliseconds(face, head, None, -1)
    rounds = [_milliseconds(face, head, None, seed) for seed in track(range(ROUNDS), "rounds")]
    each = {
        name: np.median([_milliseconds(face, head, name, seed) for seed in range(3)])
        for name in track(list(OBJECTS), "families")
    }
    return {
        "side": len(face),
        "faces": ROUNDS * DRAWN,
        "faces_per_second": round(1000 / float(np.median(rounds)), 1),
        "milliseconds": {name: round(float(value), 2) for name, value in each.items()},
    }


def _milliseconds(face: Photo, head: Head, family: str | None, seed: int) -> float:
    """Of one face, drawing and composing; a family's, or None: any, as training draws them."""
    count = DRAWN if family is None else FEW
    rng = np.random.default_rng(seed + 1)
    started = time.perf_counter()
    for _ in range(count):
        layer = draw(rng, head) if family is None else draw_named(family, rng, head)
        compose(face, layer, rng)
    return 1000 * (time.perf_counter() - started) / count


def _command(source: Path, target: Path) -> list[str]:
    return [sys.executable, "-m", "unveil", "restore", str(source), "-o", str(target)]


def _photos(data: Path | None) -> list[bytes]:
    if data:
        found = [path.read_bytes() for path in sorted(data.glob("*.jp*g"))]
        if len(found) < 2:
            raise SystemExit(f"{data}: needs two photos at least (.jpg)")
        return found
    return [picture(seed, SIDES["1"]) for seed in range(40)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("large", "folder", "occluders"))
    parser.add_argument("--photos", type=int, default=500, help="of the folder")
    parser.add_argument("--data", type=Path, help="a folder of photos; default: the astronaut")
    parser.add_argument("-o", type=Path, default=RESULTS, help="default: the committed results")
    given = parser.parse_args()
    results: dict[str, Any] = {}
    if given.o.exists():
        results = json.loads(given.o.read_text(encoding="utf-8"))
    results = {"protocol": "speed", "data": {"name": ENLARGED, "faces": 1}} | results
    if given.what == "occluders":
        results[given.what] = occluders()
        stamp(results, given.what, None)
    else:
        photos = _photos(given.data)
        results[given.what] = (
            large(photos[:2]) if given.what == "large" else folder(photos, given.photos)
        )
        results[given.what]["photos_of"] = given.data.name if given.data else ENLARGED
        stamp(results, given.what, DEFAULT_MODEL)
    results["machine"] = machine() | {"cores": usable_cores()}
    write_bytes(given.o, (json.dumps(results, indent=2) + "\n").encode())
    print(json.dumps(results[given.what]))


if __name__ == "__main__":
    main()
