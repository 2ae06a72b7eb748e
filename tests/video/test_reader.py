"""Clips are read upright, at their times, and whatever state they are in."""

import os
import struct
import subprocess
import sys

import av
import numpy as np
import pytest
from clips import faces, growing, rewritten, trimmed, write_clip

from unveil.errors import TooLargeError, VideoError
from unveil.files import encode
from unveil.video.opening import picture_of
from unveil.video.reader import VideoReader


def read(path):
    with VideoReader(path) as reader:
        frames = list(reader)
        return reader, frames


def test_frames_and_times(tmp_path):
    times = [0, 40, 130, 150, 400]
    drawn = faces(5)
    reader, frames = read(write_clip(tmp_path / "a.mkv", drawn, times=times))
    assert [float(f.time * reader.info.time_base) for f in frames] == [t / 1000 for t in times]
    assert reader.info.size == (160, 160)
    for frame, photo in zip(frames, drawn, strict=True):
        assert np.abs(frame.photo.astype(int) - photo).mean() < 3
    assert reader.cut_off is None
    assert reader.damaged == 0


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"bf": "2", "b-adapt": "0"}),
        ("mpeg4", {"bf": "2", "q": "2"}),  # as DivX and XviD
        ("mpeg4", {"bf": "0", "q": "2"}),
    ],
)
def test_avi_has_numbers_in_the_order_of_decoding(tmp_path, codec, options):
    drawn = faces(12, step=4)
    path = write_clip(tmp_path / "a.avi", drawn, codec, options=options)
    reader, frames = read(path)
    assert [f.time * reader.info.time_base * 25 for f in frames] == list(range(12))
    for frame, photo in zip(frames, drawn, strict=True):
        assert np.abs(frame.photo.astype(int) - photo).mean() < 3


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_applied_once(tmp_path, rotation):
    drawn = faces(2, size=(96, 160))
    path = write_clip(tmp_path / "a.mp4", drawn, rotation=rotation)
    reader, frames = read(path)
    upright = np.rot90(drawn[0], rotation // 90)
    assert reader.info.rotation == rotation
    assert frames[0].photo.shape == upright.shape
    assert reader.info.size == upright.shape[:2]
    assert np.abs(frames[0].photo.astype(int) - upright).mean() < 3
    assert frames[0].source is None


@pytest.mark.parametrize(
    ("matrix", "upright"),
    [
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
        ((0, 1, 1, 0), lambda photo: photo.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda photo: photo[::-1, ::-1].swapaxes(0, 1)),
        ((0, 1, -1, 0), lambda photo: np.rot90(photo, -1)),
    ],
)
def test_a_picture_that_is_said_to_be_mirrored(tmp_path, matrix, upright):
    drawn = faces(2, size=(96, 160))
    path = write_clip(tmp_path / "a.mp4", drawn)
    data, (a, b, c, d) = bytearray(path.read_bytes()), matrix
    said = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, *said)
    path.write_bytes(data)
    reader, frames = read(path)
    expected = upright(drawn[0])
    assert reader.info.size == expected.shape[:2]
    assert np.abs(frames[0].photo.astype(int) - expected).mean() < 3
    assert frames[0].source is None


