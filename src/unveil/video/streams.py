"""Sound and subtitles of a clip on their way into another."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av

from unveil.errors import UsageError
from unveil.video.clock import packets_of
from unveil.video.containers import TEXTS, held_by, holders, suffix_of
from unveil.video.opening import open_input, picture_of

# For what loudspeakers channels are of which a file says only the number; MP4 must know.
LAYOUTS = {"1 channels": "mono", "2 channels": "stereo"}
ADTS = "\x10\x16\0\0"  # AVI's mark of AAC as MPEG-TS has it
TOLD = 8  # packets by which a container knows what a stream is
# What others call `location`.
IPHONE_PLACE = "com.apple.quicktime.location.ISO6709"


class OtherStreams:
    """The streams beside the picture, copied packet by packet; text may be written another way.

    Of Matroska, its attachments go with them into another one.

    Args:
        source: the clip that they come from.
        output: where they go; no packet of it may be written yet.
        container: see `container_of`.
        max_pixels: see `open_input`.

    Attributes:
        metadata: the clip's.
        of_picture: language and title of its picture.
        left_out: FFmpeg's names of the kinds of subtitles that the container cannot hold.
        broken: packets that were left out because they are damaged.

    Raises:
        UsageError: the container cannot hold its sound.
    """

    def __init__(
        self,
        source: Path,
        output: av.container.OutputContainer,
        container: str,
        max_pixels: int | None = None,
    ) -> None:
        # Opened a second time: the packets then come when they are needed, and none wait.
        self._input = open_input(source, max_pixels)
        self._opened = ExitStack()
        self._opened.enter_context(self._input)
        self._output = output
        self._container = container
        self._held = held_by(output)
        self._streams: dict[int, Any] = {}
        self._texts: dict[int, _Text] = {}
        self.metadata = dict(self._input.metadata)
        if IPHONE_PLACE in self.metadata:  # which MP4 and MOV have no place for
            self.metadata.setdefault("location", self.metadata[IPHONE_PLACE])
        told = picture_of(self._input).metadata
        self.of_picture: dict[str, str] = {
            name: told[name] for name in ("language", "title") if name in told
        }
        self.left_out: list[str] = []
        self.broken = 0
        try:
            for stream in self._input.streams:
                if stream.type in ("audio", "subtitle"):
                    self._add(stream)
                elif stream.type == "attachment" and container == "matroska":
                    self._attach(stream)
        except BaseException:
            self.close()  # and nothing may touch a stream of it any more
            raise
        if self._input.chapters():
            output.set_chapters(self._input.chapters())
        self._packets = self._read()
        self._waiting: av.Packet[Any] | None = None
        self._last: dict[int, int] = {}
        self._begun: dict[int, int] = {}  # of sound, by stream: where its last packet began
        self._long: dict[int, int] = {}  # and how long the one before that was

    def _add(self, stream: Any) -> None:
        """The stream in the new file, if it can be there."""
        context, container = stream.codec_context, self._container
        name = "unknown" if context is None else context.codec.canonical_name
        if name in self._held:
            copy = self._output.add_stream_from_template(self._template(stream, name))
            if stream.type == "audio" and context.layout.name in LAYOUTS:
                copy.codec_context.layout = LAYOUTS[context.layout.name]
            if container == "avi" and name == "aac" and not context.extradata:
                copy.codec_context.codec_tag = ADTS
        elif stream.type == "audio":
            able = holders(name)
            advice = f"; {able} can" if able else ""
            raise UsageError(f"{suffix_of(container)} cannot hold its sound ({name}){advice}")
        elif container in TEXTS and context is not None and context.codec.text_sub:
            copy = self._output.add_stream(TEXTS[container])
            self._texts[stream.index] = _Text(stream, copy)
        else:
            self.left_out.append(name)
            return
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        self._streams[stream.index] = copy

    def _template(self, stream: Any, name: str) -> Any:
        """The stream, or one that is the same but for what would be wrong in the new file.

        AVI tells the size of a block of sound, of which its muxer makes the sound's clock: ten
        times too fast, or a thousand times too slow. Matroska knows no such size.
        """
        both = self._container == self._input.format.name == "avi"
        if not both or stream.type != "audio" or name.startswith("pcm"):
            return stream
        if holders(name) != ".mkv":  # Windows Media's sound, whose clock is right
            return stream
        memory = io.BytesIO()
        with av.open(self._input.name) as old, av.open(memory, "w", format="matroska") as new:
            own = old.streams[stream.index]
            copy = new.add_stream_from_template(own)
            if own.codec_context.layout.name in LAYOUTS:
                copy.codec_context.layout = LAYOUTS[own.codec_context.layout.name]
            timed = (p for p in old.demux(own) if p.size and p.dts is not None)
            for packet in islice(timed, TOLD):
                packet.stream = copy
                new.mux(packet)
        memory.seek(0)
        return self._opened.enter_context(av.open(memory)).streams.audio[0]

    def _attach(self, stream: Any) -> None:
        """A file in the file, most often a font of the subtitles."""
        if stream.name and stream.mimetype:  # without which none can be written
            copy = self._output.add_attachment(stream.name, stream.mimetype, stream.data)
            copy.metadata.update(stream.metadata)

    def _read(self) -> Iterator[av.Packet[Any]]:
        if not self._streams:
            return
        packets = packets_of(self._input)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError, OSError):
                return  # a clip that is cut off has sound up to there
            if packet.stream.index not in self._streams:
                continue
            if packet.pts is None and packet.dts is None:
                continue  # the end, which demuxers tell by an empty packet
            if self._is_cut_away(packet):
                continue
            if packet.dts is None:
                packet.dts = packet.pts
            if packet.stream.type == "audio":
                self._measure(packet)
            yield packet

    def _measure(self, packet: av.Packet[Any]) -> None:
        """Say how long sound of unknown length is: as what came before. MP4 drops it else."""
        index, begins = packet.stream.index, packet.dts or 0
        before = self._begun.get(index)
        if before is not None and begins > before:
            self._long[index] = begins - before
        self._begun[index] = begins
        packet.duration = packet.duration or self._long.get(index, 0)

    def _is_cut_away(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet would be heard in the new file, though it is trimmed off the old one.

        The last before the start stays: decoders begin with it.
        """
        said = self._container in ("mp4", "mov")  # how much of it is not to be heard
        ends = (packet.pts or 0) + 2 * (packet.duration or 0)
        return bool(packet.is_discard and not said and ends <= 0)

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
            index = packet.stream.index
            new = self._texts[index].written(packet) if index in self._texts else packet
            if new is not None and self._goes_on(index, new.dts or 0):
                new.stream = self._streams[index]
                try:
                    self._output.mux(new)
                except av.InvalidDataError:
                    self.broken += 1  # a packet that this container cannot hold as it is

    def _goes_on(self, index: int, dts: int) -> bool:
        """Whether a packet comes after the one before it; others, of damaged files, are refused."""
        last, self._last[index] = self._last.get(index), dts
        if last is None or dts > last:
            return True
        self._last[index] = last
        # Times of Matroska are rounded, and subtitles may well begin together.
        together = index in self._texts or self._container in ("matroska", "webm")
        return dts == last and together

    def close(self) -> None:
        self._opened.close()


class _Text:
    """Subtitles of text on their way into another kind of them."""

    def __init__(self, stream: Any, copy: Any) -> None:
        self._stream, self._encoder = stream, copy.codec_context
        stream.codec_context.open(strict=False)
        # How they look, which the decoder knows once it is open.
        self._encoder.subtitle_header = stream.codec_context.subtitle_header
        copy.time_base = self._encoder.time_base = stream.time_base
        self._last = 0

    def written(self, packet: av.Packet[Any]) -> av.Packet[Any] | None:
        """The packet in the other kind; None: nothing is said in it."""
        try:
            said = self._stream.decode2(packet)
        except av.FFmpegError:
            return None  # damaged
        if not said:
            return None
        new: av.Packet[Any] = self._encoder.encode_subtitle(said)
        self._last = max(self._last, packet.pts or 0)
        new.pts = new.dts = self._last
        new.duration, new.time_base = packet.duration, packet.time_base
        return new


def _time(packet: av.Packet[Any]) -> Fraction:
    """In seconds."""
    return Fraction(packet.dts or 0) * Fraction(packet.time_base or 0)
