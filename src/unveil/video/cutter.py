"""Cuts the faces of a clip out of its frames, aligned, and measures how their pixels move."""

from __future__ import annotations

import numpy as np

from unveil.faces.align import chain, corner_shift, cut, fit, invert, seen_from_side, shown
from unveil.faces.given import cut_known
from unveil.imaging import FACE_SIZE, Mask, Photo
from unveil.video.head import Array
from unveil.video.motion import Flow, Map
from unveil.video.sighting import Sighting
from unveil.video.view import NOTHING, View

# The detector's frame of a face is the steady one but for so many pixels, on average of its
# corners: then what was found in it is not looked for again.
NEAR = 20.0


class Cutter:
    """Makes views, of any number of people."""

    def __init__(self) -> None:
        self._flow = Flow()

    def view(
        self, number: int, photo: Photo, mask: Mask | None, sighting: Sighting, before: View | None
    ) -> View:
        """A face in a frame, not yet knowing what is hidden unless a mask or a look says it.

        Args:
            number: of the frame.
            photo: HWC uint8 RGB.
            mask: HW bool, what is hidden; None: to be found.
            sighting: where the face is.
            before: the same person's view before; None: this is the first.
        """
        matrix = fit(sighting.points)
        given = None
        if mask is None:
            face = cut(photo, matrix)
        else:
            face, given = cut_known(photo, mask, matrix)
        motion = None
        if before is not None:
            motion = (NOTHING, NOTHING)
            if mask is None:  # only masks of the network are moved on
                pair = (face, before.face)
                motion = (self._flow.rough(*pair), self._flow.rough(*pair[::-1]))
        inside = shown(matrix, (photo.shape[0], photo.shape[1])) == 255
        found = _found(sighting, matrix) if mask is None else None
        return View(number, sighting, matrix, face, inside, given, motion, found)


def _found(sighting: Sighting, matrix: Map) -> Array | None:
    """What hides a face, as far as it is known before the network is asked.

    As of photos, a face seen from the side is left alone. One out of focus is not: a moving one is
    so now and then.
    """
    if seen_from_side(sighting.points):
        return np.zeros((FACE_SIZE, FACE_SIZE), np.float32)
    looked = sighting.aligned
    if looked is None or corner_shift(chain(invert(looked.matrix), matrix)) > NEAR:
        return None
    return looked.occluder_in(matrix)
