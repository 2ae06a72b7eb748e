"""What models are compared on: fixed lists of masks, each drawn from a seed and the face's place.

The masks themselves are not kept: `benchmarks/masks/*.json` holds a sha256 over them, so that
anybody can prove that theirs are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from unveil.imaging import Mask
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle, rectangle, strokes

SEED = 2025


@dataclass(frozen=True)
class MaskSet:
    """One mask for each face.

    Attributes:
        name: e.g. "rectangle-10-15", part of file names and of the results.
        label: the same for a reader.
        number: sets this set's random stream apart from the others'; never reused.
        draw: a stream -> (256, 256) bool mask, True = hidden.
        published: PSNR in dB of the paper for this coverage, on its own faces.
    """

    name: str
    label: str
    number: int
    draw: Callable[[Seeded], Mask]
    published: float | None = None

    def mask(self, face: int) -> Mask:
        """The mask of the face at place `face` of the test list."""
        return self.draw(Seeded(SEED, self.number, face))

    def sha256(self, faces: Iterable[int]) -> str:
        """Over the masks of these faces, each packed to bits, row by row."""
        digest = hashlib.sha256()
        for face in faces:
            digest.update(np.packbits(self.mask(face)).tobytes())
        return digest.hexdigest()


PROTOCOLS: dict[str, tuple[MaskSet, ...]] = {
    "paper": (
        MaskSet(
            "rectangle-10-15",
            "rectangle, 10-15 % hidden",
            1,
            partial(rectangle, low=0.10, high=0.15),
            published=35.51,
        ),
        MaskSet(
            "rectangle-20-30",
            "rectangle, 20-30 % hidden",
            2,
            partial(rectangle, low=0.20, high=0.30),
            published=30.33,
        ),
        MaskSet("paper-sampler", "the paper's sampler, 4-15 % hidden", 3, paper_rectangle),
    ),
    "strokes": (
        MaskSet("strokes-10-20", "strokes, 10-20 % hidden", 4, partial(strokes, low=0.1, high=0.2)),
        MaskSet("strokes-20-30", "strokes, 20-30 % hidden", 5, partial(strokes, low=0.2, high=0.3)),
        MaskSet("strokes-30-40", "strokes, 30-40 % hidden", 6, partial(strokes, low=0.3, high=0.4)),
    ),
}


def describe(protocol: str, counts: Sequence[int] = (20, 1000)) -> dict[str, Any]:
    """The proof of a protocol's masks: seed, and sha256 over the first faces' masks."""
    return {
        "protocol": protocol,
        "seed": SEED,
        "size": 256,
        "sets": {
            s.name: {
                "label": s.label,
                "number": s.number,
                "sha256": {str(n): s.sha256(range(n)) for n in counts},
            }
            for s in PROTOCOLS[protocol]
        },
    }