@pytest.mark.parametrize(
    ("size", "pix_fmt"),
    [((97, 131), "yuv444p"), ((96, 128), "yuv420p10le"), ((96, 128), "yuv422p")],
)
def test_odd_sizes_and_depths(tmp_path, size, pix_fmt):
    drawn = faces(3, size=size)
    reader, frames = read(write_clip(tmp_path / "a.mkv", drawn, pix_fmt=pix_fmt))
    assert reader.info.pix_fmt == pix_fmt
    assert frames[0].photo.shape == (*size, 3)
    assert np.abs(frames[1].photo.astype(int) - drawn[1]).mean() < 3


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "empty file"), (b"no clip at all" * 100, "not a video"), (None, "no such file")],
)
def test_no_clip(tmp_path, data, message):
    path = tmp_path / "a.mp4"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(VideoError, match=message):
        VideoReader(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_photo_is_no_clip(tmp_path, kind):
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(encode(faces(1)[0], kind))
    with pytest.raises(VideoError, match="a picture, not a clip: unveil restore takes"):
        VideoReader(path)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such pipes")
def test_a_pipe_is_no_clip(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match="a pipe"):
        VideoReader(tmp_path / "a.mp4")


def test_colours_that_cannot_be_converted(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 160, 160, "yuv444p"
        stream.codec_context.colorspace = 8  # YCgCo
        picture = av.VideoFrame.from_ndarray(faces(1)[0], format="rgb24")
        output.mux([*stream.encode(picture.reformat(format="yuv444p")), *stream.encode(None)])
    with pytest.raises(VideoError, match="yuv444p, matrix 8"):
        read(path)


def test_a_folder_is_no_clip(tmp_path):
    with pytest.raises(VideoError):
        VideoReader(tmp_path)


def test_mp4_without_its_end_has_no_index(tmp_path):
    path = write_clip(tmp_path / "a.mp4", faces(10))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VideoError, match="cut off"):
        VideoReader(path)


def test_a_clip_that_is_cut_off_gives_what_there_is(tmp_path):
    path = write_clip(tmp_path / "a.mkv", faces(50))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    reader, frames = read(path)
    assert 15 < len(frames) < 45
    assert reader.cut_off == pytest.approx(len(frames) / 25, abs=0.1)


@pytest.mark.parametrize("at", [0.0, 0.3, 0.9])
def test_damage_in_the_middle_is_passed_over(tmp_path, at):
    path = write_clip(tmp_path / "a.mkv", faces(50))
    with av.open(str(path)) as container:
        hit = [p for p in container.demux(video=0) if p.size][25]
    data = bytearray(path.read_bytes())
    start = data.index(bytes(hit)) + int(at * hit.size)
    data[start : start + hit.size // 20] = bytes(hit.size // 20)
    path.write_bytes(bytes(data))
    reader, frames = read(path)
    # Lost are at most the packet that was hit and those up to the next whole picture.
    assert len(frames) >= 40
    assert 1 <= reader.damaged <= 10
    assert reader.cut_off is None


@pytest.mark.parametrize("at", [12, 25, 44])
def test_damage_in_the_middle_of_an_mp4_does_not_cut_it_off(tmp_path, at):
    path = write_clip(tmp_path / "a.mp4", faces(50))
    with av.open(str(path)) as container:
        hits = [bytes(p) for p in container.demux(video=0) if p.size][at : at + 3]
    data = bytearray(path.read_bytes())
    for hit in hits:
        start, size = data.index(hit), len(hit) // 2
        data[start : start + size] = bytes(size)
    path.write_bytes(data)
    reader, frames = read(path)
    assert 40 <= len(frames) <= 47
    assert 3 <= reader.damaged <= 10
    assert reader.cut_off is None


@pytest.mark.parametrize("at", [0.3, 0.45, 0.6, 0.75, 0.9])
def test_frames_that_mpegts_has_lost_are_noticed(tmp_path, at):
    path = write_clip(tmp_path / "a.ts", faces(50, step=0), sound=True)
    reader, frames = read(path)
    assert (len(frames), reader.damaged) == (50, 0)
    data = bytearray(path.read_bytes())
    start = int(at * len(data))
    data[start : start + 5000] = b"\x55" * 5000
    path.write_bytes(data)
    reader, frames = read(path)
    assert 40 < len(frames) < 50
    assert 50 - len(frames) <= reader.damaged < 20


def test_gaps_elsewhere_are_no_damage(tmp_path):
    even = [40 * i for i in range(20) if i not in (5, 6, 11)]
    uneven = [0, 40, 90, 120, 200, 230, 400, 440, 500, 560]
    for name, times in [("a.mkv", even), ("a.ts", uneven)]:
        reader, frames = read(write_clip(tmp_path / name, faces(20), times=times))
        assert (len(frames), reader.damaged) == (len(times), 0)


def test_frames_behind_a_broken_one_are_read_to_the_last(tmp_path, monkeypatch):
    """FFmpeg would drop what waits in other threads, of which large machines have many."""

    def sixteen(container):
        stream = picture_of(container)
        stream.codec_context.thread_count = 16
        return stream

    monkeypatch.setattr("unveil.video.reader.picture_of", sixteen)
    whole = write_clip(tmp_path / "a.mkv", faces(30), codec="ffv1")
    broken = rewritten(whole, tmp_path / "b.mkv", lambda i, data: data[:8] if i == 20 else data)
    reader, frames = read(broken)
    assert (len(frames), reader.damaged, reader.cut_off) == (29, 1, None)


def test_a_matroska_clip_that_lacks_its_last_seconds_is_cut_off(tmp_path):
    """One of 400 s that ends 2 % too early, of which FFmpeg says nothing."""
    times = [1000 * i for i in range(400)]
    path = write_clip(tmp_path / "a.mkv", [faces(1)[0]] * 400, times=times, options={"g": "1"})
    assert read(path)[0].cut_off is None
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.985)])
    reader, frames = read(path)
    assert 390 < len(frames) < 398
    assert reader.cut_off == pytest.approx(len(frames), abs=1.1)


