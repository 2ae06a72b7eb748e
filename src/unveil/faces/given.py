"""A face and what of it a given mask hides, in the face's frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unveil.faces.align import Array, cut, frame_box, scale_of, shifted
from unveil.imaging import FACE_SIZE, Mask, Photo, grow, to_uint8

Kind = type[np.uint8] | type[np.float32]

# Of 255: a pixel of the frame is hidden if more of it is.
HALF = 127


def cut_known(photo: Photo, mask: Mask, matrix: Array) -> tuple[Photo, Mask]:
    """The aligned face of a photo, made of its known pixels alone, and what of it is hidden.

    What is beside the hidden part says most about it: a pixel more of it is worth a third of a
    decibel, and with a twentieth of a black mask in it a pixel would be eight grey levels too dark.

    Args:
        photo: HWC uint8.
        mask: HW bool, True = hidden.
        matrix: (2, 3), from the photo to the frame.

    Returns:
        (256, 256, 3) uint8, as `align.cut` has it where nothing hidden is near; and `mask_of_face`.
    """
    rows, columns = frame_box(matrix, (photo.shape[0], photo.shape[1]))
    # Enlarged colours overshoot beside an edge, and shares of them, too; bytes would cut that off.
    kind: Kind = np.float32 if scale_of(matrix) > 1 else np.uint8
    covered = _covered(mask, matrix, kind)
    part = photo[rows, columns].astype(kind)
    part[mask[rows, columns]] = 0
    face = cut(part, shifted(matrix, columns.start, rows.start)).astype(np.float32)
    partly = (covered != 0) & (covered < 255)
    face[partly] *= (255 / (255 - covered[partly].astype(np.float32)))[:, None]
    return to_uint8(face), _hidden(mask, matrix, covered)


def mask_of_face(mask: Mask, matrix: Array) -> Mask:
    """A photo's mask in a face's frame: (256, 256) bool, hidden where half of it is.

    And wherever else `paste` would not reach a hidden pixel: specks and scratches. Beyond the
    photo's edge the mask goes on as the photo does.
    """
    return _hidden(mask, matrix, _covered(mask, matrix, np.uint8))


def _covered(mask: Mask, matrix: Array, kind: Kind) -> NDArray[Any]:
    """(256, 256), of 255: how much of each pixel of the frame is hidden."""
    rows, columns = frame_box(matrix, (mask.shape[0], mask.shape[1]))
    # Bytes, where it may be large: of a photo of 48 megapixels they are little.
    part = np.multiply(mask[rows, columns], 255, dtype=kind)
    return cut(part, shifted(matrix, columns.start, rows.start))


def _hidden(mask: Mask, matrix: Array, covered: NDArray[Any]) -> Mask:
    face = np.asarray(np.rint(covered) > HALF)
    return face | (_specks(mask, matrix) & ~grow(face, 1))


def _specks(mask: Mask, matrix: Array) -> Mask:
    """(256, 256) bool: in which pixels of the frame a hidden pixel of the photo has its middle."""
    rows, columns = frame_box(matrix, (mask.shape[0], mask.shape[1]))
    down, across = np.nonzero(mask[rows, columns])
    x, y = across + columns.start, down + rows.start
    left, top = (np.floor(a * x + b * y + c + 0.5).astype(int) for a, b, c in matrix)
    inside = (left >= 0) & (left < FACE_SIZE) & (top >= 0) & (top < FACE_SIZE)
    found = np.zeros((FACE_SIZE, FACE_SIZE), dtype=np.bool_)
    found[top[inside], left[inside]] = True
    return found
