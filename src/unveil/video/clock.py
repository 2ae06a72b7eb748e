"""The packets of a clip on one clock, which does not jump."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from unveil.video.opening import picture_of

# What goes back by more than this, and than a few packets, is a jump and no camera's jitter.
JUMP = Fraction(1, 5)  # seconds
FEW = 3
# Formats whose clock begins anywhere; where it goes on by more seconds than this, in all streams,
# another clip is put behind the first.
FREE, GAP = ("mpegts", "mpeg"), Fraction(10)


def packets_of(
    container: av.container.InputContainer, clock: Clock | None = None
) -> Iterator[av.Packet[Any]]:
    """All packets of a clip in the order of the file, on one clock.

    Raises:
        av.FFmpegError, OSError: the file cannot be read on.
    """
    clock = clock or Clock.of(container)
    for packet in container.demux():
        clock.put_right(packet)
        yield packet


@dataclass
class _Stream:
    """Where a stream is.

    Attributes:
        last: when its last packet began, by the file.
        step: how long that is.
        stretch: how often the clock has jumped.
        shift: of its packets, while the picture has not jumped as often.
        before: `last` before a jump; None: it is not just behind one.
    """

    last: Fraction
    step: Fraction = Fraction(0)
    stretch: int = 0
    shift: Fraction = Fraction(0)
    before: Fraction | None = None


class Clock:
    """Moves packets that come after a jump.

    MPEG-TS files put one behind another begin at times of their own: the second is moved to where
    the picture of the first ends, and all other streams by as much.

    Args:
        picture: the index of its stream.
        free: whether the format is one of `FREE`.
        begin: the second that becomes 0.
    """

    def __init__(self, picture: int, free: bool = False, begin: Fraction = Fraction(0)) -> None:
        self.begin = begin
        self._picture = picture
        self._free = free
        self._streams: dict[int, _Stream] = {}
        self._shifts = [-begin]  # in seconds, of each stretch of the picture

    @classmethod
    def of(cls, container: av.container.InputContainer) -> Clock:
        """The clock of a clip, of which no packet may have been read."""
        free = container.format.name in FREE
        begin = Fraction(container.start_time or 0, av.time_base) if free else Fraction(0)
        return cls(picture_of(container).index, free, begin)

    @property
    def jumps(self) -> int:
        """How often that of the picture has jumped."""
        return len(self._shifts) - 1

    def start_of(self, stream: av.VideoStream | av.AudioStream) -> Fraction:
        """When a stream begins, in seconds; 0 where its file does not say."""
        start = stream.start_time
        if start is None:
            return Fraction(0)
        return start * Fraction(stream.time_base or 0) - self.begin

    def put_right(self, packet: av.Packet[Any]) -> None:
        """Move a packet to its time."""
        base = Fraction(packet.time_base or 0)
        if packet.dts is None or not base:
            return
        shift = self._shifts[-1]
        if packet.stream.type in ("video", "audio"):  # others are too rare to show jumps
            length = (packet.duration or 0) * base
            now = packet.dts * base
            shift = self._shift(packet.stream.index, now, length, packet.is_keyframe)
        if shift:
            packet.dts += round(shift / base)
            if packet.pts is not None:
                packet.pts += round(shift / base)

    def _shift(self, index: int, now: Fraction, step: Fraction, begins: bool) -> Fraction:
        """By how much a packet is to be moved, in seconds; `begins`: a clip can begin with it."""
        stream = self._streams.setdefault(index, _Stream(now))
        limit = max(JUMP, FEW * stream.step)
        went = now - stream.last
        if not step:  # not said
            step = went if 0 < went <= limit or not stream.step else stream.step
        if stream.before is not None and 0 <= now - stream.before < limit:
            # It was one broken time, not a jump.
            stream.stretch, stream.before = stream.stretch - 1, None
            if index == self._picture:
                self._shifts.pop()
        elif went < -limit or self._leaps(stream, now, max(GAP, limit), begins):
            stream.shift = self._of(stream) + stream.last + stream.step - now
            stream.stretch += 1
            stream.before = stream.last
            if index == self._picture:
                self._shifts.append(stream.shift)
        else:
            stream.before = None
        stream.last, stream.step = now, step
        return self._of(stream)

    def _leaps(self, stream: _Stream, now: Fraction, far: Fraction, begins: bool) -> bool:
        """Whether it is the clock that goes on by much, and not a stream that has a gap.

        A picture without sound has one where a camera waits for something to happen.
        """
        if not self._free or now - stream.last <= far:
            return False
        others = self._streams.values()
        if len(others) == 1 and not begins:
            return False
        behind = any(other.stretch > stream.stretch for other in others)
        return behind or all(now - other.last > far for other in others)

    def _of(self, stream: _Stream) -> Fraction:
        return self._shifts[stream.stretch] if stream.stretch < len(self._shifts) else stream.shift
