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

from unveil.faces.align import (
    CANONICAL_POINTS,
    Array,
    frame_box,
    invert,
    mapped,
    scale_of,
    shifted,
)
from unveil.faces.fade import fading
from unveil.faces.grain import around, grain, on_grid
from unveil.imaging import FACE_SIZE, Mask, Photo, grow, has_colours, paint, remove_colours

# The middle and the half axes of the head in the canonical frame: where skin is measured.
HEAD = ((128, 150), (62, 80))
MIDDLE = CANONICAL_POINTS.mean(axis=0)
# A hidden part of which this share is nearest to one face is all that face's.
MOSTLY = 0.6
WHOLE = 250  # of 255: from here on a fill shows nothing of the photo
FREE, CONTESTED = -1, -2

Place = tuple[slice, slice]


@dataclass(frozen=True)
class Patch:
    """One face to put back.

    Attributes:
        matrix: (2, 3), from the photo to the canonical frame.
        filled: (256, 256, 3) uint8, the restored face.
        hidden: (256, 256) bool, what of it is invented.
        goes_on: what hides the face below the frame is another patch's to fill.
    """

    matrix: Array
    filled: Photo
    hidden: Mask
    goes_on: bool = False


def paste(
    photo: Photo, patches: Sequence[Patch], mask: Mask | None = None, still: bool = True
) -> tuple[Photo, Mask]:
    """The photo with all faces put back.

    Args:
        photo: HWC uint8.
        patches: faces; where two overlap, each pixel goes to one of them.
        mask: HW bool; only these pixels are invented. None: those that the faces say.
        still: it is no frame of a clip: enlarged parts get the grain of the photo, and what ends at
            the edge of its frame ends softly.

    Returns:
        The new photo, and HW bool: its invented pixels. All others are those of `photo`. Where no
        face has colours, what is invented has none.
    """
    restored, invented = photo.copy(), np.zeros(photo.shape[:2], dtype=np.bool_)
    size = (photo.shape[0], photo.shape[1])
    places = [on_grid(frame_box(patch.matrix, size), size) for patch in patches]
    maps = [
        shifted(patch.matrix, columns.start, rows.start)
        for patch, (rows, columns) in zip(patches, places, strict=True)
    ]
    claims = [
        _claim(patch.hidden, matrix, place, mask)
        for patch, matrix, place in zip(patches, maps, places, strict=True)
    ]
    fades = [
        fading(patch.hidden, patch.matrix, size, not patch.goes_on) if still else None
        for patch in patches
    ]
    if len(patches) > 1:
        weak = [
            _faded(fade, matrix, claim)
            for fade, matrix, claim in zip(fades, maps, claims, strict=True)
        ]
        _share_out(claims, weak, [patch.matrix for patch in patches], places, photo.shape[:2])
    parts = zip(patches, maps, places, claims, fades, strict=True)
    for patch, matrix, (rows, columns), new, fade in parts:
        if not new.any():
            continue
        # Only where something is invented, which may be a small part of a large face.
        down, across = around(new)
        close = new[down, across]
        wide = (close.shape[1], close.shape[0])
        fill = _back(patch.filled, shifted(matrix, across.start, down.start), wide)
        if still:
            start = (rows.start + down.start, columns.start + across.start)
            skin = skin_of(new, matrix)
            fill = grain(photo[rows, columns], skin, fill, close, scale_of(matrix), start)
        there = restored[rows, columns][down, across]
        if fade is not None:
            weight = _back(fade, shifted(matrix, across.start, down.start), wide)
            fill = _mixed(there, fill, weight)
        paint(there, fill, close.copy())
        invented[rows, columns] |= new
    if patches and not any(has_colours(patch.filled, ~patch.hidden) for patch in patches):
        remove_colours(restored, invented)
    return restored, invented


