"""Reads a clip frame by frame: upright photos with the times that the file gives them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from unveil.errors import VideoError
from unveil.imaging import Photo
from unveil.video.clock import Clock, packets_of
from unveil.video.opening import check_error, check_size, open_input, picture_of
from unveil.video.planes import to_photo
from unveil.video.told import count_of, rates_of, tagged_end

USUAL_RATE = Fraction(25)
# A header's duration is rounded, and the last frame's own length is often not in it.
TOLERANCE = 0.5  # seconds
EVEN = 0.8  # of a clip's frames follow the one before at the same distance: it is even


@dataclass(frozen=True)
class ClipInfo:
    """What a clip's file says of its picture.

    Attributes:
        size: (height, width) of the upright photos.
        rotation: degrees counterclockwise that were applied to make them upright: 0, 90, 180, 270.
        mirrored: top and bottom were exchanged before that.
        rate: mean frames a second.
        time_base: seconds to a unit of a frame's time.
        frames: how many there should be; None where the file does not say.
        duration: seconds, or None.
        codec: FFmpeg's name of the codec, `h264`.
        pix_fmt: FFmpeg's name of the pixel format, `yuv420p`.
        aspect: width / height of a pixel; 0 where the file does not say.
        colours: FFmpeg's numbers for matrix, primaries, transfer and range.
    """

    size: tuple[int, int]
    rotation: int
    mirrored: bool
    rate: Fraction
    time_base: Fraction
    frames: int | None
    duration: float | None
    codec: str
    pix_fmt: str
    aspect: Fraction
    colours: tuple[int, int, int, int]


@dataclass(frozen=True)
class Frame:
    """A frame.

    Attributes:
        photo: HWC uint8 RGB, upright.
        time: in units of the clip's time base; grows from frame to frame.
        duration: in the same units, 0 where unknown.
        source: as it was decoded, with the precision and colour of the file; None where it had to
            be turned, or is of another size or kind of colours than the first frame.
    """

    photo: Photo
    time: int
    duration: int
    source: av.VideoFrame | None


class VideoReader:
    """A clip to iterate over, once; holds one frame at a time, of at most `max_pixels`.

    Attributes:
        info: see `ClipInfo`.
        read: frames given so far.

    Raises:
        VideoError: no clip, nothing in it that can be decoded, or the file cannot be read; of
            colours that cannot be converted, while it is read.
        TooLargeError: a frame has more pixels; a later one while it is read.
    """

    def __init__(
        self, path: Path, max_pixels: int | None = None, formats: str | None = None
    ) -> None:
        """Args: see `open_input`."""
        self.path, self._most = path, max_pixels
        self.read = self._broken = 0
        self._steps: Counter[int] = Counter()  # how often a frame comes so long after another
        self._end = self._furthest = Fraction(0)  # of the picture, and of all there is
        self._container = open_input(path, max_pixels, formats)
        try:
            self._stream = picture_of(self._container)
            check_size(self._stream.codec_context, max_pixels)
            # Not one thread a frame: at the first broken packet of the end, FFmpeg would drop all
            # frames that wait in others.
            self._stream.thread_type = "SLICE"
            self._clock = Clock.of(self._container)
            # Asked now: the stream's memory is gone when the container is closed.
            self._start = self._clock.start_of(self._stream)
            self._received = self._container.format.name == "mpegts"
            # AVI counts, too, the frames that were left out.
            self._numbered = self._container.format.name == "avi"
            frames = self._decode()
            first = next(frames, None)
            if first is None:
                raise VideoError("no frame of it can be decoded: empty, damaged or cut off")
            self._frames: Iterator[av.VideoFrame] = chain([first], frames)
            self.info = self._describe(first)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        info, last, first = self.info, None, None
        step = max(1, round(1 / (info.rate * info.time_base)))
        for frame in self._frames:
            time = frame.dts if self._numbered else frame.pts
            if time is not None and self._numbered:
                # AVI numbers frames as they are decoded; numbers come out of the decoder in order,
                # and late where frames wait for others: then the first one has no time of its own.
                first = (time if frame.pts is None else 0) if first is None else first
                time -= first
            elif time is None:
                time = 0 if last is None else last + step
            # Two frames at one time cannot be written; some cameras make them.
            if last is not None:
                time = max(time, last + 1)
                self._steps[time - last] += 1
            last = time
            yield self._upright(frame, time)
            self.read += 1
            self._end = (time + max(frame.duration or 0, 0)) * info.time_base

    @property
    def damaged(self) -> int:
        """After the last frame: how many frames are broken or missing, as far as can be told.

        Broken are those of packets that are marked so or could not be decoded, and those whose lost
        parts the decoder has made up.
        """
        return max(self._broken, self._missing())

    def _missing(self) -> int:
        """Frames that an even clip lacks.

        Somebody may have left them out, but of MPEG-TS, which is received, most often nothing else
        tells of what was lost.
        """
        if not self._steps or not (self._broken or self._received):
            return 0
        ((step, _),) = self._steps.most_common(1)
        even = sum(n for s, n in self._steps.items() if abs(s - step) <= max(1, step // 20))
        if even < EVEN * self._steps.total():
            return 0
        longer = sum(n * (round(s / step) - 1) for s, n in self._steps.items() if s > 1.5 * step)
        # Of frames that come in pairs, one late and the next early, none is missing.
        return max(0, longer - sum(n for s, n in self._steps.items() if s < 0.5 * step))

    @property
    def cut_off(self) -> float | None:
        """After the last frame: the second at which the clip ended too early; None: it is whole."""
        info = self.info
        end = float(self._end - self._start)
        seen = self.read + self.damaged  # what is broken on the way is not cut off
        if info.frames and not self._numbered and seen < 0.98 * info.frames - 1:
            return end
        reached = float((self._furthest if self._of_all else self._end) - self._zero)
        if self._clock.jumps or not info.duration:  # a duration counts the jumps
            return None
        missing = info.duration - reached
        allowed = max(TOLERANCE, 0.02 * info.duration)
        if self._exact:
            # But for the last frame, whose length may not be told: at most as long as another.
            allowed = TOLERANCE + float(max(self._steps, default=0) * info.time_base)
        return end if missing > allowed else None

    def _decode(self) -> Iterator[av.VideoFrame]:
        """All frames that can be decoded; damage is passed over and counted."""
        clock, jumps = self._clock, 0
        packets = packets_of(self._container, clock)
        marked = deque([False, False], 2)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):
                self._broken += 1
                return
            self._furthest = max(self._furthest, end_of(packet))
            if packet.stream.index != self._stream.index:
                continue
            if clock.jumps > jumps:
                # Where clips are put one behind another, the end of the first is marked broken.
                self._broken -= any(marked)
            jumps = clock.jumps
            marked.append(packet.is_corrupt)
            self._broken += packet.is_corrupt
            try:
                for frame in packet.decode():
                    check_size(frame, self._most)
                    self._broken += frame.is_corrupt
                    yield frame
            except (av.FFmpegError, OSError) as error:
                check_error(error, self._stream, self._most)
                self._broken += 1

    def _describe(self, first: av.VideoFrame) -> ClipInfo:
        stream, context = self._stream, self._stream.codec_context
        rotation = round(first.rotation / 90) % 4 * 90
        size = (first.height, first.width)
        aspect = Fraction(stream.sample_aspect_ratio or 0)
        if rotation in (90, 270):
            size, aspect = size[::-1], 1 / aspect if aspect else aspect
        base = Fraction(stream.time_base or 0) or 1 / USUAL_RATE
        rate = next(iter(rates_of(stream)), USUAL_RATE)
        # Where the duration is counted from, and whether it is that of sound and subtitles too.
        self._zero, self._of_all = Fraction(0), False
        duration = tagged_end(stream.metadata)
        self._exact = duration is not None and not stream.duration
        if stream.duration:
            self._zero, duration = self._start, float(stream.duration * base)
        elif not duration and self._container.duration:
            self._of_all, duration = True, self._container.duration / 1_000_000
        return ClipInfo(
            size=size,
            rotation=rotation,
            mirrored=is_mirrored(first),
            rate=rate,
            time_base=base,
            frames=count_of(stream),
            duration=duration,
            codec=context.codec.canonical_name,
            pix_fmt=first.format.name,
            aspect=aspect,
            colours=(
                int(first.colorspace),
                int(context.color_primaries),
                int(context.color_trc),
                int(first.color_range),
            ),
        )

    def _upright(self, frame: av.VideoFrame, time: int) -> Frame:
        turns, (height, width) = self.info.rotation // 90, self.info.size
        if turns % 2:
            height, width = width, height
        changed = (frame.height, frame.width) != (height, width)
        photo = to_photo(frame.reformat(width, height) if changed else frame)
        turned = turns > 0 or self.info.mirrored
        if turned:
            photo = photo[::-1] if self.info.mirrored else photo
            photo = np.ascontiguousarray(np.rot90(photo, turns))
        matrix, _, _, full = self.info.colours
        kind = (frame.format.name, int(frame.colorspace), int(frame.color_range))
        same = not turned and not changed and kind == (self.info.pix_fmt, matrix, full)
        return Frame(photo, time, max(frame.duration or 0, 0), frame if same else None)


def is_mirrored(frame: av.VideoFrame) -> bool:
    """Whether the matrix that says how to show a frame mirrors it, beside turning it."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False
    (a, b, _), (c, d, _), _ = np.frombuffer(bytes(matrix), np.int32).reshape(3, 3).tolist()
    return bool(a * d - b * c < 0)


def end_of(packet: av.Packet[Any]) -> Fraction:
    """When a packet ends, in seconds."""
    begin = packet.dts if packet.pts is None else packet.pts
    return Fraction((begin or 0) + (packet.duration or 0)) * Fraction(packet.time_base or 0)
