"""Opens a clip and finds its picture."""

from __future__ import annotations

from pathlib import Path

import av
from av.container.core import Flags
from av.stream import Disposition

from unveil.errors import VideoError


def open_input(path: Path) -> av.container.InputContainer:
    """Open a clip.

    Raises:
        VideoError: missing, empty, or nothing that FFmpeg knows.
    """
    try:
        if path.stat().st_size == 0:
            raise VideoError("empty file")
        container = av.open(place_of(path), metadata_errors="replace")
        if container.format.name == "avi":
            # PyAV has times generated that are not in it: each the next frame's.
            container.flags &= ~Flags.gen_pts.value  # type: ignore[operator]
        return container
    except FileNotFoundError:
        raise VideoError("no such file") from None
    except IsADirectoryError:
        raise VideoError("a folder, not a clip") from None
    except av.InvalidDataError:
        raise VideoError("not a video, or damaged or cut off at its start") from None
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"cannot be read: {error.strerror or error}") from None


def place_of(path: Path) -> str:
    """A path as FFmpeg takes it: of `12:30.mp4` it would take the 12 for a protocol."""
    return str(path.absolute())


def picture_of(container: av.container.InputContainer) -> av.VideoStream:
    """The stream that is the clip; a cover picture, which may come first, is not.

    Raises:
        VideoError: there is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise VideoError("no video in it")
