"""Every model on every mask set over the same faces: scores, intervals, paired differences.

Work goes out in chunks of faces to processes of one thread each. The scores of each model on each
set are kept under `.cache/`, named by a hash of all they depend on, so that a stopped run goes on
and a changed model is measured anew.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from unveil import __version__, imaging
from unveil.data.faces import FaceSet
from unveil.errors import DataError
from unveil.evaluation import baselines, changes, metrics
from unveil.evaluation.candidates import Candidate, Spec, build
from unveil.evaluation.metrics import INTERVAL, estimate, iou, paired, score
from unveil.evaluation.protocols import PROTOCOLS, SEED, MaskSet
from unveil.evaluation.workers import processes
from unveil.faces import blend
from unveil.files import atomic_path
from unveil.imaging import Photo, to_network
from unveil.models import eigenface
from unveil.occlusion import compose
from unveil.progress import track
from unveil.runtime import session

CHUNK = 20
CACHE = ".cache"  # inside --out
LIBRARIES = ("numpy", "onnxruntime", "opencv-python-headless", "scikit-image")


@dataclass(frozen=True)
class FaceScores:
    """One model on one face of one set. Raw: its own output; pasted: known pixels put back.

    `psnr` in dB and `ssim` over the whole face, `*_hidden` over the hidden part. There is one
    `psnr_hidden`, for pasting does not change hidden pixels; SSIM's windows reach over the edge.
    `perceptual` is the distance of the pasted face from the clean one in SqueezeNet's features
    (`losses.perceptual`), None where no features were given. `mask_iou` is None where the model has
    no mask branch. `ms` is the time of restoring alone.
    """

    psnr_raw: float
    psnr_pasted: float
    psnr_hidden: float
    ssim_raw: float
    ssim_pasted: float
    ssim_hidden_raw: float
    ssim_hidden_pasted: float
    perceptual: float | None
    mask_iou: float | None
    ms: float
    coverage: float


SCORES = tuple(f.name for f in fields(FaceScores))
# Differences between models are taken where the choice of raw or pasted cannot decide them.
COMPARED = ("psnr_pasted", "psnr_hidden", "ssim_pasted", "ssim_hidden_pasted", "perceptual")
Distance = Callable[[Photo, Photo], float]


def score_face(
    model: Candidate,
    face: Photo,
    mask_set: MaskSet,
    place: int,
    distance: Distance | None = None,
) -> FaceScores:
    """Hide, restore and score the face (256, 256, 3) at `place` of the test list."""
    clean, occluded, mask = mask_set.example(face, place)
    start = time.perf_counter()
    raw = model.restore(occluded, mask)
    ms = 1000 * (time.perf_counter() - start)
    pasted = np.where(mask[..., None], raw, clean)
    of_pasted = score(clean, pasted, mask)
    of_raw = of_pasted if np.array_equal(raw, pasted) else score(clean, raw, mask)
    found = model.find_mask(occluded) if model.find_mask else None
    return FaceScores(
        psnr_raw=of_raw.psnr_whole,
        psnr_pasted=of_pasted.psnr_whole,
        psnr_hidden=of_pasted.psnr_hidden,
        ssim_raw=of_raw.ssim_whole,
        ssim_pasted=of_pasted.ssim_whole,
        ssim_hidden_raw=of_raw.ssim_hidden,
        ssim_hidden_pasted=of_pasted.ssim_hidden,
        perceptual=distance(clean, pasted) if distance else None,
        mask_iou=None if found is None else iou(found, mask),
        ms=ms,
        coverage=float(mask.mean()),
    )


def evaluate(
    specs: Sequence[Spec],
    faces: FaceSet,
    protocol: str,
    out: Path,
    *,
    data: str,
    jobs: int = 1,
    features: Path | None = None,
) -> dict[str, Any]:
    """Measure every model on every set of a protocol; write and give back the results.

    Args:
        specs: the models; their labels must differ.
        faces: 256x256 faces; the place of a face decides its masks.
        protocol: a key of `PROTOCOLS`.
        out: folder for `PROTOCOL.json` and, under `.cache/`, the kept parts.
        data: what the faces are called in the results.
        jobs: processes, each of one thread.
        features: SqueezeNet's weights for the perceptual distance; None: it is left out.

    Raises:
        DataError: `out` cannot be written.
    """
    sets = PROTOCOLS[protocol]
    columns = measure_columns(specs, sets, faces, out, jobs=jobs, features=features)
    results = {
        "protocol": protocol,
        "unveil": __version__,
        "libraries": {name: version(name) for name in LIBRARIES},
        "data": {"name": data, "faces": len(faces), "sha256": _faces_sha256(faces.faces)},
        "seed": SEED,
        "interval": INTERVAL,
        "metrics": "psnr in dB; ssim: Gaussian windows, deviation 1.5, mean of three channels; "
        "raw: the model's output; pasted: known pixels put back; perceptual: distance in "
        "SqueezeNet 1.1's features, pasted; ms: median, one thread",
        "models": {spec.label: {"sha256": dict(spec.sha256)} for spec in specs},
        "sets": _summarise(specs, sets, columns, len(faces)),
    }
    try:
        write_json(out / f"{protocol}.json", results)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from None
    return results


def measure_columns(
    specs: Sequence[Spec],
    sets: Sequence[MaskSet],
    faces: FaceSet,
    out: Path,
    *,
    jobs: int = 1,
    features: Path | None = None,
) -> dict[tuple[str, str], dict[str, list[Any]]]:
    """The scores of every face: (set's name, model's label) -> score's name -> one value a face.

    Arguments and errors as `evaluate`'s; what is kept under `out` is not measured again.
    """
    faces_sha256 = _faces_sha256(faces.faces)
    folder = out / CACHE
    parts = {
        (s.name, spec.label): folder
        / f"{s.name}-{spec.label}-{_key(spec, s, faces_sha256, features)}.json"
        for s in sets
        for spec in specs
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = {key: found for key, path in parts.items() if (found := _read_part(path))}
        todo = [(s, spec) for s in sets for spec in specs if (s.name, spec.label) not in known]
        for mask_set, spec, scores in _measure(todo, faces.faces, jobs, features):
            known[mask_set.name, spec.label] = scores
            write_json(parts[mask_set.name, spec.label], scores)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from None
    return known


def _measure(
    todo: Sequence[tuple[MaskSet, Spec]], faces: Photo, jobs: int, features: Path | None
) -> Iterator[tuple[MaskSet, Spec, dict[str, list[Any]]]]:
    """Give each model's columns of scores on a set as soon as its last chunk is done."""
    starts = range(0, len(faces), CHUNK)
    bar = iter(track(range(len(todo) * len(starts)), "evaluating"))
    with processes(jobs) as pool:
        for mask_set, spec in todo:
            futures: dict[Future[list[FaceScores]], int] = {}
            for start in starts:
                chunk = np.asarray(faces[start : start + CHUNK])
                future = pool.submit(score_chunk, spec, mask_set, chunk, start, features)
                futures[future] = start
            done = {}
            for future in as_completed(futures):
                next(bar)
                done[futures[future]] = future.result()
            rows = [row for start in starts for row in done[start]]
            yield mask_set, spec, {name: [getattr(r, name) for r in rows] for name in SCORES}
        next(bar, None)


