"""Puts restored faces back into their photo, at its own resolution and with its own grain.

Only invented pixels change. A face that is larger in the photo than its 256x256 frame comes back
enlarged, so without detail and without the camera's noise: a soft patch. Detail cannot be invented
here; grain can, and it is measured on the known part of the same face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.faces.align import CANONICAL_POINTS, Array, cut, frame_box, scale_of, shifted
from unveil.faces.grain import around, grain
from unveil.imaging import FACE_SIZE, Mask, Photo, grow

# The middle and the half axes of the head in the canonical frame: where skin is measured.
HEAD = ((128, 150), (62, 80))
MIDDLE = CANONICAL_POINTS.mean(axis=0)


@dataclass(frozen=True)
class Patch:
    """One face to put back.

    Attributes:
        matrix: (2, 3), from the photo to the canonical frame.
        filled: (256, 256, 3) uint8, the restored face.
        hidden: (256, 256) bool, what of it is invented.
    """

    matrix: Array
    filled: Photo
    hidden: Mask


def mask_of_face(mask: Mask, matrix: Array) -> Mask:
    """A photo's mask in a face's frame: (256, 256) bool, hidden wherever it touches a hidden one.

    Beyond the photo's edge the mask goes on as the photo does.
    """
    return cut(mask.astype(np.uint8) * 255, matrix) > 12


def paste(photo: Photo, patches: Sequence[Patch], mask: Mask | None = None) -> tuple[Photo, Mask]:
    """The photo with all faces put back.

    Args:
        photo: HWC uint8.
        patches: faces; where two overlap, each pixel goes to the one whose middle is nearer,
            measured in its own frame.
        mask: HW bool; only these pixels are invented. None: those that the faces say.

    Returns:
        The new photo, and HW bool: its invented pixels. All others are those of `photo`.
    """
    restored, invented = photo.copy(), np.zeros(photo.shape[:2], dtype=np.bool_)
    for index, patch in enumerate(patches):
        rows, columns = frame_box(patch.matrix, (photo.shape[0], photo.shape[1]))
        if not patch.hidden.any() or rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        size = (columns.stop - columns.start, rows.stop - rows.start)
        matrix = shifted(patch.matrix, columns.start, rows.start)
        others = [
            shifted(p.matrix, columns.start, rows.start)
            for i, p in enumerate(patches)
            if i != index
        ]
        hidden = patch.hidden.astype(np.uint8) * 255
        if mask is None:
            new = _back(hidden, matrix, size) > 127
        else:
            new = mask[rows, columns] & (_back(_grown(hidden), matrix, size) > 0)
        new &= _own(matrix, others, size)
        if not new.any():
            continue
        # Only where something is invented, which may be a small part of a large face.
        down, across = around(new)
        close = new[down, across]
        size = (close.shape[1], close.shape[0])
        fill = _back(patch.filled, shifted(matrix, across.start, down.start), size)
        fill = grain(photo[rows, columns], _skin(new, matrix), fill, close, scale_of(matrix))
        restored[rows, columns][down, across][close] = fill[close]
        invented[rows, columns] |= new
    return restored, invented


def _grown(hidden: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.dilate(hidden, np.ones((3, 3), np.uint8)), dtype=np.uint8)


def _back(image: NDArray[np.uint8], matrix: Array, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A 256x256 image in the frame of the photo: (width, height) `size`; zero outside of it."""
    scale = scale_of(matrix)
    method = cv2.INTER_CUBIC if image.ndim == 3 else cv2.INTER_LINEAR
    if scale > 1:
        side = max(1, round(FACE_SIZE / scale))
        image = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        factor = side / FACE_SIZE
        matrix = np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2]]) @ (
            np.vstack([matrix, [0, 0, 1]])
        )
    flags = method | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE if image.ndim == 3 else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(image, matrix, size, flags=flags, borderMode=border), dtype=np.uint8
    )


def _own(matrix: Array, others: Sequence[Array], size: tuple[int, int]) -> Mask:
    """The pixels of which no other face's frame has the middle nearer: (height, width) bool."""
    own = np.ones((size[1], size[0]), dtype=np.bool_)
    frame = np.full((FACE_SIZE, FACE_SIZE), 255, dtype=np.uint8)
    mine = _distance(matrix, size)
    for other in others:
        inside = _back(frame, other, size) > 0
        if inside.any():
            own &= ~inside | (mine <= _distance(other, size))
    return own


def _distance(matrix: Array, size: tuple[int, int]) -> NDArray[np.float32]:
    """Squared distance of each pixel from a face's middle, in canonical pixels."""
    scale = scale_of(matrix)
    linear = matrix[:, :2]
    x, y = np.linalg.solve(linear, MIDDLE - matrix[:, 2])
    across = (np.arange(size[0], dtype=np.float32) - np.float32(x)) * np.float32(scale)
    down = (np.arange(size[1], dtype=np.float32) - np.float32(y)) * np.float32(scale)
    return across[None] ** 2 + down[:, None] ** 2


def _skin(new: Mask, matrix: Array) -> Mask:
    """The known pixels of the head, away from the invented ones: (H, W) bool."""
    head = np.zeros((FACE_SIZE, FACE_SIZE), dtype=np.uint8)
    cv2.ellipse(head, *HEAD, 0, 0, 360, 255, -1)
    reach = max(2, round(3 / scale_of(matrix)))
    near = grow(new, reach)
    return (_back(head, matrix, (new.shape[1], new.shape[0])) > 127) & ~near