def confidence_map(
    patches: Sequence[Patch], confidences: Sequence[NDArray[np.float32]], invented: Mask
) -> NDArray[np.float32]:
    """Confidences of faces in the photo's frame.

    Args:
        patches: the faces that were pasted.
        confidences: (256, 256) in [0, 1] of each.
        invented: HW bool, the photo's invented pixels.

    Returns:
        HW float32, 1 where nothing is invented; where two faces overlap, the less sure one's.
    """
    result = np.ones(invented.shape, np.float32)
    for patch, confidence in zip(patches, confidences, strict=True):
        shape = (invented.shape[0], invented.shape[1])
        rows, columns = on_grid(frame_box(patch.matrix, shape), shape)  # as pasted
        if not patch.hidden.any() or not invented[rows, columns].any():
            continue
        down, across = around(invented[rows, columns])
        rows = slice(rows.start + down.start, rows.start + down.stop)
        columns = slice(columns.start + across.start, columns.start + across.stop)
        matrix = shifted(patch.matrix, columns.start, rows.start)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        there = _back(np.rint(confidence * 255).astype(np.uint8), matrix, size, goes_on=True)
        inside = _back(_grown(patch.hidden), matrix, size) > 0
        window = result[rows, columns]
        ours = invented[rows, columns] & inside
        window[ours] = np.minimum(window[ours], there[ours] / np.float32(255))
    return result


def _claim(hidden: Mask, matrix: Array, place: Place, mask: Mask | None) -> Mask:
    """What a face wants to invent in its part of the photo: (height, width) bool."""
    rows, columns = place
    size = (columns.stop - columns.start, rows.stop - rows.start)
    if not hidden.any() or 0 in size:
        return np.zeros(size[::-1], dtype=np.bool_)
    if mask is None:
        return _back(hidden.astype(np.uint8) * 255, matrix, size) > 127
    return mask[rows, columns] & (_back(_grown(hidden), matrix, size) > 0)


def _faded(fade: NDArray[np.uint8] | None, matrix: Array, claim: Mask) -> Mask:
    """Where in its part of the photo a face's fill ends softly: the photo shows through."""
    if fade is None or 0 in claim.shape:
        return np.zeros_like(claim)
    return _back(fade, matrix, (claim.shape[1], claim.shape[0])) < WHOLE


def _share_out(
    claims: list[Mask],
    weak: list[Mask],
    matrices: list[Array],
    places: list[Place],
    shape: tuple[int, ...],
) -> None:
    """Leave each pixel to one face, in place.

    A pixel is the face's whose middle is nearest; but a hidden part of which most is one face's is
    all that face's, so that no seam runs through it, but for what of it another face shows, or
    fills where this one's fill is `weak`.
    """
    taken = np.full(shape, FREE, dtype=np.int16)
    largest = np.zeros(shape, dtype=np.int32)
    nearest: list[Mask] = []
    for i, (claim, (rows, columns)) in enumerate(zip(claims, places, strict=True)):
        size = (claim.shape[1], claim.shape[0])
        here = [shifted(m, columns.start, rows.start) for m in matrices]
        others = here[:i] + here[i + 1 :]
        own = _own(here[i], others, size) if claim.any() else claim
        nearest.append(own)
        if not claim.any() or (own | ~claim).all():
            continue
        count, labels = cv2.connectedComponents(claim.astype(np.uint8))
        sizes = np.bincount(labels.ravel(), minlength=count)
        share = np.bincount(labels[own], minlength=count) / np.maximum(sizes, 1)
        whole = share >= MOSTLY
        whole[0] = False
        mine = whole[labels]
        for j, other in enumerate(here):
            if j != i:
                theirs = _there(claims[j], places[j], places[i])
                mine &= own | ~np.where(theirs, weak[i], _head(other, size))
        # Of two that want it whole, the one that sees more of it: the other's frame cuts it.
        owner, most = taken[rows, columns], largest[rows, columns]
        size_of = sizes.astype(np.int32)[labels]
        owner[mine & (size_of == most)] = CONTESTED
        owner[mine & (size_of > most)] = i
        most[mine] = np.maximum(most, size_of)[mine]
    for i, (claim, own, (rows, columns)) in enumerate(zip(claims, nearest, places, strict=True)):
        owner = taken[rows, columns]
        claim &= (owner == i) | ((owner < 0) & own)


