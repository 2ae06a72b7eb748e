"""Does restoration help recognition? Pairs of photos, hidden in part, restored, and compared.

Every photo is aligned once, as it is without an occluder; so what is measured is the hidden part,
not the detector. No training here has seen a recogniser. Embeddings are kept under `.cache/`, named
by a hash of faces, masks, weights and all code that they go through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from unveil import restorer
from unveil.evaluation import recognisers
from unveil.evaluation.aligned_pairs import AlignedPairs
from unveil.evaluation.arms import AS_IS, CLEAN, Arm
from unveil.evaluation.baselines import package_version
from unveil.evaluation.benchmark import CACHE, CHUNK
from unveil.evaluation.candidates import build, modules
from unveil.evaluation.code import code_sha256
from unveil.evaluation.protocols import MaskSet
from unveil.evaluation.recognisers import Array, Recogniser
from unveil.evaluation.workers import measured
from unveil.files import atomic_path
from unveil.imaging import Mask, Photo, as_colourful
from unveil.runtime.model import Manner

Treat = Callable[[Photo, Mask], Photo]


def treatment(arm: Arm) -> Treat:
    """Load a model: (occluded face, what is hidden) -> restored face, known pixels kept.

    Models with weights of their own do as `unveil restore --aligned` does.
    """
    if "mask" not in dict(arm.spec.sha256):
        candidate = build(arm.spec)
        return lambda face, mask: np.where(mask[..., None], candidate.restore(face, mask), face)
    whole = restorer.Restorer(arm.spec.name, threads=1)

    def treat(face: Photo, mask: Mask) -> Photo:
        found = whole.find(face, aligned=True) if arm.found else mask
        if found is None or not found.any():
            return face
        filled: Photo = whole.model.fill(face[None], found[None], Manner(arm.spec.detail))[0]
        as_colourful(filled, face, found)
        return filled

    return treat


_loaded: dict[Arm, Treat] = {}


def embed_chunk(
    arm: Arm | None,
    mask_set: MaskSet | None,
    faces: Photo,
    places: Sequence[int],
    judges: Sequence[Recogniser],
) -> Array:
    """In a worker: embeddings of faces (n, 256, 256, 3), hidden as at their places, treated.

    Without a mask set, of clean faces; without an arm, of occluded ones as they are. Those of
    several recognisers lie side by side.
    """
    if mask_set is not None:
        shown = []
        for face, place in zip(faces, places, strict=True):
            _, occluded, mask = mask_set.example(np.ascontiguousarray(face), place)
            shown.append(occluded if arm is None else _treat(arm)(occluded, mask))
        faces = np.stack(shown)
    return np.concatenate([judge.embed(faces) for judge in judges], axis=1)


def _treat(arm: Arm) -> Treat:
    if arm not in _loaded:
        _loaded.clear()  # a prior takes 100 MB
        _loaded[arm] = treatment(arm)
    return _loaded[arm]


Part = tuple[str, str]  # a mask set's name and an arm's label; "" and CLEAN, or AS_IS
Task = tuple[Arm | None, MaskSet | None]


def embeddings(
    arms: Sequence[Arm],
    sets: Sequence[MaskSet],
    faces: AlignedPairs,
    out: Path,
    jobs: int,
    judges: Sequence[Recogniser],
) -> dict[str, dict[Part, Array]]:
    """By recogniser, embeddings of all photos: clean, occluded by each set, treated by each arm."""
    todo: dict[Part, Task] = {("", CLEAN): (None, None)}
    for mask_set in sets:
        todo[mask_set.name, AS_IS] = (None, mask_set)
        todo |= {(mask_set.name, arm.alone.label): (arm.alone, mask_set) for arm in arms}
    common = hashlib.sha256(faces.faces.tobytes())
    common.update(Path(__file__).read_bytes())  # how faces are treated
    common.update(repr(faces.places).encode())
    for trained in (path for judge in judges for path in judge.files):
        common.update(trained.read_bytes())
    paths, known = {}, {}
    for part, (arm, hidden) in todo.items():
        digest = common.copy()
        # The prior's content counts, which its sha256 says, and not its path.
        digest.update(repr(arm and replace(arm, spec=replace(arm.spec, prior=None))).encode())
        digest.update(hidden.drawn_by(range(3)).encode() if hidden else b"")
        digest.update((_code(arm) + package_version(arm.spec.name if arm else "")).encode())
        name = f"recognition-{part[0] or CLEAN}-{part[1]}-{digest.hexdigest()[:12]}.npy"
        paths[part] = out / CACHE / name
        kept = _read(paths[part], (len(faces.places), sum(judge.length for judge in judges)))
        if kept is not None:
            known[part] = kept
    missing = [part for part in todo if part not in known]
    starts = range(0, len(faces.places), CHUNK)
    chunks = [(faces.faces[i : i + CHUNK], faces.places[i : i + CHUNK]) for i in starts]
    calls = [
        [partial(embed_chunk, *todo[part], some, places, judges) for some, places in chunks]
        for part in missing
    ]
    with measured(calls, jobs, "recognising") as done:
        for i, rows in done:
            part = missing[i]
            known[part] = np.concatenate(rows)
            with atomic_path(paths[part]) as target, open(target, "wb") as file:
                np.save(file, known[part])
    by_judge, start = {}, 0
    for judge in judges:
        columns = slice(start, start + judge.length)
        by_judge[judge.name] = {part: array[:, columns] for part, array in known.items()}
        start += judge.length
    return by_judge


def _code(arm: Arm | None) -> str:
    """A hash of the code that embeddings go through."""
    names: tuple[str, ...] = (recognisers.__name__,)
    if arm:
        whole = "mask" in dict(arm.spec.sha256)
        names += (restorer.__name__,) if whole else modules(arm.spec)
    return code_sha256(*names)


def _read(path: Path, shape: tuple[int, int]) -> Array | None:
    """Kept embeddings; None where there are none, or none that can be read."""
    try:
        array = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape else None
