"""The pipeline, top to bottom: face -> occluder mask -> restored -> known pixels kept -> Restoration."""

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
from unveil.runtime.session import FaceNetwork
from unveil.runtime.weights import DEFAULT_MODEL
from unveil.types import Face, Restoration

# CelebA's mean points in the canonical frame: eyes, nose tip, mouth corners.
CANONICAL_POINTS = (
    np.array([[69, 112], [108, 111], [89, 133], [73, 152], [105, 152]], dtype=np.float32)
    - np.float32([0, 20])
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
        self.network = FaceNetwork.load(model, threads)

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
        check_photo(photo)
        size = (photo.shape[0], photo.shape[1])
        if mask is not None:
            mask = check_mask(mask, size)
        _check_aligned(size, aligned)
        face = resize(photo, FACE_SIZE)
        if mask is None:
            occluder = self.segment(face)
            hidden = grow(occluder > FOUND_THRESHOLD, FOUND_MARGIN)
            invented = hidden if size[0] == FACE_SIZE else resize_mask(hidden, size[0])
        else:
            invented = mask
            hidden = resize_mask(mask, FACE_SIZE)
            occluder = hidden.astype(np.float32)
        if invented.any():
            output = self.network.restore(face[None], hidden[None])[0]
            restored = np.where(invented[..., None], resize(output, size[0]), photo)
        else:
            restored = photo.copy()
        found = Face(
            box=(0.0, 0.0, float(size[1]), float(size[0])),
            points=CANONICAL_POINTS * np.float32(size[0] / FACE_SIZE),
            score=1.0,
            occluder=occluder,
            coverage=float(hidden.mean()),
        )
        return Restoration(restored, invented, (found,), self.network.weights.fingerprint)

    def segment(self, face: Photo) -> NDArray[np.float32]:
        """The occluder mask of an aligned face: 256x256 uint8 RGB -> HW float32 in [0, 1]."""
        return self.network.find_mask(check_photo(face)[None])[0]


def _check_aligned(size: tuple[int, int], aligned: bool) -> None:
    if not aligned:
        raise NotAlignedError(
            "whole photographs are not supported yet: give one face in the canonical frame and say "
            "so (--aligned, aligned=True)"
        )
    if size[0] != size[1]:
        raise NotAlignedError(
            f"an aligned face is square, this image is {size[1]}x{size[0]}: cut it to the "
            "canonical frame first"
        )


@lru_cache(maxsize=1)
def _default() -> Restorer:
    return Restorer()


def restore(photo: Photo, mask: Mask | None = None, aligned: bool = False) -> Restoration:
    """`Restorer.restore` with the default model, loaded once."""
    return _default().restore(photo, mask, aligned)