_loaded: dict[Spec, Candidate] = {}


def score_chunk(
    spec: Spec, mask_set: MaskSet, faces: Photo, first: int, features: Path | None = None
) -> list[FaceScores]:
    """In a worker: the scores of faces `first`, `first` + 1, ...; models stay loaded."""
    if spec not in _loaded:
        _loaded.clear()  # models come one after the other, and a prior takes 100 MB
        _loaded[spec] = build(spec)
        _loaded[spec].restore(faces[0], mask_set.mask(first))  # the first call is the slow one
    distance = _distance(features) if features else None
    return [
        score_face(_loaded[spec], face, mask_set, first + i, distance)
        for i, face in enumerate(faces)
    ]


@lru_cache(maxsize=1)
def _distance(features: Path) -> Distance:
    import torch

    from unveil.losses.perceptual import SqueezeFeatures, perceptual_distance

    network = SqueezeFeatures.load(features)

    def distance(clean: Photo, restored: Photo) -> float:
        both = torch.from_numpy(to_network(np.stack([clean, restored])))
        with torch.no_grad():
            layers = network(both)
        pairs = [layer.chunk(2) for layer in layers]
        ours, theirs = ([pair[i] for pair in pairs] for i in range(2))
        return float(perceptual_distance(ours, theirs)[0])

    return distance


def _summarise(
    specs: Sequence[Spec],
    sets: Sequence[MaskSet],
    columns: dict[tuple[str, str], dict[str, list[Any]]],
    n: int,
) -> dict[str, Any]:
    """Columns of scores -> means, intervals and paired differences of each set."""
    summary: dict[str, Any] = {}
    for mask_set in sets:
        of_set = {spec.label: columns[mask_set.name, spec.label] for spec in specs}
        summary[mask_set.name] = {
            "label": mask_set.label,
            "masks_sha256": mask_set.sha256(range(n)),
            "coverage": asdict(estimate(next(iter(of_set.values()))["coverage"])),
            "published_psnr": mask_set.published,
            "models": {label: _model_summary(scores) for label, scores in of_set.items()},
            "differences": [
                {"a": a, "b": b}
                | {
                    name: asdict(paired(of_set[a][name], of_set[b][name]))
                    for name in COMPARED
                    if None not in of_set[a][name]
                }
                for a, b in combinations(of_set, 2)
            ],
        }
    return summary


def _model_summary(scores: dict[str, list[Any]]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        name: asdict(estimate(values))
        for name, values in scores.items()
        if name not in ("ms", "coverage") and None not in values
    }
    return summary | {"ms_per_face": round(float(np.median(scores["ms"])), 2)}


def _key(spec: Spec, mask_set: MaskSet, faces_sha256: str, features: Path | None) -> str:
    """A name that changes with the model, its masks, the faces and the code behind the scores."""
    digest = hashlib.sha256(repr((SCORES, faces_sha256, spec.sha256)).encode())
    digest.update(mask_set.sha256(range(3)).encode())
    digest.update(features.read_bytes() if features else b"")
    for module in (imaging, blend, session, eigenface, baselines, metrics, changes, compose):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:12]


def _faces_sha256(faces: Photo) -> str:
    digest = hashlib.sha256(repr(faces.shape).encode())
    for face in faces:
        digest.update(face.tobytes())
    return digest.hexdigest()


def _read_part(path: Path) -> dict[str, list[Any]] | None:
    """Kept scores; None where there are none, or none that can be read."""
    try:
        part = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return part if isinstance(part, dict) and tuple(part) == SCORES else None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write results, at once or not at all."""
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
