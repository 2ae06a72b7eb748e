"""A look of the detector at a frame, and at its faces as they are without the occluder."""

from __future__ import annotations

from unveil.imaging import Mask, Photo
from unveil.outline import Seen
from unveil.restorer import Restorer
from unveil.video.sighting import Found


def look(restorer: Restorer, photo: Photo, mask: Mask | None) -> list[Found]:
    """The faces of a photo, from left to right, and where their points are under the occluder.

    Args:
        restorer: whose detector and model are used.
        photo: HWC uint8 RGB.
        mask: HW bool, what is hidden; None: found by the model.
    """
    found = restorer.detector.find(photo, restorer.min_size)
    outliner = restorer.outliner
    result = []
    for one in outliner.outline([Seen(photo, d, mask) for d in found]):
        points = outliner.better_points(one)
        points = one.detection.points if points is None else points
        result.append(Found(one.detection, points, one))
    return result
