"""The faces of listed pairs of photos, found and cut to the canonical frame."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from unveil.data import pairs as photo_pairs
from unveil.data.pairs import PhotoPairs, read_photo
from unveil.data.sources import Entry
from unveil.evaluation.benchmark import CACHE, CHUNK, write_json
from unveil.evaluation.code import code_sha256
from unveil.evaluation.workers import processes
from unveil.faces import align, detect
from unveil.imaging import FACE_SIZE, Photo
from unveil.progress import track
from unveil.runtime.detector import WEIGHTS as DETECTOR
from unveil.runtime.weights import find_weights


def find_points(entries: Sequence[Entry]) -> list[list[list[float]] | None]:
    """In a worker: the five points of the face nearest to the middle of each photo; None: none."""
    found = []
    for entry in entries:
        photo = read_photo(entry)
        middle = np.array(photo.shape[1::-1]) / 2
        detections = _detector().find(photo)
        points = [d.points for d in detections]
        nearest = min(points, key=lambda p: float(np.hypot(*(p.mean(0) - middle))), default=None)
        found.append(None if nearest is None else nearest.round(2).tolist())
    return found


def _detection() -> str:
    """What the points depend on beside the photos: this file, the code behind it, the weights."""
    parts = (
        Path(__file__).read_text(encoding="utf-8"),
        code_sha256(detect.__name__, photo_pairs.__name__),
        *(file.sha256 for file in find_weights(DETECTOR).files),
    )
    return repr(parts)


@lru_cache(maxsize=1)
def _detector() -> detect.FaceDetector:
    return detect.FaceDetector(threads=1)


@dataclass(frozen=True)
class AlignedPairs:
    """The aligned faces of listed pairs.

    Attributes:
        pairs: those of which both photos show a face.
        faces: (N, 256, 256, 3) uint8, one for each of their photos.
        places: (N,) the number of each photo, which decides what hides it.
        left_out: pairs with a photo in which no face was found.
    """

    pairs: PhotoPairs
    faces: Photo
    places: tuple[int, ...]
    left_out: int


def align_photos(pairs: PhotoPairs, out: Path, jobs: int) -> AlignedPairs:
    """Find and cut the face of each photo; the points are kept under `out`.

    Raises:
        DataError: a photo or `out` cannot be read or written.
    """
    digest = hashlib.sha256(_detection().encode())
    for entry in pairs.photos:
        digest.update(entry.name.encode())
        digest.update(entry.read())
    path = out / CACHE / f"points-{digest.hexdigest()[:12]}.json"
    try:
        points = json.loads(path.read_text(encoding="utf-8"))["points"]
    except (OSError, ValueError, KeyError):
        chunks = [pairs.photos[i : i + CHUNK] for i in range(0, len(pairs.photos), CHUNK)]
        with processes(jobs) as pool:
            done = track(pool.map(find_points, chunks), "finding faces", len(chunks))
            points = [each for chunk in done for each in chunk]
        write_json(path, {"points": points})
    seen = np.array([each is not None for each in points])
    keep = seen[pairs.first] & seen[pairs.second]
    chosen = pairs.chosen(keep)
    place = {entry.name: i for i, entry in enumerate(pairs.photos)}
    places = tuple(place[entry.name] for entry in chosen.photos)
    faces = np.empty((len(places), FACE_SIZE, FACE_SIZE, 3), np.uint8)
    for face, i, entry in zip(faces, places, chosen.photos, strict=True):
        face[:] = align.cut(read_photo(entry), align.fit(np.array(points[i])))
    return AlignedPairs(chosen, faces, places, int((~keep).sum()))
