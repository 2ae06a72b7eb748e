"""Writes a clip: the new picture, and everything else of the old file as it was.

What is not invented goes to the encoder as it was decoded, in its own pixel format: a 10-bit clip
stays one, and no colour is rounded to RGB and back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from unveil.errors import UsageError, VideoError
from unveil.imaging import Mask, Photo
from unveil.video.planes import keep_known
from unveil.video.reader import ClipInfo, Frame, open_input

FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
    ".ts": "mpegts",
}
ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "ffv1": "ffv1"}
DEFAULT_QUALITY = 18
# Half of the processor is for the faces, so not the slowest preset.
PRESET = "veryfast"


@dataclass(frozen=True)
class Encoding:
    """How a clip is written.

    Attributes:
        codec: a name of `ENCODERS`; None: H.264, in .webm VP9.
        quality: 0 (lossless) to 51 (worst), as x264's CRF: 6 less is about twice the size.
    """

    codec: str | None = None
    quality: int = DEFAULT_QUALITY

    def __post_init__(self) -> None:
        if self.codec is not None and self.codec not in ENCODERS:
            raise UsageError(f"--codec {self.codec}: there are {', '.join(ENCODERS)}")
        if not 0 <= self.quality <= 51:
            raise UsageError(f"--quality must be 0 (lossless) to 51 (got {self.quality})")


def container_of(path: Path) -> str:
    """FFmpeg's name of the container for a file name's suffix.

    Raises:
        UsageError: if it is not one that can be written.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path}: write to {', '.join(FORMATS)}")
    return kind


def pixel_format(info: ClipInfo, codec: str) -> str:
    """The format to write: the source's own where the codec has it, else the nearest."""
    known = {f.name for f in av.Codec(ENCODERS[codec], "w").video_formats or ()}
    odd = info.size[0] % 2 or info.size[1] % 2
    source = av.VideoFormat(info.pix_fmt)
    halved = any(c.width < 2 or c.height < 2 for c in av.VideoFormat(info.pix_fmt, 2, 2).components)
    turned = info.rotation % 180 == 90 and info.pix_fmt.startswith("yuv422")
    if info.pix_fmt in known and not source.is_rgb and not (odd and halved) and not turned:
        return info.pix_fmt
    # x264 has no odd sizes with halved colour, and a clip keeps its size here.
    name = "yuv444p" if odd or turned else "yuv420p"
    deep = f"{name}10le"
    bits = max(c.bits for c in source.components)
    return deep if bits > 8 and deep in known else name


