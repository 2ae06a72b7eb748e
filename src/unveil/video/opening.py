"""Opens a clip and finds its picture."""

from __future__ import annotations

import stat
from pathlib import Path

import av
from av.container.core import Flags
from av.stream import Disposition

from unveil.errors import TooLargeError, VideoError
from unveil.names import is_image

# FFmpeg counts sides that are rounded up to whole blocks: the exact limit is ours to check.
ROUNDED_UP = 2


def open_input(
    path: Path, max_pixels: int | None = None, formats: str | None = None
) -> av.container.InputContainer:
    """Open a clip.

    Args:
        path: the file.
        max_pixels: of a frame; larger ones are not decoded. `check_size` says which are too large.
        formats: FFmpeg's names of the only containers to open, `mov,avi`; None: all that it knows.

    Raises:
        VideoError: missing, empty, a pipe, a photo, nothing that FFmpeg knows, or none of
            `formats`.
    """
    bound = {} if max_pixels is None else {"max_pixels": str(ROUNDED_UP * max_pixels)}
    try:
        found = path.stat()
        if stat.S_ISFIFO(found.st_mode):
            raise VideoError("a pipe, where a file is needed, which can be read twice")
        if found.st_size == 0:
            raise VideoError("empty file")
        # Frames are decoded here already, to see what they are; so the bound is set twice.
        options = bound if formats is None else bound | {"format_whitelist": formats}
        container = av.open(place_of(path), metadata_errors="replace", options=options)
        for stream in container.streams.video:
            if stream.codec_context is not None:  # of a codec that FFmpeg does not know
                stream.codec_context.options = bound
        still = container.format.name == "image2" or container.format.name.endswith("_pipe")
        if still and is_image(path):  # a stream of them, .mjpeg, is a clip
            container.close()
            raise VideoError("a picture, not a clip: unveil restore takes those that stand still")
        if container.format.name == "avi":
            # PyAV has times generated that are not in it: each the next frame's.
            container.flags &= ~Flags.gen_pts.value  # type: ignore[operator]
        return container
    except FileNotFoundError:
        raise VideoError("no such file") from None
    except IsADirectoryError:
        raise VideoError("a folder, not a clip") from None
    except (av.InvalidDataError, av.ArgumentError):
        raise VideoError("not a video, or damaged or cut off") from None
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"cannot be read: {error.strerror or error}") from None


def check_size(picture: av.VideoFrame | av.VideoCodecContext, max_pixels: int | None) -> None:
    """Refuse a frame, or a stream of frames, of more than so many pixels.

    Raises:
        TooLargeError: it has more.
    """
    width, height = picture.width, picture.height
    if max_pixels is not None and width * height > max_pixels:
        raise TooLargeError(f"the clip is {width}x{height}, over {max_pixels / 1e6:g} megapixels")


def check_error(error: Exception, stream: av.VideoStream, max_pixels: int | None) -> None:
    """Refuse a frame that FFmpeg did not decode for its size; it only says that a number is wrong.

    Raises:
        TooLargeError: that was it.
    """
    refused = isinstance(error, av.ArgumentError) and not stream.codec_context.width
    if max_pixels is not None and refused:
        raise TooLargeError(f"a frame of the clip is over {max_pixels / 1e6:g} megapixels")


def place_of(path: Path) -> str:
    """A path as FFmpeg takes it: of `12:30.mp4` it would take the 12 for a protocol."""
    return str(path.absolute())


def picture_of(container: av.container.InputContainer) -> av.VideoStream:
    """The stream that is the clip; a cover picture, which may come first, is not.

    Raises:
        VideoError: there is none.
    """
    pictures = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    for stream in pictures:
        if stream.codec_context is not None:
            return stream
    unknown = "its picture is of a codec that cannot be decoded"
    raise VideoError(unknown if pictures else "no video in it")
