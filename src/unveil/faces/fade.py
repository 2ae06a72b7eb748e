"""Where a fill ends at the edge of its frame, and what hides the face does not: it ends softly."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.faces.align import Array, invert
from unveil.imaging import FACE_SIZE, Mask, grow

FADE = 24  # pixels of the frame over which a fill goes over to the photo
APART = 3  # pixels around another hidden part, whose fill is seen as far as it is blended


def fading(
    hidden: Mask, matrix: Array, size: tuple[int, int], below: bool = True
) -> NDArray[np.uint8] | None:
    """How much a face's fill counts against the photo, pixel by pixel.

    Args:
        hidden: (256, 256) bool, what is filled.
        matrix: (2, 3), from the photo to the frame.
        size: height and width of the photo; where it ends, nothing goes on.
        below: the fill ends at the lower edge, too.

    Returns:
        (256, 256), 0 to 255, less towards each edge of the frame at which something hidden meets
        more of the photo, but where something else is hidden, which does not; None: there is no
        such edge.
    """
    back, last = invert(matrix), FACE_SIZE - 1
    along = np.arange(FACE_SIZE)
    near = np.full((FACE_SIZE, FACE_SIZE), FADE, dtype=np.float64)
    rows, columns = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    parts = cv2.connectedComponents(hidden.astype(np.uint8))[1]
    sides = (
        (parts[0], along, -1, rows),
        (parts[-1] * below, along, FACE_SIZE, last - rows),
        (parts[:, 0], -1, along, columns),
        (parts[:, -1], FACE_SIZE, along, last - columns),
    )
    for touched, beyond_x, beyond_y, distance in sides:
        x, y = back @ np.stack(np.broadcast_arrays(beyond_x, beyond_y, 1.0))  # past the frame
        there = (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])
        if (goes_on := np.unique(touched[there & (touched > 0)])).size:
            apart = grow(hidden & ~np.isin(parts, goes_on), APART)
            np.minimum(near, distance + 0.5, out=near, where=~apart)
    if (near == FADE).all():
        return None
    return np.rint(255 * near / FADE).astype(np.uint8)
