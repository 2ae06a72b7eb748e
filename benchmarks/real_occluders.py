"""What hides real faces in photos that no training saw: is it found, and what is found elsewhere?

    python benchmarks/real_occluders.py lfw/images.tar

Drawn occluders cannot tell whether a segmenter knows what people really wear: it may have learnt
what drawn ones look like. So all photos of Labeled Faces in the Wild were looked at, those of the
folds that `pairs.csv` lists, and `real_occluders.csv` names the ones in which sunglasses hide the
eyes, or a hand or a thing a part of the face. Only the person in the middle of each photo counts.
Found: of sunglasses, half of the two ellipses where eyes are; of the others, anything. In the
photos that are not listed most of what is found is a mistake; some wear a hat.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from unveil import __version__
from unveil.data.pairs import read_photo
from unveil.data.sources import list_entries
from unveil.evaluation.parts import stamp
from unveil.evaluation.real_occluders import NOTHING
from unveil.faces.detect import Detection
from unveil.files import write_bytes
from unveil.imaging import FACE_SIZE, Mask, Photo
from unveil.outline import Aligned, Seen
from unveil.output import tinted
from unveil.progress import track
from unveil.restorer import Restorer
from unveil.runtime.weights import DEFAULT_MODEL

LABELS = Path(__file__).with_suffix(".csv")
RESULTS = Path(__file__).parent / "results" / "real_occluders.json"
SUNGLASSES = "sunglasses"
# Middles and half axes of the eyes in the aligned face's frame.
EYES, AXES = ((99, 132), (155, 132)), (20, 12)


def eyes() -> Mask:
    """Where the two eyes lie in an aligned face."""
    drawn = np.zeros((FACE_SIZE, FACE_SIZE), np.uint8)
    for middle in EYES:
        cv2.ellipse(drawn, middle, AXES, 0, 0, 360, 1, -1)
    return drawn > 0


def middle_face(photo: Photo, restorer: Restorer) -> Detection | None:
    """The face nearest to the photo's middle."""
    middle = np.array(photo.shape[1::-1]) / 2
    found = restorer.detector.find(photo)
    return min(found, key=lambda d: np.linalg.norm(d.points.mean(0) - middle), default=None)


def is_found(kind: str, hidden: Mask) -> bool:
    return bool(hidden[eyes()].mean() >= 0.5) if kind == SUNGLASSES else bool(hidden.any())


def tile(one: Aligned) -> Photo:
    """The aligned face beside itself with what was found, to look at."""
    return np.hstack([one.face, tinted(one.face, one.hidden)])[::2, ::2]


def sheet(tiles: list[Photo], columns: int = 6) -> Photo:
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photos", type=Path, help="images.tar of LFW, or its folder")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--sheet", type=Path, help="a folder for pictures to look at")
    parser.add_argument("-o", "--out", type=Path, default=RESULTS, help="default: the committed")
    arguments = parser.parse_args()
    if arguments.out.is_dir():  # said now, and not after half an hour
        parser.error(f"{arguments.out} is a folder; -o is the file of results")
    restorer = Restorer(arguments.model, threads=1)
    with LABELS.open(encoding="utf-8", newline="") as file:
        labels = {row["image"]: row["kind"] for row in csv.DictReader(file)}
    entries = list_entries(arguments.photos)
    missing = labels.keys() - {e.name for e in entries}
    if missing:
        raise SystemExit(f"{arguments.photos} lacks {min(missing)} and {len(missing) - 1} others")
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    tiles: dict[str, list[Photo]] = defaultdict(list)
    for entry in track(entries, "looking at photos", len(entries)):
        photo = read_photo(entry)
        face = middle_face(photo, restorer)
        if face is None:
            raise SystemExit(f"{entry.name}: no face found")
        kind = labels.get(entry.name, NOTHING)
        [one] = restorer.outliner.align([Seen(photo, face)])
        found = is_found(kind, one.hidden)
        counts[kind][0] += found
        counts[kind][1] += 1
        if arguments.sheet and (found or kind != NOTHING):
            tiles[kind].append(tile(one))
    results = {
        "protocol": "real_occluders",
        "data": {"name": "Labeled Faces in the Wild, two of its folds", "photos": len(entries)},
        "unveil": __version__,
        "machine": f"{platform.machine()}, {platform.system()}",
        "kinds": {kind: {"found": f, "photos": n} for kind, (f, n) in sorted(counts.items())},
    }
    stamp(results, "kinds", arguments.model)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(arguments.out, (json.dumps(results, indent=1) + "\n").encode())
    print(json.dumps(results["kinds"], indent=1))
    for kind, of in tiles.items():
        arguments.sheet.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(arguments.sheet / f"{kind}.png"), sheet(of)[..., ::-1])


if __name__ == "__main__":
    main()