def test_a_last_frame_as_long_as_others_is_not_cut_off(tmp_path):
    times = [0, 40, 80, 5000, 5040, 12000]  # as of a screen on which little happens
    whole = write_clip(tmp_path / "a.mkv", faces(6), times=times)
    reader, _ = read(whole)
    assert reader.cut_off is None


def test_frames_in_pairs_lack_none(tmp_path):
    """Of MPEG-PS one time is told for some two; a broken one is one, and no others are."""
    times = [40 * i + 39 * (i % 12 == 4) for i in range(60)]
    whole = write_clip(tmp_path / "a.mkv", faces(60), codec="ffv1", times=times)
    broken = rewritten(whole, tmp_path / "b.mkv", lambda i, data: data[:8] if i == 20 else data)
    assert read(broken)[0].damaged == 1


@pytest.mark.parametrize(("begin", "length", "shown"), [(640, 1360, 34), (0, 1000, 25)])
def test_a_trimmed_clip_is_whole(tmp_path, begin, length, shown):
    drawn = faces(50, step=2)
    reader, frames = read(trimmed(tmp_path / "a.mp4", drawn, begin, length))
    assert reader.info.frames == len(frames) == shown
    assert (reader.damaged, reader.cut_off) == (0, None)
    assert np.abs(frames[0].photo.astype(int) - drawn[begin // 40]).mean() < 3


def test_an_mp4_with_its_index_first_can_be_cut_off(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as output:
        stream = output.add_stream("libx264", rate=25)
        stream.height = stream.width = 160
        for photo in faces(50):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(photo, format="rgb24")))
        output.mux(stream.encode(None))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    reader, frames = read(path)
    assert len(frames) < 45
    assert reader.cut_off == pytest.approx(len(frames) / 25, abs=0.1)


def with_long_sound(path, tagged=True):
    """A second of picture, and three of sound."""
    drawn = faces(25)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.height = stream.width = 160
        sound = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        for photo in drawn:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(photo, format="rgb24")))
        output.mux(stream.encode(None))
        for i in range(30):
            wave = np.zeros((1, 800), np.int16)
            sample = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
            sample.sample_rate, sample.pts = 8000, 800 * i
            output.mux(sound.encode(sample))
    if not tagged:
        path.write_bytes(path.read_bytes().replace(b"DURATION", b"ANYTHING"))
    return path


@pytest.mark.parametrize("tagged", [True, False])
def test_sound_may_outlast_the_picture(tmp_path, tagged):
    path = with_long_sound(tmp_path / "a.mkv", tagged)
    reader, frames = read(path)
    assert len(frames) == 25
    assert reader.cut_off is None
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.12)])
    reader, frames = read(path)
    assert 0 < len(frames) < 12
    assert reader.cut_off == pytest.approx(len(frames) / 25, abs=0.1)


MEMORY = """
import resource
import sys
from pathlib import Path
from unveil.errors import TooLargeError
from unveil.video.reader import VideoReader
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    VideoReader(Path(sys.argv[1]), 1_000_000)
except TooLargeError as error:
    print(error, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, sep="|")
"""


def test_what_is_too_large_is_refused_before_it_is_decoded(tmp_path):
    path = write_clip(tmp_path / "a.mkv", [np.zeros((6000, 6000, 3), np.uint8)])
    command = [sys.executable, "-c", MEMORY, path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words, kilobytes = said.split("|")
    assert words == "the clip is 6000x6000, over 1 megapixels"
    assert int(kilobytes) < 20_000  # a frame has 54 MB


@pytest.mark.parametrize("suffix", ["mkv", "avi", "mp4"])
@pytest.mark.parametrize(("side", "says"), [(200, "200x200"), (900, "a frame of the clip is over")])
def test_a_clip_that_grows_is_refused_where_it_is_too_large(tmp_path, suffix, side, says):
    path = growing(tmp_path / f"a.{suffix}", [120, 120, 150, side, side])
    with VideoReader(path, 30_000) as reader, pytest.raises(TooLargeError, match=says):
        list(reader)
    assert len(read(path)[1]) == 5


def test_a_clip_of_just_so_many_pixels_is_read(tmp_path):
    """Though its sides are no multiples of what codecs work in."""
    path = write_clip(tmp_path / "a.mp4", faces(3, size=(130, 98)))
    with VideoReader(path, 130 * 98) as reader:
        assert [frame.photo.shape for frame in reader] == [(130, 98, 3)] * 3
        assert reader.damaged == 0
