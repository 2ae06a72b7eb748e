"""A look of the detector at a frame, and at its faces as they are without the occluder."""

from __future__ import annotations

import numpy as np

from unveil.faces.align import cut, fit, invert
from unveil.faces.hidden import hidden_part
from unveil.faces.paste import mask_of_face
from unveil.imaging import Mask, Photo
from unveil.restorer import REALIGNED_FROM, Restorer
from unveil.video.sighting import Found


def look(restorer: Restorer, photo: Photo, mask: Mask | None, better: bool) -> list[Found]:
    """The faces of a photo, from left to right.

    Args:
        restorer: whose detector and model are used.
        photo: HWC uint8 RGB.
        mask: HW bool, what is hidden; None: found by the model.
        better: fill each face, and say where its points are then: an occluder draws them with it.
    """
    found = restorer.detector.find(photo, restorer.min_size)
    if not better or not found:
        return [Found(d) for d in found]
    matrices = [fit(d.points) for d in found]
    faces = np.stack([cut(photo, matrix) for matrix in matrices])
    if mask is None:
        hidden = np.stack([hidden_part(o) for o in restorer.model.find(faces)])
    else:
        hidden = np.stack([mask_of_face(mask, matrix) for matrix in matrices])
    covered = hidden.mean(axis=(1, 2)) >= REALIGNED_FROM
    if covered.any():
        faces[covered] = restorer.model.fill(faces[covered], hidden[covered])
    result = []
    each = zip(found, faces, matrices, hidden, covered, strict=True)
    for detection, face, matrix, mask_of_it, filled in each:
        points = restorer.detector.points(face) if filled else detection.points
        if points is not None and filled:
            back = invert(matrix)
            points = (points @ back[:, :2].T + back[:, 2]).astype(np.float32)
        result.append(Found(detection, points, mask_of_it))
    return result
