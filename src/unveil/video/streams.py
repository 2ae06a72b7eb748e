"""Sound and subtitles of a clip on their way into another."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from unveil.errors import UsageError
from unveil.video.containers import held_by
from unveil.video.reader import open_input

ADTS = "\x10\x16\0\0"  # AVI's mark of AAC as MPEG-TS has it


class OtherStreams:
    """The streams beside the picture, copied packet by packet.

    Args:
        source: the clip that they come from.
        output: where they go; no packet of it may be written yet.
        container: see `container_of`.

    Raises:
        UsageError: the container cannot hold one of them.
    """

    def __init__(self, source: Path, output: av.container.OutputContainer, container: str) -> None:
        # Opened a second time: the packets then come when they are needed, and none wait.
        self._input = open_input(source)
        self._output = output
        self._streams: dict[int, Any] = {}
        held = held_by(output)
        self.metadata = dict(self._input.metadata)
        for stream in self._input.streams:
            if stream.type not in ("audio", "subtitle"):
                continue
            name, kind = stream.codec_context.codec.canonical_name, stream.type
            if name not in held:
                self._input.close()  # and nothing may touch a stream of it any more
                raise UsageError(
                    f"its {kind} ({name}) cannot be copied into {container}: write to .mkv, "
                    "which holds everything"
                )
            copy = output.add_stream_from_template(stream)
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition
            if container == "avi" and name == "aac" and not stream.codec_context.extradata:
                copy.codec_context.codec_tag = ADTS
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


def _time(packet: av.Packet[Any]) -> Fraction:
    """In seconds."""
    return Fraction(packet.dts or 0) * Fraction(packet.time_base or 0)
