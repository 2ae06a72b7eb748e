"""Tiny clips of drawn faces, made with PyAV."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from drawn import draw_face

from unveil.imaging import Mask, Photo

SIDE = 160
RATE = 25


def faces(
    n: int, seed: int = 1, size: tuple[int, int] = (SIDE, SIDE), step: int = 1
) -> list[Photo]:
    """n frames (height, width) of a drawn face that moves to the right, `step` pixels a frame."""
    side = min(size) * 4 // 5
    face = np.clip(draw_face(seed, side), 8, 255)
    frames = []
    for i in range(n):
        photo = np.full((*size, 3), (120, 130, 110), np.uint8)
        left = (size[1] - side) // 2 - step * n // 2 + step * i
        top = (size[0] - side) // 2
        columns = np.arange(side) + left
        inside = (columns >= 0) & (columns < size[1])
        photo[top : top + side, columns[inside]] = face[:, inside]
        frames.append(photo)
    return frames


def black_box(frames: list[Photo], rows: slice, columns: slice) -> tuple[list[Photo], Mask]:
    """The frames with a black box, which the stand-in model finds, and where it is."""
    hidden = np.zeros(frames[0].shape[:2], bool)
    hidden[rows, columns] = True
    return [np.where(hidden[..., None], np.uint8(0), f) for f in frames], hidden


def write_clip(
    path: Path,
    frames: Sequence[Photo],
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times: Sequence[int] | None = None,
    rotation: int = 0,
    sound: bool = False,
    subtitles: bool = False,
    options: dict[str, str] | None = None,
    comment: str = "",
) -> Path:
    """Write frames; `times` in 1/1000 s; `options` of the encoder. Small groups of pictures.

    A clip is the same on all machines: what x264 writes depends on its threads.
    """
    with av.open(str(path), "w") as output:
        usual = {"crf": "6", "preset": "ultrafast", "g": "10"} if codec == "libx264" else {}
        stream = output.add_stream(codec, rate=RATE, options=usual | (options or {}))
        stream.thread_count = 1
        output.metadata.update({"comment": comment} if comment else {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        unit = Fraction(1, RATE if path.suffix == ".avi" else 1000)  # AVI counts frames
        stream.codec_context.time_base = stream.time_base = unit
        if rotation:
            stream.set_display_rotation(rotation)
        audio = output.add_stream("aac", rate=44100, layout="mono") if sound else None
        lines = _subtitles(path) if subtitles else None
        copy = output.add_stream_from_template(lines.streams[0]) if lines else None
        for i, photo in enumerate(frames[: len(times)] if times else frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(photo), format="rgb24")
            picture.pts = times[i] if times else i * 1000 // RATE
            picture.time_base = Fraction(1, 1000)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
        if audio is not None:
            for i in range(len(frames) * 44100 // RATE // 1024):
                wave = np.sin(np.arange(1024) / 20 + i).astype(np.float32)[None] * 0.3
                sample = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                sample.sample_rate, sample.pts = 44100, i * 1024
                output.mux(audio.encode(sample))
            output.mux(audio.encode(None))
        if lines and copy:
            for packet in lines.demux():
                if packet.dts is not None:
                    packet.stream = copy
                    output.mux(packet)
            lines.close()
    return path


def growing(path: Path, sides: Sequence[int]) -> Path:
    """A clip of JPEGs, each a square of its own size."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=RATE)
        stream.width = stream.height = sides[0]
        stream.pix_fmt = "yuvj420p"
        for i, side in enumerate(sides):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width = encoder.height = side
            encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, RATE)
            photo = np.full((side, side, 3), 90, np.uint8)
            picture = av.VideoFrame.from_ndarray(photo, format="rgb24").reformat(format="yuvj420p")
            (made,) = [*encoder.encode(picture), *encoder.encode(None)]
            packet = av.Packet(bytes(made))
            packet.stream, packet.pts, packet.dts = stream, i, i
            packet.time_base, packet.is_keyframe = Fraction(1, RATE), True
            output.mux(packet)
    return path


def _subtitles(path: Path) -> av.container.InputContainer:
    text = path.with_suffix(".srt")
    text.write_text("1\n00:00:00,100 --> 00:00:00,400\nHello\n\n", encoding="utf-8")
    return av.open(str(text))


def with_images(path: Path, frames: Sequence[Photo]) -> Path:
    """A clip with subtitles that are images, of which no decoder is asked here."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"crf": "6"})
        stream.height, stream.width = frames[0].shape[:2]
        lines = output.add_mux_stream("hdmv_pgs_subtitle")
        lines.time_base = Fraction(1, 1000)
        for i, photo in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(photo, format="rgb24")
            picture.pts, picture.time_base = i, Fraction(1, RATE)
            output.mux(stream.encode(picture))
        image = av.Packet(bytes(range(20)))
        image.pts = image.dts = 40
        image.time_base, image.stream = Fraction(1, 1000), lines
        output.mux(image)
        output.mux(stream.encode(None))
    return path


def trimmed(
    path: Path, frames: Sequence[Photo], begin: int, length: int, sound: bool = False
) -> Path:
    """An MP4 of which an edit list shows a part, as telephones write it: in 1/1000 s."""
    write_clip(path, frames, sound=sound)
    data, at = bytearray(path.read_bytes()), 0
    for _ in range(1 + sound):
        at = data.index(b"elst", at) + 4
        # version and flags, number of edits; then length and begin of the first
        (clock,) = struct.unpack_from(">I", data, data.index(b"mdhd", at) + 16)
        (before,) = struct.unpack_from(">i", data, at + 12)
        struct.pack_into(">Ii", data, at + 8, length, before + begin * clock // 1000)
    path.write_bytes(data)
    return path


def rewritten(source: Path, target: Path, change: Callable[[int, bytes], bytes]) -> Path:
    """The same clip, the data of its packets changed by number."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        picture = old.streams.video[0]
        copy = new.add_stream_from_template(picture)
        whole = (packet for packet in old.demux(picture) if packet.size)
        for number, packet in enumerate(whole):
            other = av.Packet(change(number, bytes(packet)))
            other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
            other.time_base, other.is_keyframe = packet.time_base, packet.is_keyframe
            other.stream = copy
            new.mux(other)
    return target


def packets(path: Path, kind: str) -> list[tuple[bytes, float]]:
    """The packets of the first stream of a kind, and their times in seconds."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return [
            (bytes(p), round(float(p.pts * p.time_base), 3))
            for p in container.demux(stream)
            if p.pts is not None
        ]
