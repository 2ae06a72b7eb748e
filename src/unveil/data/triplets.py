"""The paper's triplets (section 3.4): A, B and C of a face in one image, read back by width.

From left to right: C, the mask image (white = hidden); B, the clean face; A, the occluded face.
The paper's text and its Algorithm 3 disagree on A and B; this follows Algorithm 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unveil.errors import ImageError
from unveil.files import read_image
from unveil.imaging import Mask, Photo, check_mask, check_photo, occlude


@dataclass(frozen=True)
class Triplet:
    """One face in its three forms, all of one square size.

    Attributes:
        occluded: A, (size, size, 3) uint8 RGB.
        clean: B, the same.
        mask: C, (size, size) bool, True = hidden.
    """

    occluded: Photo
    clean: Photo
    mask: Mask


def make_triplet(clean: Photo, mask: Mask) -> Triplet:
    """The triplet of a face whose hidden pixels are painted black, as the paper does."""
    return Triplet(occlude(clean, mask), clean, mask)


def stitch(triplet: Triplet) -> Photo:
    """C, B and A side by side: (size, 3 size, 3) uint8.

    >>> face = np.full((4, 4, 3), 200, dtype=np.uint8)
    >>> stitch(make_triplet(face, np.eye(4, dtype=bool)))[0, :, 0].tolist()
    [255, 0, 0, 0, 200, 200, 200, 200, 0, 200, 200, 200]

    Raises:
        ImageError: the faces are not photos, not square, or not of one size.
        MaskError: the mask is not of their size.
    """
    occluded, clean = check_photo(triplet.occluded), check_photo(triplet.clean)
    height, width = clean.shape[:2]
    if height != width or occluded.shape != clean.shape:
        raise ImageError(f"a triplet needs square faces of one size: {width}x{height}")
    white = check_mask(triplet.mask, (height, width)).astype(np.uint8) * 255
    return np.concatenate([np.repeat(white[..., None], 3, axis=2), clean, occluded], axis=1)


def take_apart(image: Photo) -> Triplet:
    """A stitched image -> its triplet; the inverse of `stitch`.

    Raises:
        ImageError: the image is not three equal squares in a row, or its left one no mask.
    """
    height, width = check_photo(image).shape[:2]
    if width != 3 * height:
        raise ImageError(f"not a triplet: {width}x{height} is not three equal squares side by side")
    mask, clean, occluded = (image[:, i * height : (i + 1) * height] for i in range(3))
    if not np.isin(mask, (0, 255)).all() or (mask != mask[..., :1]).any():
        raise ImageError(
            "the left third must be a mask, purely black and white (white = hidden); "
            "JPEG does not keep it so: store triplets as PNG"
        )
    return Triplet(occluded.copy(), clean.copy(), mask[..., 0] == 255)


def read_triplet(path: Path) -> Triplet:
    """Read a stitched image.

    Raises:
        ImageError: the file cannot be read, or is not a triplet; the message names it.
    """
    try:
        return take_apart(read_image(path).photo)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None
