"""A clip from file to file: reading, restoring and writing, each in a thread of its own."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from unveil import __version__
from unveil.errors import (
    ImageError,
    MaskError,
    NoFaceError,
    TargetError,
    UsageError,
    VideoError,
)
from unveil.files import atomic_path, read_mask, same_file
from unveil.imaging import Mask, Photo
from unveil.names import is_image
from unveil.restorer import Restorer
from unveil.runtime.weights import DEFAULT_DETAIL
from unveil.video.ahead import ahead
from unveil.video.containers import FORMATS, container_of
from unveil.video.encoding import Encoding
from unveil.video.even import even_rate
from unveil.video.process import restore_video
from unveil.video.reader import Frame, VideoReader
from unveil.video.steadiness import Steadiness
from unveil.video.writer import VideoWriter

# Frames that wait between reading, restoring and writing.
WAITING = 8
# Of OpenCV, in a process of its own. A frame is many small pictures: shared among cores they take
# a tenth more of the processor, and no frame comes sooner: reading and faces share the cores.
THREADS = 1
# Of the clip that shows what is invented: white stays white, and grey there is none.
MASK_ENCODING = Encoding(quality=10)
NONE = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class ClipReport:
    """What became of a clip.

    Attributes:
        frames: restored and written.
        faces: the most in one frame.
        invented: invented pixels / all pixels, 0..1.
        damaged: frames of the source, and packets of its sound, that are broken or missing, as far
            as can be told.
        cut_off: the second at which the source ended too early; None: it is whole.
        left_out: FFmpeg's names of the kinds of subtitles that the target cannot hold.
        squeezed: its pixels are not square, which the target cannot say.
        outside: of a mask that was given, the share that lies in none of the faces restored, 0..1;
            None: there was none, or nothing is white in it.
    """

    frames: int
    faces: int
    invented: float
    damaged: int
    cut_off: float | None
    left_out: tuple[str, ...] = ()
    squeezed: bool = False
    outside: float | None = None


def restore_clip(
    source: Path,
    target: Path,
    restorer: Restorer,
    *,
    mask: Path | None = None,
    steadiness: Steadiness | None = None,
    encoding: Encoding | None = None,
    disclose: bool = True,
    tell: Callable[[int, int | None], None] = lambda done, total: None,
    invented: Path | None = None,
    faces: int | None = None,
    detail: float = DEFAULT_DETAIL,
    max_pixels: int | None = None,
) -> ClipReport:
    """Restore the faces of a clip. The whole result is there at the end, or no file is.

    Frame times, size, sound, subtitles, chapters and title are the source's, but for subtitles that
    the target's container cannot hold: text is converted, others are left out. Where nothing is
    hidden or damaged, and the container stays the same, so does the whole file.

    Args:
        source: anything that FFmpeg reads.
        target: its suffix says the container; see `containers.FORMATS`.
        restorer: the model.
        mask: an image for all frames, or a clip with one for each; white = hidden. None: found.
        steadiness, encoding: see there.
        disclose: say in the file that parts are invented, and by which model.
        tell: called after each frame with the number done, and of all if it is known.
        invented: also write this clip: white where the target is invented, at the same times.
        faces, detail: as `restore_video`.
        max_pixels: of a frame of the source; larger ones are not decoded. None: any.

    Raises:
        TooLargeError: a frame of the source has more.
        VideoError: the source cannot be read, or the target, as a TargetError, not written.
        MaskError: the mask cannot be read or is of another size.
        NoFaceError: no frame shows a face.
        UsageError: the target's container is unknown or cannot hold the source's sound or frames,
            or a file that is written is another file of the call.
    """
    container = container_of(target)
    shown_kind = container_of(invented) if invented else ""
    _check_names(target, source, mask, invented)
    read: deque[Frame] = deque()
    done = most = 0
    share = 0.0
    with ExitStack() as stack:
        reader = stack.enter_context(VideoReader(source, max_pixels))
        # What reads in a thread ends before the file is closed under it.
        frames = stack.enter_context(closing(ahead(reader, WAITING)))
        info = reader.info
        if "avi" in (container, shown_kind):
            # The clip that shows what is invented has no sound.
            info = replace(info, rate=even_rate(source, info, sound=container == "avi"))
        partial = stack.enter_context(_writable(target))
        comment = _comment(restorer) if disclose else ""
        with ExitStack() as writers:
            if invented:
                beside = stack.enter_context(_writable(invented))
                shown = writers.enter_context(
                    VideoWriter(beside, shown_kind, info, encoding=MASK_ENCODING, name=invented)
                )
            writer = writers.enter_context(
                VideoWriter(partial, container, info, source, encoding, comment, target, max_pixels)
            )

            def photos() -> Iterator[Photo]:
                for frame in frames:
                    # Its photo is held by what restores it.
                    read.append(replace(frame, photo=NONE))
                    yield frame.photo

            masks = None if mask is None else _masks(mask, info.size)
            if isinstance(masks, Generator):
                stack.enter_context(closing(masks))
            given = _Given(masks)
            restored = restore_video(photos(), given.masks(), restorer, steadiness, faces, detail)
            with closing(ahead(restored, WAITING)) as results:
                for result in results:
                    frame = read.popleft()
                    writer.write(frame, result.photo, result.invented)
                    if invented:
                        white = np.repeat(result.invented[..., None] * np.uint8(255), 3, axis=2)
                        shown.write(replace(frame, source=None), white, result.invented)
                    done, most = done + 1, max(most, len(result.faces))
                    share += float(result.invented.mean())
                    given.count(result.invented)
                    tell(done, info.frames)
        if not most:
            raise NoFaceError("no face found in any frame")
        left_out, squeezed = writer.left_out, writer.squeezed
        damaged, cut_off = reader.damaged + writer.broken, reader.cut_off
        whole = not damaged and cut_off is None  # else what can be read is better than the file
        if not share and whole and container == FORMATS.get(source.suffix.lower()):
            shutil.copyfile(source, partial)
            left_out, squeezed = (), False
        return ClipReport(
            done, most, share / done, damaged, cut_off, left_out, squeezed, given.outside
        )


def _check_names(target: Path, source: Path, mask: Path | None, invented: Path | None) -> None:
    """No file that is written is another one of the call."""
    if same_file(target, source):
        raise UsageError(f"-o {target} is the input itself: choose another name")
    if mask and same_file(target, mask):
        raise UsageError(f"-o {target} is the mask: choose another name")
    if invented and any(same_file(invented, p) for p in (target, source, mask) if p):
        raise UsageError(f"--invented {invented} is another file of this call: choose another name")


@contextmanager
def _writable(target: Path) -> Iterator[Path]:
    """`atomic_path`, with what the file system says as our own error."""
    if not target.parent.is_dir():
        raise TargetError(f"{target}: cannot be written: no such folder")
    try:
        with atomic_path(target) as partial:
            yield partial
    except OSError as error:
        raise TargetError(f"{target}: cannot be written: {error.strerror or error}") from None


def _comment(restorer: Restorer) -> str:
    model = restorer.model.weights.fingerprint
    return (
        f"Parts of faces in this clip were invented by unveil {__version__}, model {model}. "
        "Not for identification."
    )


class _Given:
    """Masks on their way to what restores, and how much of them lies in no face."""

    def __init__(self, masks: Mask | Iterator[Mask] | None) -> None:
        self._masks = masks
        self._under_way: deque[Mask] = deque()
        self._hidden = self._outside = 0  # pixels

    def masks(self) -> Mask | Iterator[Mask] | None:
        """As `restore_video` takes them."""
        if self._masks is None or isinstance(self._masks, np.ndarray):
            return self._masks
        return self._noted(self._masks)

    def _noted(self, masks: Iterator[Mask]) -> Iterator[Mask]:
        for mask in masks:
            self._under_way.append(mask)
            yield mask

    def count(self, invented: Mask) -> None:
        """Take in what became of the next frame."""
        if self._masks is None:
            return
        mask = self._masks if isinstance(self._masks, np.ndarray) else self._under_way.popleft()
        self._hidden += int(np.count_nonzero(mask))
        self._outside += int(np.count_nonzero(mask & ~invented))

    @property
    def outside(self) -> float | None:
        """See `ClipReport`."""
        return self._outside / self._hidden if self._hidden else None


def _masks(path: Path, size: tuple[int, int]) -> Mask | Generator[Mask, None, None]:
    """A mask for all frames, or those of a clip, which are read as they are needed."""
    if not is_image(path):
        return _masks_of_clip(path, size)
    try:
        mask = read_mask(path)
    except (ImageError, MaskError) as error:
        raise MaskError(f"--mask {path}: {error}") from None
    if mask.shape != size:
        raise MaskError(
            f"--mask {path}: it is {mask.shape[1]}x{mask.shape[0]}, the clip {size[1]}x{size[0]}"
        )
    return mask


def _masks_of_clip(path: Path, size: tuple[int, int]) -> Generator[Mask, None, None]:
    try:
        with VideoReader(path) as reader:
            if reader.info.size != size:
                height, width = reader.info.size
                wanted = f"the clip {size[1]}x{size[0]}"
                raise MaskError(f"--mask {path}: it is {width}x{height}, {wanted}")
            for frame in reader:
                if reader.damaged:
                    raise MaskError(
                        f"--mask {path}: damaged after {reader.read} frames: masks behind that "
                        "would lie on other frames than theirs"
                    )
                yield cv2.cvtColor(frame.photo, cv2.COLOR_RGB2GRAY) > 127  # as of images
    except VideoError as error:
        raise MaskError(f"--mask {path}: {error}") from None
