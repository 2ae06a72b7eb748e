"""A clip whose clock jumps goes on, picture and sound together."""

from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from clips import faces, packets, write_clip

from unveil.video.clock import Clock
from unveil.video.containers import container_of
from unveil.video.even import even_rate
from unveil.video.reader import VideoReader
from unveil.video.writer import VideoWriter


def beginning(path, second, drawn, sound):
    """An MPEG-TS whose clock begins at this second."""
    plain = write_clip(path.with_name("plain.ts"), drawn, sound=sound)
    with av.open(str(plain)) as old, av.open(str(path), "w") as output:
        copies = {s.index: output.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.dts, packet.pts = (t + 90_000 * second for t in (packet.dts, packet.pts))
                packet.stream = copies[packet.stream.index]
                output.mux(packet)
    return path


def joined(tmp_path, sound, begins=(0, 0)):
    """Two MPEG-TS put one behind the other, which begin at these seconds."""
    path, drawn = tmp_path / "in.ts", faces(24, step=0)
    a = beginning(tmp_path / "a.ts", begins[0], drawn[:12], sound)
    b = beginning(tmp_path / "b.ts", begins[1], drawn[12:], sound)
    path.write_bytes(a.read_bytes() + b.read_bytes())
    return path


@pytest.mark.parametrize("begins", [(0, 0), (36_000, 36_000), (0, 60), (36_000, 0)])
@pytest.mark.parametrize("sound", [False, True])
def test_the_picture_goes_on_and_nothing_is_damaged(tmp_path, sound, begins):
    path = joined(tmp_path, sound, begins)
    with VideoReader(path) as reader:
        times = [float(frame.time * reader.info.time_base) for frame in reader]
        assert len(times) == 24
        assert np.allclose(np.diff(times), 0.04, atol=0.001)
        assert 0 <= times[0] < 0.1
        assert (reader.damaged, reader.cut_off) == (0, None)
        assert even_rate(path, reader.info) == 25


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".ts"])
@pytest.mark.parametrize("begins", [(0, 0), (36_000, 72_000)])
def test_the_sound_goes_on_with_it(tmp_path, suffix, begins):
    path, target = joined(tmp_path, True, begins), tmp_path / f"out{suffix}"
    with (
        VideoReader(path) as reader,
        VideoWriter(target, container_of(target), reader.info, path) as writer,
    ):
        for frame in reader:
            writer.write(frame, frame.photo, np.zeros(frame.photo.shape[:2], bool))
    seen = sorted(t for _, t in packets(target, "video"))
    assert seen[0] < 0.2
    assert np.allclose(np.diff(seen), 0.04, atol=0.002)
    once, heard = packets(tmp_path / "a.ts", "audio"), packets(target, "audio")
    # Of sound that is longer than its picture, a piece may have no place.
    assert 2 * len(once) - 2 <= len(heard) <= 2 * len(once)
    half = len(heard) - len(once)
    assert heard[half][1] - heard[0][1] == pytest.approx(12 / 25, abs=0.03)
    assert (np.diff([t for _, t in heard]) > 0).all()


def test_a_clip_of_a_camera_whose_clock_began_long_before(tmp_path):
    path = beginning(tmp_path / "in.ts", 36_000, faces(12, step=0), True)
    with VideoReader(path) as reader:
        with VideoWriter(tmp_path / "out.avi", "avi", reader.info, path) as writer:
            for frame in reader:
                writer.write(frame, frame.photo, np.zeros(frame.photo.shape[:2], bool))
        assert reader.cut_off is None
    assert [p for p, _ in packets(tmp_path / "out.avi", "audio")] == [
        p for p, _ in packets(path, "audio")
    ]


def moved(times, picture=(0,), free=False, length=4):
    """Where a clock puts packets of (stream, time in 1/100 s), by default 4/100 s long."""
    clock, put = Clock(0, free), []
    for index, time in times:
        kind = "video" if index in picture else "audio"
        packet = SimpleNamespace(
            dts=time,
            pts=time,
            duration=length,
            time_base=Fraction(1, 100),
            is_keyframe=True,
            stream=SimpleNamespace(index=index, type=kind),
        )
        clock.put_right(packet)
        assert packet.dts == packet.pts
        put.append(packet.dts)
    return put, clock.jumps


def test_all_streams_are_moved_as_the_picture_is():
    # The sound comes first behind the jump, and ends earlier before it.
    times = [(0, 100), (1, 100), (0, 104), (1, 102), (1, 2), (0, 0), (0, 4), (1, 6)]
    assert moved(times) == ([100, 100, 104, 102, 106, 108, 112, 114], 1)


def test_a_single_broken_time_moves_nothing_else():
    times = [(0, 100), (0, 104), (0, 3), (0, 112), (0, 116), (0, 110)]
    assert moved(times) == ([100, 104, 108, 112, 116, 110], 0)


def test_where_no_lengths_are_told_a_packet_is_as_long_as_the_last_usual_step():
    def put(*times):
        return moved([(0, time) for time in times], length=0)

    slow = [100 * i for i in range(7)]
    assert put(*slow, 3, 103) == ([*slow, 700, 800], 1)
    assert put(*slow, 3, 800, 900) == ([*slow, 700, 800, 900], 0)  # one broken time
    assert put(0, 4, 8, 8, 108, 4, 8) == ([0, 4, 8, 8, 108, 112, 116], 1)


def test_a_single_time_far_ahead_moves_nothing_else():
    times = [(0, 100), (1, 100), (0, 104), (0, 9000), (1, 108), (0, 112), (0, 116)]
    assert moved(times, free=True) == ([100, 100, 104, 108, 108, 112, 116], 0)


def test_a_picture_that_waits_within_a_group_of_frames_keeps_its_times(tmp_path):
    drawn, at = faces(20, step=0), [i if i < 10 else i + 25 * 60 for i in range(20)]
    with av.open(str(tmp_path / "in.ts"), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.height, stream.width = drawn[0].shape[:2]
        for photo, time in zip(drawn, at, strict=True):
            frame = av.VideoFrame.from_ndarray(photo, format="rgb24")
            frame.pts = time
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with VideoReader(tmp_path / "in.ts") as reader:
        times = [float(frame.time * reader.info.time_base) for frame in reader]
    assert times == pytest.approx([t / 25 for t in at], abs=0.001)


def test_a_stream_that_has_a_gap_is_no_jump():
    times = [(0, 100), (1, 100), (0, 104), *((1, t) for t in range(104, 3000, 50)), (0, 3000)]
    put, jumps = moved([*times, (1, 3004)], free=True)
    assert (put[-2:], jumps) == ([3000, 3004], 0)


def test_other_files_may_have_frames_that_last_long():
    times = [(0, 100), (0, 104), (0, 9000), (0, 9004)]
    assert moved(times) == ([100, 104, 9000, 9004], 0)
    assert moved(times, free=True) == ([100, 104, 108, 112], 1)
