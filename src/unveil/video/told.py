"""What a clip's file tells of its picture before anything is decoded, and how far that is true."""

from __future__ import annotations

import re
from fractions import Fraction

import av

UNITS = 1000  # a second: clocks of so many or more are no rates


def rates_of(stream: av.VideoStream) -> list[Fraction]:
    """Frames a second, as a file says or FFmpeg guesses, the likeliest first; or none.

    Of a browser's recordings, where nothing says, it takes the clock's units for frames.
    """
    base = Fraction(stream.time_base or 0)
    told = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return [rate for rate in told if rate and not (rate >= UNITS and rate * base == 1)]


def count_of(stream: av.VideoStream) -> int | None:
    """How many frames a stream says that it has; of MP4 without those that are trimmed away."""
    entries = stream.index_entries
    if stream.frames and "mp4" in stream.container.format.name and len(entries):
        return sum(not entry.is_discard for entry in entries)
    return stream.frames or None


def tagged_end(metadata: dict[str, str]) -> float | None:
    """Where a stream ends by its tag `DURATION`, 00:01:02.500000000, in seconds.

    Matroska has it beside the duration of the file, which is that of its longest stream.
    """
    for name, text in metadata.items():
        found = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text.strip())
        if name.upper().startswith("DURATION") and found:
            hours, minutes, seconds = map(float, found.groups())
            return 3600 * hours + 60 * minutes + seconds
    return None
