"""Every model on every mask set over the same faces: scores, intervals, paired differences.

Work goes out in chunks of faces to processes of one thread each. The scores of each model on each
set are kept under `.cache/`, named by a hash of faces, masks, weights and all code that they go
through, so that a stopped run goes on and what has changed is measured anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unveil import __version__
from unveil.data.faces import FaceSet
from unveil.errors import DataError
from unveil.evaluation import scores
from unveil.evaluation.baselines import PACKAGES, package_version
from unveil.evaluation.candidates import Candidate, Spec, build, modules
from unveil.evaluation.code import code_sha256
from unveil.evaluation.intervals import People, counted, described, units
from unveil.evaluation.protocols import PROTOCOLS, SEED, MaskSet
from unveil.evaluation.scores import SCORES, Part, Scored, score_face
from unveil.evaluation.summary import summarise
from unveil.evaluation.workers import measured, processes
from unveil.files import atomic_path
from unveil.imaging import Photo

if TYPE_CHECKING:
    from unveil.evaluation.perception import Eye

CHUNK = 20
CACHE = ".cache"  # inside --out
PERCEPTION = "unveil.evaluation.perception"  # not imported before it is needed, for it loads torch
LIBRARIES = ("numpy", "onnxruntime", "opencv-python-headless", "scikit-image")
NOT_NOTED = "not noted"
METRICS = (
    "psnr in dB; ssim: Gaussian windows, deviation 1.5, mean of three channels; l1: mean absolute "
    "difference, 0..255; raw: the model's output; pasted: known pixels put back; perceptual: "
    "distance in SqueezeNet 1.1's features, not LPIPS; frechet: squared Frechet distance of the "
    "whole set in SqueezeNet's pooled features, not FID, interval by a jackknife of ten groups, of "
    "people where they are known"
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
        specs: the models; their labels must differ. The first is compared with each of the others.
        faces: 256x256 faces; the place of a face decides its masks. People are the units of the
            intervals where it says who is on them.
        protocol: a key of `PROTOCOLS`.
        out: folder for `PROTOCOL.json` and, under `.cache/`, the kept parts.
        data: what the faces are called in the results.
        jobs: processes, each of one thread.
        features: SqueezeNet's weights for the perceptual and the Fréchet distance; None: they are
            left out.

    Raises:
        DataError: fewer than two faces, or people, or `out` cannot be written.
    """
    if units(len(faces), faces.people) < 2:
        alone = "face" if faces.people is None else "person"
        raise DataError(f"one {alone} has no interval: evaluate two at least, better a thousand")
    sets, n = PROTOCOLS[protocol], len(faces)
    known = measure_parts(specs, sets, faces, out, jobs=jobs, features=features)
    results = {
        "protocol": protocol,
        "unveil": __version__,
        "libraries": _told(list(known.values())),
        "data": {
            "name": data,
            "faces": n,
            **counted(faces.people),
            "sha256": faces_sha256(faces.faces),
        },
        "seed": SEED,
        "interval": described(faces.people),
        "metrics": METRICS,
        "models": {spec.label: {"sha256": dict(spec.sha256)} for spec in specs},
        "sets": {
            s.name: summarise(s, {m.label: known[s.name, m.label] for m in specs}, n, faces.people)
            for s in sets
        },
    }
    write_json(out / f"{protocol}.json", results)
    return results


