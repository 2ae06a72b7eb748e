"""The pipeline, top to bottom: frames, faces followed, masks steadied, what was seen, the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import repeat
from numbers import Real
from os import PathLike

import numpy as np

from unveil.errors import ImageError, MaskError, UsageError
from unveil.imaging import Mask, Photo, check_mask, check_photo
from unveil.restorer import Restorer
from unveil.runtime.model import Manner
from unveil.runtime.weights import DEFAULT_DETAIL, DEFAULT_MODEL
from unveil.video.ahead import ahead
from unveil.video.largest import Largest
from unveil.video.look import look
from unveil.video.restored import RestoredFrame
from unveil.video.restoring import restored
from unveil.video.settling import Followed, Settling
from unveil.video.steadiness import Steadiness
from unveil.video.track import DELAY, Tracker


def restore_video(
    frames: Iterable[Photo],
    mask: Mask | Iterable[Mask] | None = None,
    model: str | Restorer = DEFAULT_MODEL,
    steadiness: Steadiness | None = None,
    faces: int | None = None,
    detail: float = DEFAULT_DETAIL,
) -> Iterator[RestoredFrame]:
    """Restore the faces of a clip, frame by frame, each consistent with its neighbours.

    Frames are taken as they are needed, if not live by a thread of its own, and a bounded number is
    held.

    Args:
        frames: HWC uint8 RGB, all of one size.
        mask: HW, True = hidden, for all frames; or one for each frame, N x H x W or one after the
            other; None: found by the model.
        model: a name of `unveil weights`, or a Restorer that is loaded.
        steadiness: see `Steadiness`. By default a frame is given back when 40 frames after it are
            taken: 16 for steady points, 16 for what was hidden, 8 that are solved together.
        faces: only so many of each frame, the largest ones; None: all.
        detail: as `Restorer.restore`: 0 = the most likely face, soft; 1 = sharp.

    Yields:
        A RestoredFrame for each frame, in order.

    Raises:
        ImageError: a frame is none, or the frames are nothing to go through.
        MaskError: a mask is none, or of another size, or there are fewer than frames, or some of
            them are None.
        UsageError: frames of several sizes, `faces` no number from 1, or `detail` none in [0, 1].
        WeightsError: no such model.
    """
    if not isinstance(model, Restorer | str | PathLike):
        raise UsageError(f"model must be a name or a Restorer, not {type(model).__name__}")
    restorer = model if isinstance(model, Restorer) else Restorer(model)
    settings = Steadiness() if steadiness is None else steadiness
    if not isinstance(settings, Steadiness):
        raise UsageError(f"steadiness must be a Steadiness, not {type(settings).__name__}")
    if not isinstance(detail, Real):
        raise UsageError(f"detail must be a number between 0 and 1, not {type(detail).__name__}")
    manner = Manner(detail)
    followed = _follow(_with_masks(frames, mask), restorer, settings, Largest(faces))
    if not settings.live:
        # Following the faces of the next block of frames, and restoring this one, side by side. A
        # third thread gains nothing: docs/log.md.
        followed = ahead(followed, settings.block + 1)
    # Closed whatever happens: an error's traceback would keep the thread, and it the frames.
    with closing(followed):
        for block in Settling(restorer.model, settings).blocks(followed):
            yield from restored(block, restorer.model, manner)


def _with_masks(
    frames: Iterable[Photo], mask: Mask | Iterable[Mask] | None
) -> Iterator[tuple[Photo, Mask | None]]:
    """Each frame with its mask, both checked; copies, for their maker may use one buffer again."""
    size: tuple[int, int] | None = None
    masked: bool | None = None  # whether the frames before have masks
    last: object = None
    checked: Mask | None = None  # what became of the last mask, which may be that of all frames
    if not isinstance(frames, Iterable):
        raise ImageError(f"frames must be photos one after another, not {type(frames).__name__}")
    masks: Iterator[Mask | None]
    if mask is None or (isinstance(mask, np.ndarray) and mask.ndim == 2):
        masks = repeat(mask)
    elif isinstance(mask, Iterable):
        masks = (None if each is None else np.array(each) for each in mask)
    else:
        raise MaskError(f"a mask must be an array, or one for each frame: {type(mask).__name__}")
    for number, frame in enumerate(frames):
        size = size or (check_photo(frame).shape[0], frame.shape[1])
        if check_photo(frame).shape[:2] != size:
            raise UsageError(f"frame {number} is of another size than those before it")
        try:
            hidden = next(masks)
        except StopIteration:
            raise MaskError(f"there are only {number} masks, and more frames") from None
        if masked is not None and masked != (hidden is not None):
            told = "None" if hidden is None else "given"
            raise MaskError(f"mask {number} is {told}: all frames have one, or none")
        masked = hidden is not None
        if hidden is not None and hidden is not last:
            last, checked = hidden, check_mask(np.asarray(hidden), size)
        yield frame.copy(), checked


def _follow(
    frames: Iterable[tuple[Photo, Mask | None]],
    restorer: Restorer,
    settings: Steadiness,
    largest: Largest,
) -> Generator[Followed, None, None]:
    """Each frame with its faces, once the frames that steady their points are seen."""
    tracker = Tracker(settings.live)
    delay = 0 if settings.live else DELAY
    waiting: deque[tuple[int, Photo, Mask | None]] = deque()

    def followed() -> Followed:
        frame = waiting.popleft()
        return Followed(*frame, largest.of(tracker.sightings(frame[0])))

    for number, (photo, mask) in enumerate(frames):
        tracker.add(photo, partial(look, restorer, photo, mask), mask)
        waiting.append((number, photo, mask))
        if len(waiting) > delay:
            yield followed()
    while waiting:
        yield followed()
