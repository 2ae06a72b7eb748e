"""AVI: its frames have numbers and no times, so that only even ones can be written."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from unveil.errors import UsageError
from unveil.video.clock import Clock, packets_of
from unveil.video.opening import open_input, picture_of
from unveil.video.reader import ClipInfo
from unveil.video.told import rates_of

# Of a frame: further from its place than this, or a unit of the clip's time, none is by rounding.
OFF, MOST_OFF = Fraction(1, 20), Fraction(1, 4)
SHIFTED = 0.1  # seconds of sound before or after the picture that nobody notices


def even_rate(path: Path, info: ClipInfo, sound: bool = True) -> Fraction:
    """Frames a second of a clip that AVI can hold: evenly spaced, but for some that are missing.

    Told before anything is decoded, by the times of the packets.

    Args:
        path, info: of the clip.
        sound: whether the AVI gets its sound, too.

    Raises:
        UsageError: AVI cannot hold it.
        VideoError: the clip cannot be read.
    """
    with open_input(path) as container:
        stream = picture_of(container)
        rates = [info.rate, *rates_of(stream)]
        clock = Clock.of(container)
        starts = [clock.start_of(stream) for stream in container.streams.audio if sound]
        times = sorted(_times(container, clock))
    if not times or times[0] == times[-1]:
        return info.rate
    if any(abs(start - times[0]) > SHIFTED for start in starts):
        raise UsageError(
            "its sound does not begin with its picture, which avi cannot hold: .mp4 and .mkv can"
        )
    # A rate that a header rounds is off by whole frames at the end of a long clip.
    rates.append(((len(times) - 1) / (times[-1] - times[0])).limit_denominator(10_000))
    for rate in rates:
        off = min(max(OFF, info.time_base * rate), MOST_OFF)
        places = [(time - times[0]) * rate for time in times]
        if all(abs(place - round(place)) <= off for place in places):
            return rate
    raise UsageError("its frames are not evenly spaced, which avi cannot hold: .mp4 and .mkv can")


def _times(container: av.container.InputContainer, clock: Clock) -> Iterator[Fraction]:
    """In seconds, of the frames that are shown; if a clip is damaged or cut off, up to there."""
    picture, packets = picture_of(container).index, packets_of(container, clock)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError, OSError):
            return
        time = packet.dts if packet.pts is None else packet.pts
        if time is not None and packet.stream.index == picture and not packet.is_discard:
            yield time * Fraction(packet.time_base)