def measure_parts(
    specs: Sequence[Spec],
    sets: Sequence[MaskSet],
    faces: FaceSet,
    out: Path,
    *,
    jobs: int = 1,
    features: Path | None = None,
) -> dict[tuple[str, str], Part]:
    """The scores of every face, and the distances between sets of faces: (set's name, model's
    label) -> part.

    Arguments and errors as `evaluate`'s; what is kept under `out` is not measured again.
    """
    sha256 = faces_sha256(faces.faces)
    folder = out / CACHE
    paths = {
        (s.name, spec.label): folder
        / f"{s.name}-{spec.label}-{_key(spec, s, sha256, faces.people, features)}.json"
        for s in sets
        for spec in specs
    }
    known = {key: part for key, path in paths.items() if (part := _read_part(path, len(faces)))}
    todo = [(s, spec) for s in sets for spec in specs if (s.name, spec.label) not in known]
    chunks = [(i, np.asarray(faces.faces[i : i + CHUNK])) for i in range(0, len(faces), CHUNK)]
    calls = [
        [partial(score_chunk, spec, mask_set, some, first, features) for first, some in chunks]
        for mask_set, spec in todo
    ]
    # BLAS's threads here and the processes there would wait for each other: it gets one, elsewhere.
    with processes(1) as alone, measured(calls, jobs, "evaluating") as done:
        for i, rows in done:
            mask_set, spec = todo[i]
            of_all = [row for chunk in rows for row in chunk]
            part = alone.submit(Part.of, of_all, faces.people).result()
            part = replace(part, libraries=_versions(spec, features))
            known[mask_set.name, spec.label] = part
            write_json(paths[mask_set.name, spec.label], part.to_dict())
    return known


_loaded: dict[Spec, Candidate] = {}


def score_chunk(
    spec: Spec, mask_set: MaskSet, faces: Photo, first: int, features: Path | None = None
) -> list[Scored]:
    """In a worker: the scores of faces `first`, `first` + 1, ...; models stay loaded."""
    if spec not in _loaded:
        _loaded.clear()  # models come one after the other, and a prior takes 100 MB
        _loaded[spec] = build(spec)
    eye = _eye(features) if features else None
    return [
        score_face(_loaded[spec], face, mask_set, first + i, eye) for i, face in enumerate(faces)
    ]


@lru_cache(maxsize=1)
def _eye(features: Path) -> Eye:
    from unveil.evaluation.perception import Eye

    return Eye.load(features)


def _key(
    spec: Spec, mask_set: MaskSet, sha256: str, people: People | None, features: Path | None
) -> str:
    """A name that changes with the model, its masks, the faces and the code behind the scores.

    Where sets of faces are compared, also with who is on them.
    """
    digest = hashlib.sha256(repr((SCORES, sha256, spec.sha256, spec.detail)).encode())
    digest.update(mask_set.drawn_by(range(3)).encode())
    if features:
        digest.update(features.read_bytes())
        digest.update(repr(None if people is None else people.tolist()).encode())
    seen = (PERCEPTION,) if features else ()
    digest.update(code_sha256(scores.__name__, *modules(spec), *seen).encode())
    # What is the model counts; versions of the rest change roundings, and are noted with the part.
    digest.update(package_version(spec.name).encode())
    return digest.hexdigest()[:12]


def _versions(spec: Spec, features: Path | None) -> dict[str, str]:
    """The packages that scores of a model are measured with."""
    names = [*LIBRARIES, *(["torch"] if features else [])]
    names += [PACKAGES[spec.name]] if spec.name in PACKAGES else []
    return {name: version(name) for name in names}


def _told(parts: Sequence[Part]) -> dict[str, str]:
    """Of each package the versions that measured these parts, all of them where they differ."""
    noted = [part.libraries or dict.fromkeys(LIBRARIES, NOT_NOTED) for part in parts]
    names = sorted({name for each in noted for name in each})
    return {name: ", ".join(sorted({of[name] for of in noted if name in of})) for name in names}


def faces_sha256(faces: Photo) -> str:
    """Over the shape and all pixels, by which results say what faces they are of."""
    digest = hashlib.sha256(repr(faces.shape).encode())
    for face in faces:
        digest.update(face.tobytes())
    return digest.hexdigest()


def _read_part(path: Path, faces: int) -> Part | None:
    """Kept scores; None where there are none, or none that can be read."""
    try:
        return Part.from_dict(json.loads(path.read_text(encoding="utf-8")), faces)
    except (OSError, ValueError):
        return None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write results, at once or not at all; its folder is made.

    Raises:
        DataError: it cannot be written.
    """
    text = json.dumps(value, indent=1, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from None
