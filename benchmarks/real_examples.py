"""Faces of a data set that wear something already, with its mask, as examples for the segmenter.

    python benchmarks/real_examples.py --data celeba/train-0.tar --data celeba/train-1.tar \\
        --data celeba/train-2.tar --data celeba/train-3.tar -o real/
    unveil train --preset segmenter --examples real/ ...

`training/real_examples.npz` names the faces and holds their masks: sunglasses, hands, microphones
and the like, and, with an empty mask, clear glasses, dark eyes and hats, which are to stay. How the
masks were made is said in `training/README.md`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from unveil.data.faces import load_faces
from unveil.files import encode, write_bytes
from unveil.progress import track
from unveil.training.real_examples import MASK

LABELS = Path(__file__).parent / "training" / "real_examples.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    faces = load_faces(arguments.data)
    place = {name: i for i, name in enumerate(faces.names)}
    with np.load(LABELS) as labels:
        names, masks = labels["names"], np.unpackbits(labels["masks"], axis=2)
    missing = set(names) - place.keys()
    if missing:
        raise SystemExit(f"the data lack {min(missing)} and {len(missing) - 1} others")
    arguments.out.mkdir(parents=True, exist_ok=True)
    pairs = zip(names, masks, strict=True)
    for name, mask in track(pairs, "writing examples", len(names)):
        stem = arguments.out / Path(name).stem
        write_bytes(stem.with_suffix(".png"), encode(np.asarray(faces.face(place[name])), "PNG"))
        white = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
        write_bytes(stem.with_suffix(MASK), encode(white, "PNG"))


if __name__ == "__main__":
    main()
