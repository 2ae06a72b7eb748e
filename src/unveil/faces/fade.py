"""Where a fill ends at the edge of its frame, and what hides the face does not: it ends softly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unveil.faces.align import Array, invert
from unveil.imaging import FACE_SIZE, Mask

FADE = 24  # pixels of the frame over which a fill goes over to the photo


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
        more of the photo; None: there is no such edge.
    """
    back, last = invert(matrix), FACE_SIZE - 1
    along = np.arange(FACE_SIZE)
    near = np.full((FACE_SIZE, FACE_SIZE), FADE, dtype=np.float64)
    rows, columns = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    sides = (
        (hidden[0], along, -1, rows),
        (hidden[-1] & below, along, FACE_SIZE, last - rows),
        (hidden[:, 0], -1, along, columns),
        (hidden[:, -1], FACE_SIZE, along, last - columns),
    )
    for touched, beyond_x, beyond_y, distance in sides:
        beyond = np.stack(np.broadcast_arrays(beyond_x, beyond_y, 1.0))[:, touched]
        x, y = back @ beyond  # a pixel further than the frame
        if ((x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])).any():
            np.minimum(near, distance + 0.5, out=near)
    if (near == FADE).all():
        return None
    return np.rint(255 * near / FADE).astype(np.uint8)
