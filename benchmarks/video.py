"""Restoration through time against frame by frame, on clips with drawn occluders.

    python benchmarks/video.py CLIP... --model paper --frames 48 --out benchmarks/results/video.json

The occluders are drawn on clean clips, so the truth is known; their masks are given to all methods
alike. Beside them stands what is no method, for it knows the truth: the hidden part of the first
clean frame, moved on by the plane that is nearest to the clean clip's own motion there. All is
measured over the same pixels for all methods and for the clean clip: the hidden ones within the
face's frame, but for the frame's rim, which a method that has to find the face under the occluder
may put elsewhere. PSNR: mean over frames. Flicker, by the clean clip's motion and by the restored
clip's own: see `unveil.evaluation.flicker`.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from unveil import __version__
from unveil.bench import memory
from unveil.evaluation.flicker import LEAST, Truth, flicker, regions
from unveil.evaluation.parts import of_these_weights, stamp
from unveil.faces.align import fit, invert
from unveil.files import write_bytes
from unveil.occlusion.objects.choose import draw_named
from unveil.occlusion.objects.head import Head
from unveil.restorer import Restorer
from unveil.runtime.weights import DEFAULT_MODEL
from unveil.video.clip import THREADS, restore_clip
from unveil.video.process import restore_video
from unveil.video.reader import VideoReader
from unveil.video.sighting import Found
from unveil.video.steadiness import Steadiness
from unveil.video.track import DELAY, Tracker

OCCLUSIONS = ("mask that follows the face", "passing hand", "fixed rectangle")
PROCESS = {
    "video": Steadiness(),
    "video, no memory": Steadiness(remember=False),
    "video, live": Steadiness(live=True),
}
# The parts of the results, and what of the file each is.
PARTS = {
    "rows": ("rows", "data", "frames", "start", "seed", "methods"),
    "speed": ("speed",),
    "memory": ("memory",),
}
FRAME_BY_FRAME = "frame by frame"
FOUND = "video, mask found"


def read(path: Path, start: int, count: int) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        frames = [f.photo for i, f in zip(range(start + count), reader, strict=False) if i >= start]
    if len(frames) < count:
        raise SystemExit(f"{path}: only {len(frames)} frames after {start}")
    return frames


def places(frames: list[np.ndarray], restorer: Restorer) -> list[np.ndarray]:
    """The (2, 3) map to the aligned face in each clean frame."""
    tracker, seen = Tracker(), []
    for i, photo in enumerate(frames):
        tracker.add(photo, partial(detected, restorer, photo))
        if i >= DELAY:
            seen.append(tracker.sightings(i - DELAY))
    seen += [tracker.sightings(i) for i in range(max(0, len(frames) - DELAY), len(frames))]
    if not all(seen):
        raise SystemExit("a frame shows no face")
    return [fit(max(s, key=lambda t: t.box[3] - t.box[1]).points) for s in seen]


def detected(restorer: Restorer, photo: np.ndarray) -> list[Found]:
    """The faces of a clean frame: nothing draws their points with it."""
    return [Found(d, d.points) for d in restorer.detector.find(photo, restorer.min_size)]


def occlude(
    kind: str, frames: list[np.ndarray], maps: list[np.ndarray], seed: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The frames with an occluder, and its masks."""
    rng = np.random.default_rng(seed)
    height, width = frames[0].shape[:2]
    if kind == "fixed rectangle":
        x, y = invert(maps[0]) @ (128, 170, 1)
        side = 90 / np.hypot(*maps[0][:, 0])  # of the 256 pixels of the face's frame
        mask = np.zeros((height, width), bool)
        left, top = int(x - side / 2), int(y - side / 2)
        mask[max(0, top) : int(y + side / 2), max(0, left) : int(x + side / 2)] = True
        return [np.where(mask[..., None], np.uint8(0), f) for f in frames], [mask] * len(frames)
    layer = draw_named("medical mask" if kind == OCCLUSIONS[0] else "hand", rng, Head(256))
    colour = np.dstack([layer.colour * layer.alpha[..., None], layer.alpha])
    occluded, masks = [], []
    for i, (frame, matrix) in enumerate(zip(frames, maps, strict=True)):
        moved = matrix.copy()
        if kind == "passing hand":
            # From beside the face over it and away on the other side, in its first frame's place.
            moved = maps[0].copy()
            moved[0, 2] += 300 - 600 * i / (len(frames) - 1)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        drawn = cv2.warpAffine(colour.astype(np.float32), moved, (width, height), flags=flags)
        alpha = drawn[..., 3:]
        occluded.append(np.clip(frame * (1 - alpha) + drawn[..., :3], 0, 255).astype(np.uint8))
        masks.append(alpha[..., 0] > 1 / 255)
    return occluded, masks


def carried(
    frames: list[np.ndarray], masks: list[np.ndarray], hidden: list[np.ndarray], truth: Truth
) -> list[np.ndarray]:
    """The true face of the first frame wherever something hides it later, moved as a plane.

    A still face whose head's motion is known: what talks behind an occluder moves by no plane.
    """
    height, width = frames[0].shape[:2]
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), 2).astype(np.float32)
    to_first, made = np.eye(3), [frames[0]]
    for frame, mask, inside, before in zip(
        frames[1:], masks[1:], hidden[1:], truth.before, strict=True
    ):
        if inside.sum() >= LEAST:
            step, _ = cv2.findHomography(places[inside], before[inside], cv2.RANSAC, 1.0)
            to_first = to_first @ step
        there = cv2.perspectiveTransform(places, to_first).astype(np.float32)
        still = cv2.remap(frames[0], *cv2.split(there), cv2.INTER_CUBIC)
        made.append(np.where(mask[..., None], still, frame))
    return made


