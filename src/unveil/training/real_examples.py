"""Photos of people behind real occluders, with masks that somebody made of them.

What people wear and hold looks otherwise than what is drawn on them, and faces of a data set that
wear it teach, as long as they count as clean, that it belongs to a face. There are few of them, so
what they wear and hold is also cut out and put on other faces (as in "Simple Copy-Paste", Ghiasi et
al., 2021), by the same light, shadow and camera as what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.data.sources import Entry, decode_face, list_entries
from unveil.errors import DataError, ImageError, MaskError
from unveil.files import read_mask
from unveil.imaging import Mask, Photo, resize_mask
from unveil.occlusion.compose import compose
from unveil.occlusion.light import estimate, shine_on
from unveil.occlusion.objects.layer import Layer
from unveil.occlusion.seeded import Seeded
from unveil.training.augment import misalign
from unveil.training.examples import Example

# NAME.png is a face, NAME.mask.png its mask, as `unveil segment` writes it.
MASK = ".mask.png"
# Of the draws, those that something hides; of the others what is worn belongs to the face. Of what
# hides something, what is held: it lies below the eyes, at so much of the side.
HIDDEN_SHARE, HELD_SHARE, BELOW_EYES = 0.7, 0.4, 0.6
# Of what hides something, how much goes on to another face, and how far it may move there
# (`misalign`): what is worn less than what is held.
WORN_BY_ANOTHER, WORN_ASTRAY, HELD_ASTRAY = 0.6, 0.4, 1.2
# Masks are a pixel or two wider than what they are of: its own skin must not come along.
RIM = 1
# A mask of yes and no has no soft edge; an occluder's in a photo is about so wide, in pixels.
SOFT_EDGE = 0.8


@dataclass(frozen=True)
class RealExamples:
    """Aligned faces and what hides them.

    Attributes:
        faces: (N, S, S, 3) uint8.
        masks: (N, S, S) bool, True = hidden; nothing, for one who wears what is to stay.
    """

    faces: Photo
    masks: NDArray[np.bool_]

    @classmethod
    def load(cls, folder: Path, size: int) -> RealExamples:
        """Read a folder of NAME.png, aligned faces, and NAME.mask.png, white = hidden.

        Raises:
            DataError: it has none, or one cannot be read, or lacks its mask; names it.
        """
        entries = list_entries(folder)  # which leaves masks out
        if not entries:
            raise DataError(f"{folder}: no faces with a mask")
        faces = [_read_face(entry, size) for entry in entries]
        masks = [_read_mask(entry, size) for entry in entries]
        return cls(np.stack(faces), np.stack(masks))

    @cached_property
    def _places(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Of those whom something worn hides, something held, and nothing: none of them empty."""
        heights = np.array([_height(mask) for mask in self.masks])
        hidden, every = ~np.isnan(heights), np.ones(len(heights), np.bool_)
        low = hidden & (heights > BELOW_EYES)

        def first(*groups: NDArray[np.bool_]) -> NDArray[np.intp]:
            return next(np.flatnonzero(group) for group in (*groups, every) if group.any())

        return first(hidden & ~low, hidden), first(low, hidden), first(~hidden)

    def draw(self, face: Photo, rng: Seeded) -> Example:
        """One of them, mirrored or not, or what one of them wears on another face.

        Args:
            face: (S, S, 3) uint8, the other face.
        """
        worn, held, bare = self._places
        hidden = held if rng.integer(0, 999) < 1000 * HELD_SHARE else worn
        places = hidden if rng.integer(0, 999) < 1000 * HIDDEN_SHARE else bare
        place = places[rng.integer(0, len(places) - 1)]
        photo, mask = self.faces[place], self.masks[place]
        if rng.integer(0, 1):
            photo, mask = photo[:, ::-1], mask[:, ::-1]
        photo, mask = np.ascontiguousarray(photo), np.ascontiguousarray(mask)
        if mask.any() and rng.integer(0, 999) < 1000 * WORN_BY_ANOTHER:
            floats = rng.floats()
            return Example(face, *compose(face, cut_out(photo, mask, floats), floats))
        return Example(photo, photo, _soft(mask))


def cut_out(photo: Photo, mask: Mask, rng: np.random.Generator) -> Layer:
    """What somebody wears or holds, a little moved, as under neutral light.

    Args:
        photo: (S, S, 3) uint8.
        mask: (S, S) bool, True = the thing and a pixel or two around it.
    """
    side = len(photo)
    narrow = cv2.erode(mask.view(np.uint8), np.ones((2 * RIM + 1,) * 2, np.uint8))
    shine = shine_on(estimate(photo), 1.0)
    fine = cv2.resize(shine, (side, side), interpolation=cv2.INTER_LINEAR)
    colour = np.minimum(photo / np.maximum(fine, np.float32(0.05)), 255).astype(np.float32)
    much = HELD_ASTRAY if _height(mask) > BELOW_EYES else WORN_ASTRAY
    colour, alpha = misalign([colour, _soft(narrow > 0)], rng, much)
    return Layer(colour, alpha, lift=float(rng.uniform(0.01, 0.05)))


def _height(mask: Mask) -> float:
    """Where a mask's middle lies, 0 at the top and 1 at the bottom; NaN for an empty one."""
    rows = mask.sum(axis=1)
    return float(rows @ np.arange(len(rows)) / (rows.sum() * len(rows))) if rows.any() else np.nan


def _soft(mask: Mask) -> NDArray[np.float32]:
    """A mask with the edge that a camera gives it: (S, S) float32 in [0, 1]."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), SOFT_EDGE))


def _read_face(entry: Entry, size: int) -> Photo:
    try:
        return decode_face(entry, size)
    except ImageError as error:
        raise DataError(f"{entry.place}: {error}") from error


def _read_mask(entry: Entry, size: int) -> Mask:
    path = entry.place.with_suffix(MASK)
    try:
        mask = read_mask(path)
    except (ImageError, MaskError) as error:
        raise DataError(f"{path}: {error}") from error
    if mask.shape[0] != mask.shape[1]:
        raise DataError(f"{path}: {mask.shape[1]}x{mask.shape[0]}, not square as its face")
    return resize_mask(mask, size)
