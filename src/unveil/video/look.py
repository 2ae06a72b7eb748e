"""A look of the detector at a frame, and at its faces as they are without the occluder."""

from __future__ import annotations

from unveil.imaging import Mask, Photo
from unveil.outline import Seen
from unveil.restorer import Restorer
from unveil.video.sighting import Found


def look(restorer: Restorer, photo: Photo, mask: Mask | None, better: bool) -> list[Found]:
    """The faces of a photo, from left to right.

    Args:
        restorer: whose detector and model are used.
        photo: HWC uint8 RGB.
        mask: HW bool, what is hidden; None: found by the model.
        better: say where each face's points are once its occluder is allowed for.
    """
    found = restorer.detector.find(photo, restorer.min_size)
    if not better or not found:
        return [Found(d) for d in found]
    outliner = restorer.outliner
    result = []
    seen = [Seen(photo, d, mask) for d in found]
    for face, one in zip(seen, outliner.outline(seen), strict=True):
        points = outliner.better_points(face, one)
        points = one.detection.points if points is None else points
        result.append(Found(one.detection, points, one.hidden))
    return result
