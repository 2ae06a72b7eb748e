"""AVI holds frames at an even rate, with sound from the start; nothing else."""

from fractions import Fraction

import av
import pytest
from clips import black_box, faces, trimmed, write_clip

from unveil.errors import UsageError
from unveil.restorer import Restorer
from unveil.video.clip import restore_clip
from unveil.video.even import even_rate
from unveil.video.reader import VideoReader


def rate(path):
    with VideoReader(path) as reader:
        return even_rate(path, reader.info)


@pytest.mark.parametrize(
    ("numbers", "per_second"),
    [
        (range(12), Fraction(25)),
        ([0, 1, 2, 5, 6, 7, 8, 20], Fraction(25)),  # some are missing
        (range(40, 52), Fraction(25)),  # begins later
        (range(60), Fraction(30_000, 1001)),  # whose times Matroska rounds
        ([0], Fraction(25)),
    ],
)
def test_even_frames(tmp_path, numbers, per_second):
    times = [round(1000 * n / per_second) for n in numbers]
    path = write_clip(tmp_path / "a.mkv", faces(2) * 30, times=times)
    assert rate(path) == pytest.approx(per_second, rel=1e-3)


def test_the_units_of_a_clock_are_no_rate(tmp_path):
    """A browser writes no rate, and FFmpeg then says 1000 frames a second."""
    times = [0, 31, 70, 95, 140, 171, 220, 233, 270, 290]
    plain = write_clip(tmp_path / "plain.webm", faces(10), "libvpx", times=times)
    with av.open(str(plain)) as old, av.open(str(tmp_path / "a.webm"), "w") as output:
        copy = output.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                output.mux(packet)
    with av.open(str(tmp_path / "a.webm")) as container:
        assert container.streams.video[0].guessed_rate == 1000
    with VideoReader(tmp_path / "a.webm") as reader:
        assert reader.info.rate == 25  # else encoders choose a level that few players have
        with pytest.raises(UsageError, match="not evenly spaced"):
            even_rate(tmp_path / "a.webm", reader.info)


def test_other_frames_are_refused_before_they_are_restored(model, tmp_path):
    source = write_clip(tmp_path / "a.mkv", faces(6), times=[0, 40, 90, 120, 170, 200])
    restorer = Restorer(model, threads=1)
    for arguments in [{"target": tmp_path / "b.avi"}, {"invented": tmp_path / "b.avi"}]:
        given = {"target": tmp_path / "b.mkv"} | arguments
        with pytest.raises(UsageError, match=r"not evenly spaced.*avi.*\.mkv"):
            restore_clip(source, restorer=restorer, **given)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


def test_sound_that_begins_long_before_the_picture(tmp_path):
    times = [1000 + 40 * i for i in range(6)]
    path = write_clip(tmp_path / "a.mkv", faces(6), times=times, sound=True)
    with pytest.raises(UsageError, match="sound"):
        rate(path)


def test_sound_counts_only_where_it_goes(model, tmp_path):
    frames, _ = black_box(faces(6, step=0), slice(103, 118), slice(65, 95))
    times = [1000 + 40 * i for i in range(6)]
    source = write_clip(tmp_path / "a.mkv", frames, times=times, sound=True)
    restorer = Restorer(model, threads=1)
    with pytest.raises(UsageError, match="sound"):
        restore_clip(source, tmp_path / "b.avi", restorer)
    shown = tmp_path / "shown.avi"
    restore_clip(source, tmp_path / "b.mkv", restorer, invented=shown)
    with VideoReader(shown) as reader:
        assert [float(f.time * reader.info.time_base) for f in reader] == [i / 25 for i in range(6)]


def test_what_is_trimmed_away_does_not_count(model, tmp_path):
    frames, _ = black_box(faces(50, step=0), slice(103, 118), slice(65, 95))
    source = trimmed(tmp_path / "a.mp4", frames, 640, 1360, sound=True)
    restore_clip(source, tmp_path / "b.avi", Restorer(model, threads=1))
    with VideoReader(tmp_path / "b.avi") as reader:
        times = [float(f.time * reader.info.time_base) for f in reader]
        assert reader.cut_off is None
    assert times == [i / 25 for i in range(34)]