def _there(mask: Mask, place: Place, other: Place) -> Mask:
    """A mask of one part of the photo in the frame of another part; False beyond the first."""
    result = np.zeros([s.stop - s.start for s in other], dtype=np.bool_)
    first = [max(a.start, b.start) for a, b in zip(place, other, strict=True)]
    last = [min(a.stop, b.stop) for a, b in zip(place, other, strict=True)]
    if all(a < b for a, b in zip(first, last, strict=True)):
        into, out_of = (
            tuple(
                slice(a - p.start, b - p.start) for a, b, p in zip(first, last, part, strict=True)
            )
            for part in (other, place)
        )
        result[into] = mask[out_of]
    return result


def _mixed(photo: Photo, fill: Photo, weight: NDArray[np.uint8]) -> Photo:
    """`fill` where `weight` (H, W) is 255, `photo` where it is 0."""
    share = weight[..., None].astype(np.int32)
    mixed = (share * fill + (255 - share) * photo + 127) // 255
    return np.asarray(mixed, dtype=np.uint8)


def _grown(hidden: Mask) -> NDArray[np.uint8]:
    return grow(hidden, 1).astype(np.uint8) * 255


def _back(
    image: NDArray[np.uint8], matrix: Array, size: tuple[int, int], *, goes_on: bool = False
) -> NDArray[np.uint8]:
    """A 256x256 image in the frame of the photo: (width, height) `size`.

    Beyond its edge colours go on as they are there, masks end, and so does all else but if told.
    """
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
    border = cv2.BORDER_REPLICATE if goes_on or image.ndim == 3 else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(image, matrix, size, flags=flags, borderMode=border), dtype=np.uint8
    )


def _own(matrix: Array, others: Sequence[Array], size: tuple[int, int]) -> Mask:
    """The pixels of which no other face's frame has the middle nearer: (height, width) bool."""
    own = np.ones((size[1], size[0]), dtype=np.bool_)
    frame = np.full((FACE_SIZE, FACE_SIZE), 255, dtype=np.uint8)
    mine = _distance(matrix, size)
    for other in others:
        if not _reaches(other, size):
            continue
        inside = _back(frame, other, size) > 0
        if inside.any():
            own &= ~inside | (mine <= _distance(other, size))
    return own


def _reaches(matrix: Array, size: tuple[int, int]) -> bool:
    """Whether a face's frame may lie in a part of (width, height) `size`; a pixel more or less."""
    ends = np.array([[-2, -2], [FACE_SIZE + 1, -2], [-2, FACE_SIZE + 1], [FACE_SIZE + 1] * 2])
    there = mapped(ends, invert(matrix))
    return bool((there.min(0) <= np.add(size, 2)).all() and (there.max(0) >= -2).all())


def _distance(matrix: Array, size: tuple[int, int]) -> NDArray[np.float32]:
    """Squared distance of each pixel from a face's middle, in canonical pixels."""
    scale = scale_of(matrix)
    linear = matrix[:, :2]
    x, y = np.linalg.solve(linear, MIDDLE - matrix[:, 2])
    across = (np.arange(size[0], dtype=np.float32) - np.float32(x)) * np.float32(scale)
    down = (np.arange(size[1], dtype=np.float32) - np.float32(y)) * np.float32(scale)
    return across[None] ** 2 + down[:, None] ** 2


def _head(matrix: Array, size: tuple[int, int]) -> Mask:
    """The pixels of a face's head: (height, width) bool."""
    (x, y), (across, down) = HEAD
    rows, columns = np.ogrid[:FACE_SIZE, :FACE_SIZE]
    inside = ((columns - x) / across) ** 2 + ((rows - y) / down) ** 2 <= 1
    head = inside.astype(np.uint8) * 255
    return _back(head, matrix, size) > 127


def skin_of(new: Mask, matrix: Array) -> Mask:
    """The known pixels of a face's head, away from the invented ones `new`: (H, W) bool."""
    reach = max(2, round(3 / scale_of(matrix)))
    return _head(matrix, (new.shape[1], new.shape[0])) & ~grow(new, reach)