class VideoWriter:
    """Writes frames, and beside them copies the other streams of the source, packet by packet.

    Args:
        path: the file to write; its name says nothing, `container` does.
        container: see `container_of`.
        info: of the source.
        source: the clip whose sound, subtitles, chapters and title are copied; None: none are.
        encoding: see `Encoding`.
        comment: goes into the file's metadata.

    Raises:
        UsageError: the container cannot hold a stream of the source.
        VideoError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        container: str,
        info: ClipInfo,
        source: Path | None = None,
        encoding: Encoding | None = None,
        comment: str = "",
    ) -> None:
        encoding = encoding or Encoding()
        codec = encoding.codec or ("vp9" if container == "webm" else "h264")
        self.info = info
        self._others: _OtherStreams | None = None
        try:
            self._output = av.open(str(path), "w", format=container)
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"cannot be written: {error.strerror or error}") from None
        try:
            if codec not in _holds(self._output):
                raise UsageError(f"--codec {codec}: {container} cannot hold it: write to .mkv")
            self._stream = self._video(codec, encoding.quality)
            if source is not None:
                self._others = _OtherStreams(source, self._output, container)
                self._output.metadata.update(self._others.metadata)
            if comment:
                self._output.metadata["comment"] = comment
        except BaseException:
            self._close()
            raise

    def _video(self, codec: str, quality: int) -> av.VideoStream:
        info, options = self.info, {}
        if codec in ("h264", "hevc"):
            options = {"crf": str(quality), "preset": PRESET}
        elif codec == "vp9":
            options = {"crf": str(quality), "b": "0", "deadline": "realtime", "cpu-used": "6"}
        if codec == "hevc":
            options["x265-params"] = "log-level=error"
        stream: Any = self._output.add_stream(ENCODERS[codec], rate=info.rate, options=options)
        stream.height, stream.width = info.size
        stream.pix_fmt = pixel_format(info, codec)
        context = stream.codec_context
        context.time_base = stream.time_base = info.time_base
        if info.aspect:
            context.sample_aspect_ratio = info.aspect
        matrix, context.color_primaries, context.color_trc, context.color_range = info.colours
        # A YUV file of RGB values has the matrix that the conversion uses.
        context.colorspace = matrix if not av.VideoFormat(info.pix_fmt).is_rgb else 2
        return stream  # type: ignore[no-any-return]

    def write(self, frame: Frame, photo: Photo, invented: Mask) -> None:
        """Write a frame at its time.

        Args:
            frame: as it was read.
            photo: (H, W, 3) uint8, the new picture.
            invented: (H, W) bool, where it differs from the old one.

        Raises:
            VideoError: the disk is full, or the encoder fails.
        """
        try:
            new = self._picture(frame, photo, invented)
            new.pts, new.time_base = frame.time, self.info.time_base
            if frame.duration:
                new.duration = frame.duration
            if self._others:
                self._others.copy_until(frame.time * self.info.time_base)
            self._output.mux(self._stream.encode(new))
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"cannot be written: {error.strerror or error}") from None

    def _picture(self, frame: Frame, photo: Photo, invented: Mask) -> av.VideoFrame:
        wanted, source = str(self._stream.pix_fmt), frame.source
        plain = source is not None and source.format.name == wanted
        if plain and source is not None and not invented.any():
            # A new frame, because the decoder may still need its own.
            return keep_known(av.VideoFrame(source.width, source.height, wanted), source, invented)
        matrix, _, _, full = self.info.colours
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(photo), format="rgb24")
        picture = picture.reformat(
            format=wanted,
            dst_colorspace=matrix if matrix in (1, 4, 5, 6, 7, 9) else None,
            dst_color_range=full or None,
        )
        return keep_known(picture, source, invented) if plain and source is not None else picture

    def finish(self) -> None:
        """Write what is still held back, and the rest of the other streams."""
        try:
            self._output.mux(self._stream.encode(None))
            if self._others:
                self._others.copy_until(None)
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"cannot be written: {error.strerror or error}") from None

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
            raise VideoError(f"cannot be written: {error.strerror or error}") from None


def _holds(output: av.container.OutputContainer) -> set[str]:
    return set(output.supported_codecs)


def _time(packet: av.Packet[Any]) -> Fraction:
    """In seconds."""
    return Fraction(packet.dts or 0) * Fraction(packet.time_base or 0)


class _OtherStreams:
    """Sound and subtitles of a clip on their way into another, as they are."""

    def __init__(self, source: Path, output: av.container.OutputContainer, container: str) -> None:
        # Opened a second time: the packets then come when they are needed, and none wait.
        self._input = open_input(source)
        self._output = output
        self._streams: dict[int, Any] = {}
        self.metadata = dict(self._input.metadata)
        for stream in self._input.streams:
            if stream.type not in ("audio", "subtitle"):
                continue
            name, kind = stream.codec_context.codec.canonical_name, stream.type
            if name not in output.supported_codecs:
                self._input.close()  # and nothing may touch a stream of it any more
                raise UsageError(
                    f"its {kind} ({name}) cannot be copied into {container}; Matroska (.mkv) "
                    "holds everything"
                )
            copy = output.add_stream_from_template(stream)
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition
            self._streams[stream.index] = copy
        if self._input.chapters():
            output.set_chapters(self._input.chapters())
        self._packets = self._read()
        self._waiting: av.Packet[Any] | None = None

    def _read(self) -> Iterator[av.Packet[Any]]:
        if not self._streams:
            return
        packets = self._input.demux([self._input.streams[i] for i in self._streams])
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError, OSError):
                return  # a clip that is cut off has sound up to there
            if packet.pts is None and packet.dts is None:
                continue  # the end, which demuxers tell by an empty packet
            if packet.dts is None:
                packet.dts = packet.pts
            yield packet

    def copy_until(self, time: Fraction | None) -> None:
        """Copy all packets that begin before a time in seconds; None: the rest."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            if time is not None and _time(packet) > time:
                self._waiting = packet
                return
            packet.stream = self._streams[packet.stream.index]
            self._output.mux(packet)

    def close(self) -> None:
        self._input.close()
