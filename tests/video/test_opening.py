"""Any file name can be read and written, and the picture is the clip's and no cover."""

import io
import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from clips import faces, write_clip
from PIL import Image

from unveil.errors import VideoError
from unveil.restorer import Restorer
from unveil.video.clip import restore_clip
from unveil.video.even import even_rate
from unveil.video.reader import VideoReader


def cover():
    data = io.BytesIO()
    Image.fromarray(np.full((40, 40, 3), 200, np.uint8)).save(data, "PNG")
    packet = av.Packet(data.getvalue())
    packet.pts = packet.dts = 0
    return packet


def add_cover(output):
    stream = output.add_stream("png")
    stream.width = stream.height = 40
    stream.pix_fmt, stream.disposition = "rgb24", Disposition.attached_pic
    return stream


def parts(data, start, end):
    """An MP4's boxes between two places: their names and bytes."""
    while start < end:
        size, name = struct.unpack(">I4s", data[start : start + 8])
        yield name, data[start : start + size]
        start += size


def with_cover_first(path):
    """A clip whose cover is told before its picture, as some taggers write it."""
    plain = write_clip(path.with_name("plain.mp4"), faces(6))
    with av.open(str(plain)) as source, av.open(str(path), "w") as output:
        copy = output.add_stream_from_template(source.streams.video[0])
        picture = add_cover(output)
        packet = cover()
        packet.stream = picture
        output.mux(packet)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                output.mux(packet)
    data = path.read_bytes()
    ((_, moov),) = [box for box in parts(data, 0, len(data)) if box[0] == b"moov"]
    boxes = sorted(parts(moov, 8, len(moov)), key=lambda box: box[0] != b"udta")
    path.write_bytes(data.replace(moov, moov[:8] + b"".join(box for _, box in boxes)))
    return path


def test_a_cover_that_comes_first_is_not_the_clip(tmp_path):
    path = with_cover_first(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "png"
    with VideoReader(path) as reader:
        assert reader.info.size == (160, 160)
        assert even_rate(path, reader.info) == 25
        assert len(list(reader)) == 6
        assert reader.cut_off is None


def of_unknown_codec(path):
    path.write_bytes(path.read_bytes().replace(b"V_FFV1", b"V_XXV1").replace(b"FFV1", b"XXV1"))
    return path


def test_a_codec_that_is_not_known_is_told(tmp_path):
    path = of_unknown_codec(write_clip(tmp_path / "a.avi", faces(3), codec="ffv1"))
    with pytest.raises(VideoError, match="its picture is of a codec that cannot be decoded"):
        VideoReader(path)


def test_a_second_picture_of_a_codec_that_is_not_known_does_not_matter(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream(codec, rate=25) for codec in ("ffv1", "mpeg4")]
        for stream in streams:
            stream.height = stream.width = 160
        for photo in faces(3):
            picture = av.VideoFrame.from_ndarray(photo, format="rgb24").reformat(format="yuv420p")
            for stream in streams:
                output.mux(stream.encode(picture))
        for stream in streams:
            output.mux(stream.encode(None))
    with VideoReader(of_unknown_codec(path)) as reader:
        assert reader.info.codec == "mpeg4"
        assert len(list(reader)) == 3


def test_music_with_a_cover_is_no_clip(tmp_path):
    with av.open(str(tmp_path / "a.mp3"), "w") as output:
        sound, picture = output.add_stream("mp3", rate=44100, layout="mono"), add_cover(output)
        sample = av.AudioFrame.from_ndarray(np.zeros((1, 4608), np.float32), "fltp", "mono")
        sample.sample_rate = 44100
        output.mux(sound.encode(sample))
        packet = cover()
        packet.stream = picture
        output.mux(packet)
        output.mux(sound.encode(None))
    with pytest.raises(VideoError, match="no video in it"):
        VideoReader(tmp_path / "a.mp3")


@pytest.mark.skipif(os.name == "nt", reason="has no such names")
def test_names_with_a_colon(model, tmp_path, monkeypatch):
    write_clip(tmp_path / "a.mkv", faces(3))
    monkeypatch.chdir(tmp_path)
    Path("a.mkv").rename("12:30.mkv")
    report = restore_clip(Path("12:30.mkv"), Path("b:c.mp4"), Restorer(model, threads=1))
    assert report.frames == 3
    with VideoReader(Path("b:c.mp4")) as reader:
        assert len(list(reader)) == 3
