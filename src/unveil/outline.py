"""Each face of a photo in the canonical frame, and what is hidden of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.cancel import checkpoint
from unveil.faces.afar import FAR, agreed, below, reaches_below
from unveil.faces.align import (
    Array,
    chain,
    corner_shift,
    cut,
    fit,
    invert,
    mapped,
    seen_from_side,
    shown,
)
from unveil.faces.detect import Detection
from unveil.faces.given import cut_known, mask_of_face
from unveil.faces.hidden import hidden_part, out_of_focus
from unveil.imaging import FACE_SIZE, Mask, Photo, paint
from unveil.runtime.aligner import AlignerNetwork
from unveil.runtime.model import FaceModel

# A face is aligned again if at least this share of it is hidden, and if the corners of its frame
# move by so many pixels on average.
REALIGNED_FROM = 0.02
REALIGNED_BY = 4.0
# A real occluder is found in both frames: none of 123 kept less than 0.8 of its area. A hat that
# was taken for one kept 0.4: then nothing counts.
CONFIRMED = 0.5
# From a face's frame to one seen from a little further away. What is found by chance, an ear or the
# skin below a cap, is seldom found in both. See docs/log.md, 2026-11-30.
FURTHER = np.array([[0.95, 0, 6.4], [0, 0.95, 6.4]])


@dataclass(frozen=True)
class Seen:
    """A face of a photo, and what the user says is hidden in that photo."""

    photo: Photo
    detection: Detection
    mask: Mask | None = None


@dataclass(frozen=True)
class Aligned:
    """A face in the canonical frame.

    Attributes:
        detection: where it is in the photo.
        matrix: (2, 3), from the photo to the frame.
        face: (256, 256, 3) uint8.
        occluder: (256, 256) in [0, 1], how surely each of its pixels is hidden.
        hidden: (256, 256) bool, what is to be invented.
        below: (256, 256) bool, what is to be invented below the frame, seen from `FAR`; None:
            nothing.
    """

    detection: Detection
    matrix: Array
    face: Photo
    occluder: NDArray[np.float32]
    hidden: Mask
    below: Mask | None = None

    def occluder_in(self, matrix: Array) -> NDArray[np.float32]:
        """The `occluder` as it is seen in another frame of the face, its edges continued."""
        there, size = chain(invert(self.matrix), matrix), (FACE_SIZE, FACE_SIZE)
        border = cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(self.occluder, there, size, borderMode=border), np.float32)

    def hanging(self, photo: Photo, mask: Mask | None = None) -> Aligned | None:
        """The face with what is `below` as its hidden part, in the frame of `FAR`.

        Args:
            photo: as it is, or with what is in the frame restored.
            mask: what the user says is hidden, but for what is restored.
        """
        if self.below is None:
            return None
        matrix = chain(self.matrix, FAR)
        face, occluder = cut(photo, matrix), self.below.astype(np.float32)
        if mask is not None:
            known, hidden = cut_known(photo, mask, matrix)
            paint(face, known, self.below | ~hidden)  # what else is hidden stays in the photo
        return Aligned(self.detection, matrix, face, occluder, self.below)


class Outliner:
    """Aligns faces and finds what hides them."""

    def __init__(self, model: FaceModel, aligner: AlignerNetwork) -> None:
        self.model, self.aligner = model, aligner

    def align(self, seen: Sequence[Seen]) -> list[Aligned]:
        """Each face in its frame, and what is hidden of it: as the user says, or else found."""
        found = self.outline(seen)
        again = []
        for i, (one, each) in enumerate(zip(seen, found, strict=True)):
            points = self.better_points(each)
            if points is not None and _moves(points, each):
                again.append((i, replace(one, detection=replace(one.detection, points=points))))
        redone = self.outline([one for _, one in again])
        better = list(found)
        for (i, _), each in zip(again, redone, strict=True):
            better[i] = each
        sure = self._confirmed(seen, found, better)
        return [self._from_afar(one, each) for one, each in zip(seen, sure, strict=True)]

    def _confirmed(
        self, seen: Sequence[Seen], first: Sequence[Aligned], better: Sequence[Aligned]
    ) -> list[Aligned]:
        """What is found in the better frames and from further away, by the mean of both looks.

        Nothing, if that is much less than what was found first.
        """
        sure = list(better)
        found = [i for i, one in enumerate(seen) if one.mask is None and better[i].hidden.any()]
        if not found:
            return sure
        views = [cut(seen[i].photo, chain(better[i].matrix, FURTHER)) for i in found]
        for i, further in zip(found, self.model.find(np.stack(views)), strict=True):
            same = cv2.warpAffine(further, invert(FURTHER), (FACE_SIZE, FACE_SIZE))
            occluder = np.asarray((better[i].occluder + same) / 2, np.float32)
            hidden = hidden_part(occluder)
            if hidden.sum() < CONFIRMED * first[i].hidden.sum():
                hidden = np.zeros_like(hidden)
            sure[i] = replace(better[i], occluder=occluder, hidden=hidden)
        return sure

    def outline(self, seen: Sequence[Seen]) -> list[Aligned]:
        """`align` by the detector's points as they are."""
        if not seen:
            return []
        matrices = [fit(one.detection.points) for one in seen]
        faces = np.empty((len(seen), FACE_SIZE, FACE_SIZE, 3), np.uint8)
        occluders = np.zeros(faces.shape[:3], np.float32)
        hiddens = np.zeros(faces.shape[:3], np.bool_)
        for i, (one, matrix) in enumerate(zip(seen, matrices, strict=True)):
            if one.mask is None:
                faces[i] = cut(one.photo, matrix)
            else:
                faces[i], hiddens[i] = cut_known(one.photo, one.mask, matrix)
                occluders[i] = hiddens[i]
        blind = [i for i, one in enumerate(seen) if one.mask is None]
        if blind:
            occluders[blind] = self.model.find(faces[blind])
        for i in blind:
            # What is beside a profile is taken for an occluder, and its fill is a second face.
            if not (seen_from_side(seen[i].detection.points) or out_of_focus(faces[i])):
                hiddens[i] = hidden_part(occluders[i])
        checkpoint()
        detections = [one.detection for one in seen]
        parts = zip(detections, matrices, faces, occluders, hiddens, strict=True)
        return [Aligned(*each) for each in parts]

    def better_points(self, found: Aligned) -> NDArray[np.float32] | None:
        """The points of a face once its occluder is allowed for, (5, 2) in the photo.

        An occluder draws the detector's points with it; what is seen of the face says how all of
        them are to move.

        Returns:
            None where too little is hidden to matter, or all, or the face is seen from the side.
        """
        points = found.detection.points
        if seen_from_side(points) or not REALIGNED_FROM <= found.hidden.mean() < 1:
            return None
        moved = self.aligner.better_frame(found.face, found.hidden)
        # `fit` follows its points: where these lead it, the better frame is.
        return mapped(mapped(points, found.matrix), invert(chain(found.matrix, moved)))

    def _from_afar(self, one: Seen, found: Aligned) -> Aligned:
        """A face after a look from further away, if its occluder reaches the frame's lower edge.

        That look sees what of the occluder hangs below, and that a neck or a shoulder is none.
        """
        if not reaches_below(found.hidden):
            return found
        matrix = chain(found.matrix, FAR)
        if one.mask is not None:
            afar = mask_of_face(one.mask, matrix)
        else:
            afar = hidden_part(self.model.find(cut(one.photo, matrix)[None])[0])
            found = replace(found, hidden=agreed(found.hidden, afar))
        size = (one.photo.shape[0], one.photo.shape[1])
        return replace(found, below=below(found.hidden, afar, shown(matrix, size) > 0))


def _moves(points: NDArray[np.float32], found: Aligned) -> bool:
    """Whether better points move a face's frame by enough to align it again."""
    return corner_shift(chain(invert(found.matrix), fit(points))) >= REALIGNED_BY
