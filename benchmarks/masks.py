"""Writes `masks/`: what proves that the masks of a benchmark are the same on every machine.

    python benchmarks/masks.py

`PROTOCOL.json`: the seed and a sha256 over the masks of each set. `boxes.csv`: of each set and each
of the first 1,000 faces, the seed and the box around what is hidden; a rectangle is its box.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from unveil.evaluation.benchmark import write_json
from unveil.evaluation.protocols import PROTOCOLS, SEED, box, describe
from unveil.files import write_bytes
from unveil.progress import track

FOLDER = Path(__file__).parent / "masks"
FACES = 1000


def main() -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["seed", "set", "face", "left", "top", "width", "height"])
    numbers = set()
    for protocol, sets in PROTOCOLS.items():
        write_json(FOLDER / f"{protocol}.json", describe(protocol, (20, FACES)))
        for mask_set in sets:
            if mask_set.number not in numbers:
                numbers.add(mask_set.number)
                for place in track(range(FACES), mask_set.name, FACES):
                    rows.writerow([SEED, mask_set.number, place, *box(mask_set.mask(place))])
    write_bytes(FOLDER / "boxes.csv", text.getvalue().encode())


if __name__ == "__main__":
    main()
