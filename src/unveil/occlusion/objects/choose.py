"""Which occluder a face gets: a literal table of every family, RGBA files, or two worn at once."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from unveil.errors import UsageError
from unveil.occlusion.objects import (
    eyewear,
    face_masks,
    goggles,
    hands,
    headwear,
    held,
    hoods,
    plain,
    respirators,
    scarves,
    strands,
)
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Drawer, Layer

# How often each is drawn, against the others.
OBJECTS: dict[str, tuple[Drawer, float]] = {
    "medical mask": (face_masks.medical, 20),
    "cloth mask": (face_masks.cloth, 12),
    "respirator": (respirators.respirator, 7),
    "sunglasses": (eyewear.sunglasses, 13),
    "shield": (eyewear.shield, 2),
    "ski goggles": (goggles.ski_goggles, 2),
    "swim goggles": (goggles.swim_goggles, 1),
    "sleep mask": (goggles.sleep_mask, 1),
    "eye patch": (goggles.eye_patch, 1),
    "clear glasses": (eyewear.clear_glasses, 4),
    "hand": (hands.hand, 9),
    "glove": (hands.glove, 2),
    "cup": (held.FAMILIES["cup"], 2),
    "glass": (held.FAMILIES["glass"], 3),
    "bottle": (held.FAMILIES["bottle"], 1.5),
    "phone": (held.FAMILIES["phone"], 2),
    "book": (held.FAMILIES["book"], 0.7),
    "paper": (held.FAMILIES["paper"], 0.7),
    "microphone": (held.FAMILIES["microphone"], 1.5),
    "ice cream": (held.FAMILIES["ice cream"], 0.6),
    "flowers": (held.FAMILIES["flowers"], 0.8),
    "ball": (held.FAMILIES["ball"], 1.5),
    "fringe": (strands.fringe, 2),
    "locks": (strands.locks, 2),
    "stray hair": (strands.stray, 2),
    "rectangle": (plain.rectangle, 2),
    "ellipse": (plain.ellipse, 1),
    "polygon": (plain.polygon, 1.5),
    "blob": (plain.blob, 1.5),
    "stripe": (plain.stripe, 1),
    "sticker": (plain.sticker, 1.5),
    "bar": (plain.bar, 1.5),
    "beanie": (headwear.beanie, 5),
    "cap": (headwear.cap, 5),
    "hat": (headwear.brimmed_hat, 6),
    "hood or headscarf": (hoods.hood_or_headscarf, 5),
    "scarf": (scarves.scarf, 4),
    "gaiter": (scarves.gaiter, 4),
    "balaclava": (scarves.balaclava, 2),
}
# What is worn together, the lower first: the upper lies over it.
PAIRS: tuple[tuple[str, str], ...] = (
    ("medical mask", "sunglasses"),
    ("medical mask", "cap"),
    ("medical mask", "beanie"),
    ("cloth mask", "sunglasses"),
    ("cloth mask", "hat"),
    ("respirator", "hood or headscarf"),
    ("scarf", "beanie"),
    ("scarf", "hat"),
    ("gaiter", "sunglasses"),
    ("gaiter", "ski goggles"),
    ("gaiter", "cap"),
    ("balaclava", "ski goggles"),
    ("sunglasses", "cap"),
    ("sunglasses", "beanie"),
    ("sunglasses", "hat"),
    ("medical mask", "hand"),
    ("sunglasses", "hand"),
)
PAIR_SHARE = 0.12  # of the draws
FILE_SHARE = 0.4  # of the draws, where there are files


class Occluders(Protocol):
    """Something else to draw from, such as a folder of RGBA files."""

    def draw(self, rng: np.random.Generator, head: Head) -> Layer:
        """One occluder in the canonical frame."""


def draw(rng: np.random.Generator, head: Head, files: Occluders | None = None) -> Layer:
    """One random occluder (or two worn at once).

    Floats may differ in the last bit between machines and between versions of numpy; on one of
    them, the same state of `rng` gives the same layer.

    Args:
        head: of the face that is to wear it.
        files: taken in `FILE_SHARE` of the draws.
    """
    if files is not None and rng.random() < FILE_SHARE:
        return files.draw(rng, head)
    if rng.random() < PAIR_SHARE:
        lower, upper = PAIRS[int(rng.integers(len(PAIRS)))]
        return over(draw_named(lower, rng, head), draw_named(upper, rng, head))
    share = np.cumsum([weight for _, weight in OBJECTS.values()])
    at = int(np.searchsorted(share, rng.random() * share[-1], side="right"))
    return draw_named(list(OBJECTS)[at], rng, head)


def draw_named(name: str, rng: np.random.Generator, head: Head) -> Layer:
    """One occluder of the family `name`, of `OBJECTS`.

    Raises:
        UsageError: there is no such family.
    """
    if name not in OBJECTS:
        raise UsageError(f"no occluder {name!r}; there are {', '.join(OBJECTS)}")
    return OBJECTS[name][0](rng, head)


def over(lower: Layer, upper: Layer) -> Layer:
    """`upper` worn over `lower`, as one layer; what is clear adds nothing to hide.

    The two have one `clear` between them, so a clear layer cannot be joined to one that hides.
    """
    if lower.clear != upper.clear:
        raise ValueError("a clear layer and one that hides have no mask in common")
    below = lower.alpha * (1 - upper.alpha)
    alpha = upper.alpha + below
    part = upper.alpha / np.maximum(alpha, np.float32(1e-6))
    pairs = zip(cv2.split(lower.colour), cv2.split(upper.colour), strict=True)
    colour: Array = cv2.merge([a + part * (b - a) for a, b in pairs]).astype(np.float32, copy=False)
    return Layer(colour, alpha, max(lower.lift, upper.lift), lower.clear)