def methods(restorer: Restorer) -> dict[str, Callable[..., list[np.ndarray]]]:
    def through(frames: list, masks: list, steadiness: Steadiness) -> list[np.ndarray]:
        return [r.photo for r in restore_video(frames, masks, restorer, steadiness)]

    def alone(frames: list, masks: list) -> list[np.ndarray]:
        return [restorer.restore(f, m).photo for f, m in zip(frames, masks, strict=True)]

    def found(frames: list, masks: list) -> list[np.ndarray]:
        return [r.photo for r in restore_video(frames, None, restorer)]

    named = {name: partial(through, steadiness=s) for name, s in PROCESS.items()}
    return {**named, FRAME_BY_FRAME: alone, FOUND: found}


def measure(path: Path, arguments: argparse.Namespace, restorer: Restorer) -> list[dict]:
    frames = read(path, arguments.start, arguments.frames)
    truth, maps = Truth(frames), places(frames, restorer)
    rows = []
    for seed, kind in enumerate(OCCLUSIONS):
        occluded, masks = occlude(kind, frames, maps, arguments.seed + seed)
        hidden = regions(masks, maps)
        row: dict = {"clip": path.name, "occlusion": kind, "methods": {}}
        clean = flicker(frames, hidden, truth.before)
        row["clean"] = {"flicker": clean}
        row["still face"] = truth.scores(carried(frames, masks, hidden, truth), hidden)
        for name, method in methods(restorer).items():
            restored = method(occluded, masks)
            row["methods"][name] = truth.scores(restored, hidden)
            if arguments.sheet:
                sheet(arguments.sheet / f"{path.stem}-{kind}-{name}.png", occluded, restored)
        alone = dict(row["methods"][FRAME_BY_FRAME])
        for scores in row["methods"].values():
            for kind_of in ("flicker", "flicker_own"):
                scores[f"{kind_of}_to_clean"] = scores[kind_of] / clean
                scores[f"{kind_of}_to_frame_by_frame"] = scores[kind_of] / alone[kind_of]
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def sheet(target: Path, occluded: list[np.ndarray], restored: list[np.ndarray]) -> None:
    """Six frames before and after, to look at."""
    chosen = np.linspace(0, len(occluded) - 1, 6).astype(int)
    rows = [np.hstack([images[i] for i in chosen]) for images in (occluded, restored)]
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), np.vstack(rows)[::2, ::2, ::-1])


def looped(frames: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Back and forth for ever, so that nothing jumps."""
    while True:
        yield from frames[:-1]
        yield from frames[:0:-1]


def fresh(call: Callable[..., dict], *arguments: Any) -> dict:
    """What a call gives in a process of its own: nothing that ran before takes memory there."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(call, *arguments).result()


def speed(path: Path, length: int, arguments: argparse.Namespace) -> dict:
    """From file to file at 640x480, the occluder found by the model; and memory over the length."""
    restorer = Restorer(arguments.model, arguments.threads)
    cv2.setNumThreads(arguments.threads or THREADS)  # as `unveil video` does
    frames = []
    for photo in read(path, arguments.start, 40):
        small = cv2.resize(photo, (480, 480), interpolation=cv2.INTER_AREA)
        small[300:400, 180:300] = 0
        frames.append(cv2.copyMakeBorder(small, 0, 0, 80, 80, cv2.BORDER_REPLICATE))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        with av.open(str(source), "w") as output:
            stream = output.add_stream("libx264", rate=25, options={"preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
            for _, photo in zip(range(length), looped(frames), strict=False):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(photo, format="rgb24")))
            output.mux(stream.encode(None))
        resident: list[tuple[int, float]] = []

        def tell(done: int, total: int | None) -> None:
            if done % max(1, length // 20) == 0:
                resident.append((done, round(memory("VmRSS"), 1)))

        begun, used = time.perf_counter(), time.process_time()
        restore_clip(source, target, restorer, tell=tell)
        wall, cpu = time.perf_counter() - begun, time.process_time() - used
    return {
        "size": "640x480",
        "frames": length,
        "frames_per_second": round(length / wall, 2),
        "cpu_ms_per_frame": round(1000 * cpu / length, 1),
        "cores_used": round(cpu / wall, 2),
        "resident_mb_after_frames": resident,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--start", type=int, default=0, help="first frame")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--length", type=int, default=0, help="also speed over so many frames")
    parser.add_argument("--memory", type=int, default=0, help="also memory over so many frames")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="a folder for pictures to look at")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    restorer = Restorer(arguments.model, arguments.threads)
    if arguments.threads:
        cv2.setNumThreads(arguments.threads)
    earlier = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    kept, others = of_these_weights(earlier, PARTS, arguments.model)
    for part in others:
        print(f"{part}: measured with other weights, left out; measure it again", flush=True)
    clips = {"name": "talking heads, drawn occluders", "clips": len(arguments.clips)}
    results = {
        "protocol": "video",
        "data": clips,
        "unveil": __version__,
        "machine": f"{platform.machine()}, {platform.system()}",
        **kept,
    }
    if arguments.frames:
        results |= {
            "data": clips,
            "frames": arguments.frames,
            "start": arguments.start,
            "seed": arguments.seed,
            "methods": {name: repr(s) for name, s in PROCESS.items()},
            "rows": [],
        }
        stamp(results, "rows", arguments.model)
        for clip in arguments.clips:
            results["rows"] += measure(clip, arguments, restorer)
            save(arguments.out, results)
    for name, length in (("speed", arguments.length), ("memory", arguments.memory)):
        if length:
            results[name] = fresh(speed, arguments.clips[0], length, arguments)
            stamp(results, name, arguments.model)
            print(results[name])
            save(arguments.out, results)


def save(target: Path, results: dict) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
