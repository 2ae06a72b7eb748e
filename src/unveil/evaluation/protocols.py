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

from unveil.evaluation import changes
from unveil.imaging import FACE_SIZE, Mask, Photo, grow, occlude, without_colour
from unveil.occlusion.compose import compose
from unveil.occlusion.objects.choose import draw as draw_layer
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle, rectangle, strokes

SEED = 2025


Hide = Callable[[Photo, Seeded], tuple[Photo, Mask]]


@dataclass(frozen=True)
class MaskSet:
    """One occluder for each face.

    Attributes:
        name: e.g. "rectangle-10-15", part of file names and of the results.
        label: the same for a reader.
        number: sets this set's random stream apart from the others'; never reused.
        hide: a clean face (256, 256, 3) and a stream -> the occluded face, and what of it is
            hidden, (256, 256) bool, True = hidden.
        change: done to the clean face before anything hides it (a photo of another kind).
        published: PSNR in dB of the paper for this coverage, on its own faces.
    """

    name: str
    label: str
    number: int
    hide: Hide
    change: Callable[[Photo], Photo] | None = None
    published: float | None = None

    def example(self, face: Photo, place: int) -> tuple[Photo, Photo, Mask]:
        """The face at place `place` of the test list: clean, occluded, hidden."""
        clean = self.change(face) if self.change else face
        return (clean, *self.hide(clean, Seeded(SEED, self.number, place)))

    def mask(self, place: int) -> Mask:
        """What is hidden of a plain grey face at that place: all faces' where shapes hide them."""
        return self.hide(_GREY, Seeded(SEED, self.number, place))[1]

    def sha256(self, faces: Iterable[int]) -> str:
        """Over the masks of these faces, each packed to bits, row by row."""
        digest = hashlib.sha256()
        for face in faces:
            digest.update(np.packbits(self.mask(face)).tobytes())
        return digest.hexdigest()


_GREY = np.full((FACE_SIZE, FACE_SIZE, 3), 128, dtype=np.uint8)


def _black(face: Photo, rng: Seeded, draw: Callable[[Seeded], Mask]) -> tuple[Photo, Mask]:
    """A shape painted black, as in the paper."""
    mask = draw(rng)
    return occlude(face, mask), mask


def _objects(face: Photo, rng: Seeded) -> tuple[Photo, Mask]:
    """A drawn realistic occluder that hides something; all that it touches counts as hidden."""
    while True:
        floats = np.random.Generator(np.random.PCG64(rng.integer(0, 2**62)))
        photo, alpha = compose(face, draw_layer(floats, face.shape[0]), floats)
        if alpha.max() > 0.5:
            return photo, grow(alpha > 1 / 255, 1)


_easy: Hide = partial(_black, draw=partial(rectangle, low=0.10, high=0.15))

PROTOCOLS: dict[str, tuple[MaskSet, ...]] = {
    "paper": (
        MaskSet(
            "rectangle-10-15",
            "rectangle, 10-15 % hidden",
            1,
            _easy,
            published=35.51,
        ),
        MaskSet(
            "rectangle-20-30",
            "rectangle, 20-30 % hidden",
            2,
            partial(_black, draw=partial(rectangle, low=0.20, high=0.30)),
            published=30.33,
        ),
        MaskSet(
            "paper-sampler",
            "the paper's sampler, 4-15 % hidden",
            3,
            partial(_black, draw=paper_rectangle),
        ),
    ),
    "strokes": tuple(
        MaskSet(
            f"strokes-{low}-{low + 10}",
            f"strokes, {low}-{low + 10} % hidden",
            number,
            partial(_black, draw=partial(strokes, low=low / 100, high=low / 100 + 0.1)),
        )
        for number, low in ((4, 10), (5, 20), (6, 30))
    ),
    "objects": (MaskSet("objects", "drawn realistic occluders", 7, _objects),),
    "robust": (
        MaskSet("plain", "as it is", 8, _easy),
        MaskSet("jpeg-30", "JPEG of quality 30", 8, _easy, changes.jpeg),
        MaskSet("grey", "grey", 8, _easy, without_colour),
        MaskSet("dark", "a quarter of the light", 8, _easy, changes.dark),
        MaskSet("turned-20", "turned by 20 degrees", 8, _easy, changes.turned),
        MaskSet("small-64", "64 pixels, enlarged", 8, _easy, changes.small),
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
