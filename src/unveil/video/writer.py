"""Writes a clip: the new picture, and everything else of the old file as it was.

What is not invented goes to the encoder as it was decoded, in its own pixel format: a 10-bit clip
stays one, and no colour is rounded to RGB and back.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from unveil.errors import TargetError, UsageError, VideoError
from unveil.imaging import Mask, Photo
from unveil.video.containers import held_by, suffix_of
from unveil.video.encoding import (
    ENCODERS,
    Encoding,
    colours_of,
    default_codec,
    keeps_all,
    keeps_aspect,
    loses_nothing,
    options_of,
    pixel_format,
)
from unveil.video.opening import place_of
from unveil.video.planes import keep_known
from unveil.video.reader import ClipInfo, Frame
from unveil.video.streams import OtherStreams

# Errors of a place, which every container would meet.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PLACE = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, *FULL)


class VideoWriter:
    """Writes frames, and beside them copies the other streams of the source, packet by packet.

    Args:
        path: the file to write; its name says nothing, `container` does.
        container: see `container_of`.
        info: of the source.
        source: the clip whose sound, subtitles, chapters and title are copied; None: none are.
            Text is converted, and other subtitles are left out, where the container lacks theirs.
        encoding: see `Encoding`.
        comment: goes into the file's metadata, after the source's own.
        name: what messages call the file; None: they do not name it.
        max_pixels: of a frame of the source.

    Attributes:
        left_out: FFmpeg's names of the kinds of subtitles that were left out.
        squeezed: pixels that are not square are shown as if they were: the file cannot say it.

    Raises:
        UsageError: the container cannot hold the codec, or the sound of the source.
        TargetError: the file cannot be written.
        VideoError: perhaps not in this container.
    """

    def __init__(
        self,
        path: Path,
        container: str,
        info: ClipInfo,
        source: Path | None = None,
        encoding: Encoding | None = None,
        comment: str = "",
        name: Path | None = None,
        max_pixels: int | None = None,
    ) -> None:
        encoding = encoding or Encoding()
        self._name = name
        self.info = info
        # What AVI counts is frames: its rate must be the clip's, see `even_rate`.
        self._numbered = container == "avi"
        self._clock = 1 / info.rate if self._numbered else info.time_base
        self._first: int | None = None
        self._last = -1
        self._written = self._latest = 0  # how many frames, and when the last begins
        self._lengths: dict[int, int] = {}  # of frames that the encoder holds back, by their times
        self._others: OtherStreams | None = None
        self.left_out: tuple[str, ...] = ()
        try:
            # Sound that begins with a negative time would move the picture.
            options = {"avoid_negative_ts": "disabled"} if self._numbered else {}
            self._output = av.open(place_of(path), "w", format=container, options=options)
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from None
        try:
            held = held_by(self._output)
            codec = encoding.codec or default_codec(info, held)
            if codec not in held:
                raise UsageError(f"{suffix_of(container)} cannot hold {codec}; .mkv can")
            self.squeezed = not keeps_aspect(info.aspect, codec, container)
            options = options_of(codec, encoding.quality, container)
            exact = keeps_all(codec, encoding.quality)
            pix_fmt = pixel_format(info, codec, exact, encoding.plain)
            self._stream = self._video(codec, options, pix_fmt)
            if source is not None:
                self._others = OtherStreams(source, self._output, container, max_pixels)
                self.left_out = tuple(self._others.left_out)
                self._stream.metadata.update(self._others.of_picture)
            said = {} if self._others is None else self._others.metadata
            self._output.metadata.update(_with_comment(said, comment))
            self._begin()
        except BaseException:
            with suppress(VideoError):  # nothing is in it that could be finished
                self._close()
            raise

    def _begin(self) -> None:
        """Open the encoder and write the file's head: then it is known what the container takes."""
        try:
            self._output.start_encoding()
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error, suffix_of(self._output.format.name)) from None

    def _failed(self, error: av.FFmpegError | OSError, suffix: str = "") -> VideoError:
        """Why the file cannot be written: because of its place, or, perhaps, of its container."""
        reason = f"cannot be written: {error.strerror or error}"
        if self._name:
            reason = f"{self._name}: {reason}"
        if suffix and error.errno not in PLACE:
            return VideoError(f"{reason}; another container than {suffix} may take it")
        return TargetError(reason)

    def _video(self, codec: str, options: dict[str, str], pix_fmt: str) -> av.VideoStream:
        info = self.info
        stream: Any = self._output.add_stream(ENCODERS[codec], rate=info.rate, options=options)
        stream.height, stream.width = info.size
        stream.pix_fmt = pix_fmt
        context = stream.codec_context
        if codec == "hevc" and self._output.format.name in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # else Apple's players refuse it
        context.time_base = stream.time_base = self._clock
        if info.aspect:
            context.sample_aspect_ratio = info.aspect
        self._matrix, context.color_primaries, context.color_trc, self._full = colours_of(
            info, pix_fmt
        )
        context.colorspace, context.color_range = self._matrix, self._full
        return stream  # type: ignore[no-any-return]

    @property
    def broken(self) -> int:
        """Packets of other streams that were left out so far, because they are damaged."""
        return 0 if self._others is None else self._others.broken

    def write(self, frame: Frame, photo: Photo, invented: Mask) -> None:
        """Write a frame at its time.

        Args:
            frame: as it was read.
            photo: (H, W, 3) uint8, the new picture.
            invented: (H, W) bool, where it differs from the old one.

        Raises:
            TargetError: the disk is full, or the encoder fails.
        """
        try:
            new = self._picture(frame, photo, invented)
            new.pts, new.time_base = self._time(frame), self._clock
            self._note_length(new.pts, 1 if self._numbered else frame.duration)
            if self._others:
                self._others.copy_until(frame.time * self.info.time_base)
            self._mux(self._stream.encode(new))
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from None

    def _time(self, frame: Frame) -> int:
        """When a frame is shown, by the clock of the new file."""
        if not self._numbered:
            return frame.time
        self._first = frame.time if self._first is None else self._first
        number = round((frame.time - self._first) * self.info.time_base / self._clock)
        self._last = max(self._last + 1, number)
        return self._last

    def _note_length(self, time: int, told: int) -> None:
        """A frame lasts until the next; only for the last one counts what its file tells."""
        if self._written and self._latest in self._lengths:
            self._lengths[self._latest] = time - self._latest
        self._written, self._latest = self._written + 1, time
        self._lengths[time] = told

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        for packet in packets:
            # Encoders forget it, and containers then take the mean of all.
            length = self._lengths.pop(packet.pts or 0, 0)
            packet.duration = length or packet.duration
        self._output.mux(packets)

    def _picture(self, frame: Frame, photo: Photo, invented: Mask) -> av.VideoFrame:
        wanted, source = str(self._stream.pix_fmt), frame.source
        if source is not None and not loses_nothing(source.format.name, wanted):
            source = None
        elif source is not None and source.format.name != wanted:
            source = source.reformat(format=wanted)
        if source is not None and not invented.any():
            # A new frame, because the decoder may still need its own.
            return keep_known(av.VideoFrame(source.width, source.height, wanted), source, invented)
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(photo), format="rgb24")
        picture = picture.reformat(
            format=wanted,
            dst_colorspace=self._matrix if self._matrix in (1, 4, 5, 6, 7, 9) else None,
            dst_color_range=self._full or None,
        )
        return picture if source is None else keep_known(picture, source, invented)

    def finish(self) -> None:
        """Write what is still held back, and the rest of the other streams."""
        try:
            packets = self._stream.encode(None)
            if self._written <= 2:
                for packet in packets:
                    packet.dts = packet.pts  # x265 leaves those of one or two frames to chance
            self._mux(packets)
            if self._others:
                self._others.copy_until(None)
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self._close()

    def _close(self) -> None:
        if self._others:
            self._others.close()
        try:
            self._output.close()
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from None


def _with_comment(metadata: dict[str, str], comment: str) -> dict[str, str]:
    """What a file says of itself, and our comment after its own, unless it is there already."""
    kept = {name: text for name, text in metadata.items() if name.lower() != "comment"}
    said = [text for name, text in metadata.items() if name.lower() == "comment"]
    if comment and not any(comment in text for text in said):
        said.append(comment)
    return kept | ({"comment": "\n".join(said)} if said else {})
