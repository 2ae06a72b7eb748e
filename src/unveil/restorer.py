"""The pipeline, top to bottom: face, occluder mask, restored face, known pixels kept."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unveil.errors import NotAlignedError
from unveil.imaging import (
    FACE_SIZE,
    Mask,
    Photo,
    check_mask,
    check_photo,
    grow,
    resize,
    resize_mask,
)
from unveil.runtime.model import FaceModel
from unveil.runtime.weights import DEFAULT_MODEL
from unveil.types import Face, Restoration

# CelebA's mean points in the canonical frame: eyes, nose tip, mouth corners.
CANONICAL_POINTS = np.array(
    [[69, 92], [108, 91], [89, 113], [73, 132], [105, 132]], dtype=np.float32
) * np.float32(FACE_SIZE / 178)
FOUND_THRESHOLD = 0.5
# The mask branch is unsure of the outermost pixels of an occluder; what it leaves would be taken
# for face and smeared into the hole. See docs/log.md.
FOUND_MARGIN = 2


class Restorer:
    """Restores faces with one model, whose networks stay loaded.

    Args:
        model: a name of `unveil weights`, or FOLDER/NAME for weights outside the package.
        threads: threads of one restoration, 0 = all cores.

    Raises:
        WeightsError: no such model, or its files are missing or damaged.
    """

    def __init__(self, model: str = DEFAULT_MODEL, threads: int = 0) -> None:
        self.model = FaceModel.load(model, threads)

    def restore(self, photo: Photo, mask: Mask | None = None, aligned: bool = False) -> Restoration:
        """Invent the hidden part of a face; every known pixel stays as it is.

        Args:
            photo: HWC uint8 RGB.
            mask: HW, True (or 1, or 255) = hidden, of the photo's size; None: found by the model.
            aligned: the photo is one face in the canonical frame, of any square size.

        Raises:
            NotAlignedError: `aligned` is False (whole photographs are not supported yet), or the
                photo is not square.
            ImageError: not HWC uint8 RGB.
            MaskError: the mask is of another size, or is not a mask.
        """
        size = _check_aligned(photo, aligned)
        face = resize(photo, FACE_SIZE)
        if mask is None:
            occluder = self.segment(face)
            hidden = _threshold(occluder)
            invented = resize_mask(hidden, size)
        else:
            invented = check_mask(mask, (size, size))
            hidden = resize_mask(invented, FACE_SIZE)
            occluder = hidden.astype(np.float32)
        if invented.any():
            filled = self.model.fill(face[None], hidden[None])[0]
            restored = np.where(invented[..., None], resize(filled, size), photo)
        else:
            restored = photo.copy()
        found = Face(
            box=(0.0, 0.0, float(size), float(size)),
            points=CANONICAL_POINTS * np.float32(size / FACE_SIZE),
            score=1.0,
            occluder=occluder,
            coverage=float(hidden.mean()),
        )
        return Restoration(restored, invented, (found,), self.model.weights.fingerprint)

    def segment(self, face: Photo) -> NDArray[np.float32]:
        """The occluder mask of an aligned face: 256x256 uint8 RGB -> HW float32 in [0, 1]."""
        mask: NDArray[np.float32] = self.model.find(check_photo(face)[None])[0]
        return mask

    def find(self, photo: Photo, aligned: bool = False) -> Mask:
        """What `restore` would invent without a mask: HW bool in the photo's frame.

        Raises:
            NotAlignedError, ImageError: as `restore`.
        """
        size = _check_aligned(photo, aligned)
        return resize_mask(_threshold(self.segment(resize(photo, FACE_SIZE))), size)


def _threshold(occluder: NDArray[np.float32]) -> Mask:
    return grow(occluder > FOUND_THRESHOLD, FOUND_MARGIN)


def _check_aligned(photo: Photo, aligned: bool) -> int:
    """The side of an aligned face in pixels; a clear error for anything else."""
    height, width = (int(n) for n in check_photo(photo).shape[:2])
    if not aligned:
        raise NotAlignedError(
            "whole photographs are not supported yet: give one face in the canonical frame and say "
            "so (--aligned, aligned=True)"
        )
    if height != width:
        raise NotAlignedError(
            f"an aligned face is square, this image is {width}x{height}: cut it to the canonical "
            "frame first"
        )
    return height


@lru_cache(maxsize=1)
def _default() -> Restorer:
    return Restorer()


def restore(photo: Photo, mask: Mask | None = None, aligned: bool = False) -> Restoration:
    """`Restorer.restore` with the default model, loaded once."""
    return _default().restore(photo, mask, aligned)
