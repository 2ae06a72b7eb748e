"""What the detector says of a face, and what becomes of it through time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unveil.faces.detect import Detection
from unveil.outline import Aligned
from unveil.video.motion import Box, Map


@dataclass(frozen=True)
class Sighting:
    """A face in one frame.

    Attributes:
        track: the number of the person's track, from 0; new after a scene cut.
        points: (5, 2) float64 x, y in the photo, steady.
        box: left, top, right, bottom in the photo.
        score: the detector's last.
        aligned: what the detector's look at this very frame found; None: there was none.
    """

    track: int
    points: Map
    box: Box
    score: float
    aligned: Aligned | None = None


@dataclass(frozen=True)
class Found:
    """What the detector says of a face, and where its points are all the same.

    Attributes:
        detection: the face as it is.
        better: (5, 2), the points once what hides the face is allowed for.
        aligned: the face by the detector's points, and what hides it; None: not known.
    """

    detection: Detection
    better: NDArray[np.float32]
    aligned: Aligned | None = None


Look = Callable[[], list[Found]]  # finds the faces of a frame
