"""From a face in a photo to the canonical frame, and the map that leads back.

The frame is CelebA's official alignment, rows 20..197 of 178x218, resized to 256x256.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import FACE_SIZE

Array = NDArray[np.float64]

# Where the detector puts its five points on CelebA's own aligned faces, and how far they scatter
# there: eyes, nose tip, mouth corners. Its own means, so that its bias does not move the face; its
# own scatter, so that a turned head, which moves the nose most, does not either. See docs/log.md.
CANONICAL_POINTS = np.array(
    [[99.7, 132.4], [155.6, 131.8], [127.1, 166.4], [103.6, 190.0], [151.2, 189.5]],
    dtype=np.float32,
)
SCATTER = np.array([3.2, 3.1, 8.7, 4.9, 4.9])
# A point this many scatters off counts half as much. Under an occluder the detector guesses.
TOLERANCE = 3.0
STEPS = 10
PROFILE = 2.0
# How far the nose stands out before eyes and mouth, in distances of the mouth from the eyes.
NOSE = 0.43
MIDDLE = FACE_SIZE / 2


def similarity(points: NDArray[np.floating], targets: NDArray[np.floating]) -> Array:
    """The turn, scale and shift that lead `points` to `targets`, robust to a wrong point.

    Weighted least squares, again and again with less weight for the points that fit badly
    (Cauchy's weights; Holland and Welsch, 1977).

    Args:
        points: (5, 2) x, y in the photo, as `CANONICAL_POINTS`.
        targets: (5, 2) in the canonical frame.

    Returns:
        (2, 3): canonical = matrix[:, :2] @ point + matrix[:, 2].
    """
    z = points[:, 0] + 1j * points[:, 1].astype(np.float64)
    t = targets[:, 0] + 1j * targets[:, 1].astype(np.float64)
    weights = base = 1 / SCATTER**2
    for _ in range(STEPS):
        total = weights.sum()
        zc, tc = (z * weights).sum() / total, (t * weights).sum() / total
        power = (weights * abs(z - zc) ** 2).sum()
        turn = (weights * np.conj(z - zc) * (t - tc)).sum() / max(power, 1e-12)
        off = abs(turn * (z - zc) - (t - tc)) / (SCATTER * TOLERANCE)
        weights = base / (1 + off**2)
    shift = tc - turn * zc
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def fit(points: NDArray[np.floating]) -> Array:
    """The (2, 3) map from the photo to the canonical frame for a face's five points."""
    return similarity(points, CANONICAL_POINTS)


def mapped(points: NDArray[np.floating], matrix: Array) -> NDArray[np.float32]:
    """Points (N, 2) under a map (2, 3)."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def corner_shift(matrix: Array) -> float:
    """How far a map from a frame to another, (2, 3), moves its corners, in pixels, on average."""
    corners = np.array([[0, 0], [FACE_SIZE, 0], [FACE_SIZE, FACE_SIZE], [0, FACE_SIZE]])
    return float(np.hypot(*(corners @ matrix[:, :2].T + matrix[:, 2] - corners).T).mean())


def correction(moved: NDArray[np.floating]) -> Array:
    """What `models.aligner` says of a face, (4,), as a (2, 3) map to its better frame."""
    a, b, x, y = (float(value) for value in moved)
    turn = np.array([[1 + a / MIDDLE, -b / MIDDLE], [b / MIDDLE, 1 + a / MIDDLE]])
    return np.column_stack([turn, MIDDLE - turn @ (MIDDLE, MIDDLE) + (x, y)])


def corrected_by(better: Array) -> NDArray[np.float32]:
    """The inverse of `correction`: (4,) for a map from a frame to a better one, (2, 3)."""
    x, y = better[:, :2] @ (MIDDLE, MIDDLE) + better[:, 2] - MIDDLE
    return np.array([(better[0, 0] - 1) * MIDDLE, better[1, 0] * MIDDLE, x, y], np.float32)


def chain(first: Array, then: Array) -> Array:
    """`first`, and `then` after it: (2, 3) each."""
    return np.column_stack([then[:, :2] @ first[:, :2], then[:, :2] @ first[:, 2] + then[:, 2]])


def seen_from_side(points: NDArray[np.floating]) -> bool:
    """Whether a face with these five points (5, 2) is turned so far that one eye hides the other.

    Frontal faces have their mouth about one eye distance below the eyes, half-turned ones up to
    1.7; the canonical frame, and all that was learned in it, knows no others.
    """
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    return bool(np.hypot(*(mouth - eyes)) > PROFILE * np.hypot(*(points[1] - points[0])))


def turn_of(points: NDArray[np.floating]) -> float:
    """How far a head is turned aside, from its five points (5, 2), in radians.

    Above 0 the nose points to the right of the picture. It tells turns up to about 0.8; a face
    turned further is `seen_from_side`.
    """
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    down = mouth - eyes
    length = float(np.hypot(*down))
    # Length of the face and not its width, which shrinks as it turns.
    aside = (down[1] * (points[2, 0] - eyes[0]) - down[0] * (points[2, 1] - eyes[1])) / length**2
    return float(np.arcsin(np.clip(aside / NOSE, -0.72, 0.72)))


def scale_of(matrix: Array) -> float:
    """Canonical pixels to a pixel of the photo; below 1 where the face is larger than its frame."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def invert(matrix: Array) -> Array:
    """The map back: (2, 3)."""
    return np.asarray(cv2.invertAffineTransform(matrix), dtype=np.float64)


def shifted(matrix: Array, left: float, top: float) -> Array:
    """`matrix` for coordinates counted from (left, top) of the photo."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (left, top)
    return moved


def smaller(part: NDArray[Any], matrix: Array, scale: float) -> tuple[tuple[int, int], Array]:
    """The size (width, height) of a part that is resized by `scale`, and `matrix` for it then."""
    height, width = part.shape[:2]
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Pixel centres lie at whole numbers for a warp, and half a pixel further for a resize.
    x, y = width / small[0], height / small[1]
    return small, matrix @ np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def frame_box(matrix: Array, size: tuple[int, int]) -> tuple[slice, slice]:
    """The rows and columns of a photo of `size` (height, width) that the canonical frame covers."""
    corners = np.array([[0, 0], [FACE_SIZE, 0], [0, FACE_SIZE], [FACE_SIZE, FACE_SIZE]]) - 0.5
    back = invert(matrix)
    inside = corners @ back[:, :2].T + back[:, 2]
    first = np.floor(inside.min(axis=0)).astype(int)
    last = np.ceil(inside.max(axis=0)).astype(int) + 1
    # Beyond the photo it covers nothing, at the edge.
    (left, top), (right, bottom) = np.clip([first, last], 0, size[::-1])
    return slice(top, bottom), slice(left, right)


def shown(matrix: Array, size: tuple[int, int]) -> NDArray[np.uint8]:
    """How much of each pixel of the canonical frame lies in a photo of `size` (height, width).

    Returns:
        (256, 256) in 0..255.
    """
    # The part alone: of a whole photo the side may be longer than OpenCV's warp takes.
    rows, columns = frame_box(matrix, size)
    part = np.full((rows.stop - rows.start, columns.stop - columns.start), 255, np.uint8)
    if not part.size:
        return np.zeros((FACE_SIZE, FACE_SIZE), np.uint8)
    moved = shifted(matrix, columns.start, rows.start)
    return np.asarray(cv2.warpAffine(part, moved, (FACE_SIZE, FACE_SIZE)), np.uint8)


def cut(photo: NDArray[Any], matrix: Array) -> NDArray[Any]:
    """The aligned face, (256, 256[, 3]) of the photo's type; edges are continued.

    Where the face is larger than its frame, each new pixel is the mean of those it covers; where it
    is smaller, pixels beside an edge overshoot, which float32 holds and uint8 cuts off.
    """
    rows, columns = frame_box(matrix, (photo.shape[0], photo.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return np.zeros((FACE_SIZE, FACE_SIZE, *photo.shape[2:]), dtype=photo.dtype)
    part, moved = photo[rows, columns], shifted(matrix, columns.start, rows.start)
    scale = scale_of(matrix)
    if scale < 1:
        small, moved = smaller(part, moved, scale)
        part = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), photo.dtype)
    face = cv2.warpAffine(
        part,
        moved,
        (FACE_SIZE, FACE_SIZE),
        flags=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(face, dtype=photo.dtype)
