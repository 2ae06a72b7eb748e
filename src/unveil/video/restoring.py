"""Settled frames restored: what was seen and what is invented put in, for all people at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from unveil.faces.paste import Patch, paste
from unveil.imaging import Photo
from unveil.runtime.model import FaceModel, Manner
from unveil.video.restored import RestoredFrame, TrackedFace
from unveil.video.settling import Settled
from unveil.video.view import Task


def restored(block: list[Settled], model: FaceModel, manner: Manner) -> Iterator[RestoredFrame]:
    """The next frames of a clip, restored.

    Args:
        block: the frames. Each is taken off when it is done, as the views in it are large.
        model: makes the proposals, in this manner.
    """
    proposals = deque(_proposals([task for frame in block for task in frame.tasks], model, manner))
    while block:
        frame = block.pop(0)
        yield _pasted(frame, [task.fill(proposals.popleft()) for task in frame.tasks], model)


def _proposals(tasks: Sequence[Task], model: FaceModel, manner: Manner) -> list[Photo | None]:
    """What the network would fill in, (256, 256, 3) for each task; None: it is not asked."""
    todo = [
        i
        for i, task in enumerate(tasks)
        if task.view.hidden.any() and not task.certain and task.canvas.asks(task.view.number)
    ]
    result: list[Photo | None] = [None] * len(tasks)
    if todo:
        faces, hidden = zip(*(tasks[i].input for i in todo), strict=True)
        for i, face in zip(
            todo, model.fill(np.stack(faces), np.stack(hidden), manner), strict=True
        ):
            result[i] = face
    return result


def _pasted(frame: Settled, filled: Sequence[Photo], model: FaceModel) -> RestoredFrame:
    views = [task.view for task in frame.tasks]
    patches = [Patch(v.matrix, f, v.hidden) for v, f in zip(views, filled, strict=True)]
    # Grain that is new in each frame flickers, and what is carried has its own: docs/log.md.
    photo, invented = paste(frame.photo, patches, frame.mask, still=False)
    faces = sorted((TrackedFace.of(task) for task in frame.tasks), key=lambda face: face.box[0])
    return RestoredFrame(photo, invented, tuple(faces), model.weights.fingerprint)
