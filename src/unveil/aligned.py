"""A photo that is one face in the canonical frame already, of any square size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unveil.cancel import checkpoint
from unveil.errors import NotAlignedError
from unveil.faces.align import CANONICAL_POINTS
from unveil.faces.detect import Detection
from unveil.faces.grain import around, grain
from unveil.faces.hidden import hidden_part
from unveil.faces.paste import skin_of
from unveil.imaging import (
    FACE_SIZE,
    Mask,
    Photo,
    as_colourful,
    check_mask,
    check_photo,
    paint,
    resize,
    resize_mask,
    to_uint8,
)
from unveil.models.face_vector import average_known
from unveil.runtime.model import FaceModel, Manner
from unveil.types import Face, Restoration


def restore_aligned(
    model: FaceModel, photo: Photo, mask: Mask | None, manners: Sequence[Manner | None]
) -> Iterator[Restoration]:
    """One restoration for each manner of a photo that is one face; None: nothing is filled in.

    Errors as `Restorer.restore`.
    """
    size = check_square(photo)
    face = resize(photo, FACE_SIZE)
    if mask is None:
        occluder = model.find(face[None])[0]
        hidden = hidden_part(occluder)
        invented = resize_mask(hidden, size)
    else:
        invented = check_mask(mask, (size, size)).copy()  # the caller's may change
        hidden = resize_mask(invented, FACE_SIZE)
        if size < FACE_SIZE:
            # Enlarged with what hides it, its known pixels would have some of that in them.
            face = to_uint8(average_known(photo, invented, FACE_SIZE).colour)
        occluder = hidden.astype(np.float32)
    sure = model.confidence(face[None], hidden[None])[0]
    points = CANONICAL_POINTS * np.float32(size / FACE_SIZE)
    where = Detection((0.0, 0.0, float(size), float(size)), points, score=1.0)
    found = Face.of(where, occluder, hidden, sure)
    large = np.clip(resize(sure, size), 0, 1)
    confidence = np.where(invented, large, np.float32(1))
    name = model.weights.fingerprint
    for manner in manners:
        checkpoint()
        restored = photo.copy()
        if invented.any() and manner is not None:
            filled = resize(model.fill(face[None], hidden[None], manner)[0], size)
            if size > FACE_SIZE:  # else it is the model's to the last pixel, as it is measured
                _add_grain(photo, filled, invented)
            paint(restored, filled, invented)
            as_colourful(restored, photo, invented)
        # Each its own: whoever changes one changes no other.
        yield Restoration(restored, invented.copy(), confidence.copy(), (found,), name)


def _add_grain(face: Photo, filled: Photo, invented: Mask) -> None:
    """The fill of an aligned face that is larger than the frame gets the face's grain, in place."""
    size = len(face)
    there = around(invented)  # which may be a small part of a large face
    start = (there[0].start, there[1].start)
    frame = np.arange(size) * FACE_SIZE // size
    skin = skin_of(resize_mask(invented, FACE_SIZE), np.eye(2, 3))[frame][:, frame]
    part, scale = filled[there], FACE_SIZE / size
    filled[there] = grain(face, skin, part, invented[there], scale, start)


def check_square(photo: Photo) -> int:
    """The side of an aligned face in pixels."""
    height, width = (int(n) for n in check_photo(photo).shape[:2])
    if height != width:
        raise NotAlignedError(
            f"an aligned face is square, this image is {width}x{height}: cut it to the canonical "
            "frame first, or leave out `aligned` to have its faces found"
        )
    return height
