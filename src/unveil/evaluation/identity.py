"""Does restoration help recognition? Pairs of photos, hidden in part, restored, and compared.

Every photo is aligned once, as it is without an occluder; so what is measured is the hidden part,
not the detector. The recogniser is dlib's (`models.dlib_face`), which no training here has seen.
Embeddings are kept under `.cache/`, named by a hash of all they depend on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil import imaging, restorer
from unveil.errors import UsageError
from unveil.evaluation import baselines, protocols
from unveil.evaluation.aligned_pairs import AlignedPairs
from unveil.evaluation.benchmark import CACHE, CHUNK
from unveil.evaluation.candidates import Spec, build, specify
from unveil.evaluation.protocols import MaskSet
from unveil.evaluation.workers import processes
from unveil.faces import blend
from unveil.files import atomic_path
from unveil.imaging import Mask, Photo
from unveil.models import dlib_face, eigenface
from unveil.occlusion import compose
from unveil.progress import track
from unveil.runtime import model, session
from unveil.runtime.model import Manner

Array = NDArray[np.float32]

FOUND = "+found"
# The code that embeddings depend on.
CODE = (
    baselines,
    blend,
    compose,
    dlib_face,
    eigenface,
    imaging,
    model,
    protocols,
    restorer,
    session,
)


@dataclass(frozen=True)
class Arm:
    """One way to treat an occluded face before it is recognised.

    Attributes:
        label: as given to `--models`, without folders.
        spec: the model.
        found: the model also finds what is hidden; else it is told.
    """

    label: str
    spec: Spec
    found: bool

    @classmethod
    def of(cls, name: str, prior: Path | None = None) -> Arm:
        """NAME of a model, NAME@DETAIL and, where the model is to find what is hidden, +found.

        Raises:
            UsageError: a detail that is none, or a model that does not look for occluders.
            WeightsError: no such model.
        """
        base, found = name.removesuffix(FOUND), name.endswith(FOUND)
        spec = specify(base, prior)
        if found and "mask" not in dict(spec.sha256):
            raise UsageError(f"--models {name}: it does not look for occluders")
        return cls(spec.label + (FOUND if found else ""), spec, found)


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
        return filled

    return treat


def embed(faces: Photo) -> Array:
    """Aligned faces (N, 256, 256, 3) uint8 -> embeddings (N, 128)."""
    import torch

    top, left, side = dlib_face.TOP, dlib_face.LEFT, dlib_face.SIDE
    chips = faces[:, top : top + side, left : left + side]
    batch = torch.from_numpy(chips.transpose(0, 3, 1, 2).astype(np.float32))
    with torch.inference_mode():
        return np.asarray(_recogniser()(batch).numpy(), dtype=np.float32)


@lru_cache(maxsize=1)
def _recogniser() -> dlib_face.DlibFace:
    return dlib_face.DlibFace.load()


_loaded: dict[Arm, Treat] = {}


def embed_chunk(
    arm: Arm | None, mask_set: MaskSet | None, faces: Photo, places: Sequence[int]
) -> Array:
    """In a worker: embeddings of faces (n, 256, 256, 3), hidden as at their places, treated.

    Without a mask set, of clean faces; without an arm, of occluded ones as they are.
    """
    if mask_set is not None:
        shown = []
        for face, place in zip(faces, places, strict=True):
            _, occluded, mask = mask_set.example(np.ascontiguousarray(face), place)
            shown.append(occluded if arm is None else _treat(arm)(occluded, mask))
        faces = np.stack(shown)
    return embed(faces)


def _treat(arm: Arm) -> Treat:
    if arm not in _loaded:
        _loaded.clear()  # a prior takes 100 MB
        _loaded[arm] = treatment(arm)
    return _loaded[arm]


Part = tuple[str, str]  # a mask set's name and an arm's label; "" and CLEAN, or AS_IS
Task = tuple[Arm | None, MaskSet | None]
CLEAN, AS_IS = "clean", "occluded"


def embeddings(
    arms: Sequence[Arm], sets: Sequence[MaskSet], faces: AlignedPairs, out: Path, jobs: int
) -> dict[Part, Array]:
    """Embeddings (N, 128) of all photos: clean, occluded by each set, and treated by each arm."""
    todo: dict[Part, Task] = {("", CLEAN): (None, None)}
    for mask_set in sets:
        todo[mask_set.name, AS_IS] = (None, mask_set)
        todo |= {(mask_set.name, arm.label): (arm, mask_set) for arm in arms}
    common = hashlib.sha256(faces.faces.tobytes())
    common.update(repr(faces.places).encode())
    for module in CODE:
        common.update(Path(str(module.__file__)).read_bytes())
    common.update(dlib_face.trained_file().read_bytes())
    paths, known = {}, {}
    for part, (arm, hidden) in todo.items():
        digest = common.copy()
        # The prior's content counts, which its sha256 says, and not its path.
        digest.update(repr(arm and replace(arm, spec=replace(arm.spec, prior=None))).encode())
        digest.update(hidden.sha256(range(3)).encode() if hidden else b"")
        name = f"recognition-{part[0] or CLEAN}-{part[1]}-{digest.hexdigest()[:12]}.npy"
        paths[part] = out / CACHE / name
        kept = _read(paths[part], len(faces.places))
        if kept is not None:
            known[part] = kept
    for part, array in _measure({p: t for p, t in todo.items() if p not in known}, faces, jobs):
        with atomic_path(paths[part]) as partial, open(partial, "wb") as file:
            np.save(file, array)
        known[part] = array
    return known


def _measure(
    todo: dict[Part, Task], faces: AlignedPairs, jobs: int
) -> Iterator[tuple[Part, Array]]:
    """Each part as soon as its last chunk is done."""
    starts = range(0, len(faces.places), CHUNK)
    bar = iter(track(range(len(todo) * len(starts)), "recognising"))
    with processes(jobs) as pool:
        for part, (arm, mask_set) in todo.items():
            futures: dict[Future[Array], int] = {}
            for start in starts:
                chunk = faces.faces[start : start + CHUNK]
                places = faces.places[start : start + CHUNK]
                futures[pool.submit(embed_chunk, arm, mask_set, chunk, places)] = start
            done = {}
            for future in as_completed(futures):
                next(bar)
                done[futures[future]] = future.result()
            yield part, np.concatenate([done[start] for start in starts])
        next(bar, None)


def _read(path: Path, n: int) -> Array | None:
    """Kept embeddings; None where there are none, or none that can be read."""
    try:
        array = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == (n, dlib_face.LENGTH) else None
