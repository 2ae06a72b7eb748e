"""A clip whose clock jumps back goes on, picture and sound together."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from clips import faces, packets, write_clip

from unveil.video.clock import Clock
from unveil.video.containers import container_of
from unveil.video.even import even_rate
from unveil.video.reader import VideoReader
from unveil.video.writer import VideoWriter


def joined(tmp_path, sound):
    """Two MPEG-TS put one behind the other, which both begin at the same time."""
    path = tmp_path / "in.ts"
    drawn = faces(24, step=0)
    a = write_clip(tmp_path / "a.ts", drawn[:12], sound=sound)
    b = write_clip(tmp_path / "b.ts", drawn[12:], sound=sound)
    path.write_bytes(a.read_bytes() + b.read_bytes())
    return path


@pytest.mark.parametrize("sound", [False, True])
def test_the_picture_goes_on_and_nothing_is_damaged(tmp_path, sound):
    path = joined(tmp_path, sound)
    with VideoReader(path) as reader:
        times = [float(frame.time * reader.info.time_base) for frame in reader]
        assert len(times) == 24
        assert np.allclose(np.diff(times), 0.04, atol=0.001)
        assert (reader.damaged, reader.cut_off) == (0, None)
        assert even_rate(path, reader.info) == 25


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".ts"])
def test_the_sound_goes_on_with_it(tmp_path, suffix):
    path, target = joined(tmp_path, True), tmp_path / f"out{suffix}"
    with (
        VideoReader(path) as reader,
        VideoWriter(target, container_of(target), reader.info, path) as writer,
    ):
        for frame in reader:
            writer.write(frame, frame.photo, np.zeros(frame.photo.shape[:2], bool))
    seen = sorted(t for _, t in packets(target, "video"))
    assert np.allclose(np.diff(seen), 0.04, atol=0.002)
    once, heard = packets(tmp_path / "a.ts", "audio"), packets(target, "audio")
    # Of sound that is longer than its picture, a piece may have no place.
    assert 2 * len(once) - 2 <= len(heard) <= 2 * len(once)
    half = len(heard) - len(once)
    assert heard[half][1] - heard[0][1] == pytest.approx(12 / 25, abs=0.03)
    assert (np.diff([t for _, t in heard]) > 0).all()


def moved(times, picture=(0,)):
    """Where a clock puts packets of (stream, time in 1/100 s), each 4/100 s long."""
    clock, put = Clock(0), []
    for index, time in times:
        kind = "video" if index in picture else "audio"
        packet = SimpleNamespace(
            dts=time,
            pts=time,
            duration=4,
            time_base=Fraction(1, 100),
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
