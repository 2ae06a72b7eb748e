"""What models are compared on: fixed lists of masks, each drawn from a seed and the face's place.

The masks themselves are not kept: `benchmarks/masks/*.json` holds each one's seed and box, and a
sha256 over all of them, so that anybody can prove that theirs are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from unveil.evaluation import changes
from unveil.evaluation.code import code_sha256
from unveil.imaging import FACE_SIZE, Mask, Photo, grow, occlude, without_colour
from unveil.occlusion import shapes
from unveil.occlusion.compose import compose
from unveil.occlusion.objects.choose import OBJECTS
from unveil.occlusion.objects.choose import draw as draw_layer
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Drawer
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import box_mask, paper_rectangle, rectangle, strokes
from unveil.runtime.detector import WEIGHTS as DETECTOR
from unveil.runtime.weights import find_weights

SEED = 2025
CENTRE = 120  # pixels
# x, y, width and height: brows and eyes, and from the bridge of the nose to under the lower lip.
EYES, NOSE_AND_MOUTH = (66, 108, 124, 48), (78, 148, 100, 68)

Hide = Callable[[Photo, Seeded], tuple[Photo, Mask]]


@dataclass(frozen=True)
class Published:
    """A number of somebody else's, to stand beside ours: on other faces, under other masks.

    Attributes:
        method: as its source calls it.
        model: our model of that method, whose row it stands in.
        psnr: dB, whole face.
        source: where it is from.
    """

    method: str
    model: str
    psnr: float
    source: str


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
        published: what others state for such masks, on their own faces.
        posed: what hides a face turns with the head, which the detector measures.
    """

    name: str
    label: str
    number: int
    hide: Hide
    change: Callable[[Photo], Photo] | None = None
    published: tuple[Published, ...] = ()
    posed: bool = False

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

    def drawn_by(self, faces: Iterable[int]) -> str:
        """Of all that kept scores depend on through what hides the faces: a patch of colours as it
        is hidden at these places, the code behind that, and networks that have a say in it."""
        shown = hashlib.sha256()
        for face in faces:
            for image in self.example(_COLOURS, face):
                shown.update(image.tobytes())
        files = find_weights(DETECTOR).files if self.posed else ()
        # What is drawn asks for every file of it; shapes do not change when a cup does.
        behind = (__name__,) if self.posed else (shapes.__name__, changes.__name__)
        hashes = (shown.hexdigest(), code_sha256(*behind), *(file.sha256 for file in files))
        return " ".join(hashes)


_GREY = np.full((FACE_SIZE, FACE_SIZE, 3), 128, dtype=np.uint8)
_SPREAD = np.arange(_GREY.size, dtype=np.uint32).reshape(_GREY.shape) * 2654435761  # Knuth's hash
_COLOURS: Photo = (_SPREAD >> 24).astype(np.uint8)


def _black(face: Photo, rng: Seeded, draw: Callable[[Seeded], Mask]) -> tuple[Photo, Mask]:
    """A shape painted black, as in the paper."""
    mask = draw(rng)
    return occlude(face, mask), mask


def _box(_: Seeded, box: tuple[int, int, int, int]) -> Mask:
    """The same box on every face."""
    return box_mask(*box)


def _objects(face: Photo, rng: Seeded, draw: Drawer = draw_layer) -> tuple[Photo, Mask]:
    """A drawn realistic occluder that hides something; all that it touches counts as hidden."""
    head = Head.of(face)
    while True:
        floats = rng.floats()
        photo, alpha = compose(face, draw(floats, head), floats)
        if alpha.max() > 0.5:
            return photo, grow(alpha > 1 / 255, 1)


def _centre(_: Seeded) -> Mask:
    """The same hole for every face."""
    corner = (FACE_SIZE - CENTRE) // 2
    return box_mask(corner, corner, CENTRE, CENTRE)


_easy: Hide = partial(_black, draw=partial(rectangle, low=0.10, high=0.15))

PROTOCOLS: dict[str, tuple[MaskSet, ...]] = {
    "paper": (
        MaskSet(
            "rectangle-10-15",
            "rectangle, 10-15 % hidden",
            1,
            _easy,
            published=(Published("the paper's model", "paper", 35.51, "the paper, Table 2"),),
        ),
        MaskSet(
            "rectangle-20-30",
            "rectangle, 20-30 % hidden",
            2,
            partial(_black, draw=partial(rectangle, low=0.20, high=0.30)),
            published=(
                Published("the paper's model", "paper", 30.33, "the paper, Tables 2 and 3"),
                Published("PM", "patchmatch", 28.98, "the paper, Table 3"),
                Published("ShiftNet", "shiftnet", 29.36, "the paper, Table 3"),
                Published("PICNet", "picnet", 28.93, "the paper, Table 3"),
            ),
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
    "objects": (MaskSet("objects", "drawn realistic occluders", 7, _objects, posed=True),),
    "centre": (
        MaskSet(
            "centre-120",
            "120x120 pixels in the middle, 22 % hidden",
            9,
            partial(_black, draw=_centre),
            published=(
                Published(
                    "ShiftNet", "shiftnet", 29.01, "its authors' published outputs on CelebA-HQ"
                ),
            ),
        ),
    ),
    "robust": (
        MaskSet("plain", "as it is", 8, _easy),
        MaskSet("jpeg-30", "JPEG of quality 30", 8, _easy, changes.jpeg),
        MaskSet("grey", "grey", 8, _easy, without_colour),
        MaskSet("dark", "a quarter of the light", 8, _easy, changes.dark),
        MaskSet("night", "a fiftieth of the light", 8, _easy, changes.night),
        MaskSet("turned-20", "turned by 20 degrees", 8, _easy, changes.turned),
        MaskSet("small-64", "64 pixels, enlarged", 8, _easy, changes.small),
    ),
}

# What hides the faces of the pairs of `unveil evaluate --protocol recognition`.
RECOGNITION: tuple[MaskSet, ...] = (
    MaskSet("eyes", "black box over the eyes", 20, partial(_black, draw=partial(_box, box=EYES))),
    MaskSet(
        "nose-mouth",
        "black box over nose and mouth",
        21,
        partial(_black, draw=partial(_box, box=NOSE_AND_MOUTH)),
    ),
    *(
        MaskSet(
            name.replace(" ", "-"),
            name,
            number,
            partial(_objects, draw=OBJECTS[name][0]),
            posed=True,
        )
        for number, name in ((22, "medical mask"), (23, "sunglasses"))
    ),
)


# The masks of the paper's Tables 2 and 3 alone, for a small benchmark.
PROTOCOLS["tables"] = PROTOCOLS["paper"][:2]


def box(mask: Mask) -> tuple[int, int, int, int]:
    """Left, top, width and height of what a mask hides, in pixels.

    >>> box(box_mask(3, 5, 7, 2))
    (3, 5, 7, 2)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def describe(protocol: str, counts: Sequence[int] = (20, 1000)) -> dict[str, Any]:
    """The proof of a protocol's masks: seed, and sha256 over the first faces' masks."""
    return {
        "protocol": protocol,
        "seed": SEED,
        "size": FACE_SIZE,
        "sets": {
            s.name: {
                "label": s.label,
                "number": s.number,
                "sha256": {str(n): s.sha256(range(n)) for n in counts},
            }
            for s in PROTOCOLS[protocol]
        },
    }
