"""Whatever goes wrong with a clip, nothing reads it any more when its file is closed."""

import threading

import av
import numpy as np
import pytest
from clips import RATE, black_box, faces, write_clip

from unveil.errors import MaskError, NoFaceError, VideoError
from unveil.restorer import Restorer
from unveil.video.clip import restore_clip
from unveil.video.reader import VideoReader

MOUTH = (slice(103, 118), slice(65, 95))


class Broken(Exception):
    pass


def broken(*_, **__):
    raise Broken


@pytest.fixture
def alive(monkeypatch):
    """How many threads ran ahead when the clip was closed; its mask is closed in one of them."""
    counts, close = [], VideoReader.__exit__

    def closing(self, *error):
        if self.path.name == "a.mp4":
            counts.append(sum(thread.name == "ahead" for thread in threading.enumerate()))
        close(self, *error)

    monkeypatch.setattr(VideoReader, "__exit__", closing)
    return counts


@pytest.fixture
def clip(tmp_path):
    frames, _ = black_box(faces(60, step=0), *MOUTH)
    return write_clip(tmp_path / "a.mp4", frames)


@pytest.mark.parametrize("part", ["find", "fill", "tell"])
def test_an_error_anywhere_ends_all_threads_first(model, clip, tmp_path, alive, monkeypatch, part):
    restorer = Restorer(model, threads=1)
    tell = broken if part == "tell" else lambda done, total: None
    if part != "tell":
        monkeypatch.setattr(restorer.model, part, broken)
    # The error is kept, as a log would: its traceback holds all that was under way.
    with pytest.raises(Broken) as kept:
        restore_clip(clip, tmp_path / "b.mp4", restorer, tell=tell)
    assert alive == [0]
    assert kept.value
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_detector_that_fails_in_its_thread(model, clip, tmp_path, alive, monkeypatch):
    restorer = Restorer(model, threads=1)
    monkeypatch.setattr(restorer.detector, "find", broken)
    with pytest.raises(Broken) as kept:
        restore_clip(clip, tmp_path / "b.mp4", restorer)
    assert alive == [0]
    assert kept.value


@pytest.mark.parametrize("size", [(160, 160), (64, 64)], ids=["too short", "of another size"])
def test_a_mask_that_does_not_fit(model, clip, tmp_path, alive, size):
    mask = write_clip(tmp_path / "mask.mkv", [np.full((*size, 3), 255, np.uint8)] * 30)
    with pytest.raises(MaskError) as kept:
        restore_clip(clip, tmp_path / "b.mp4", Restorer(model, threads=1), mask=mask)
    assert alive == [0]
    assert kept.value


@pytest.mark.parametrize("suffix", [".mkv", ".nut"])
def test_a_clip_of_masks_is_told_by_what_it_is_and_not_by_its_name(model, tmp_path, suffix):
    frames, hidden = black_box(faces(4, step=0), *MOUTH)
    white = np.repeat(hidden[..., None], 3, axis=2).astype(np.uint8) * 255
    mask = write_clip(tmp_path / "mask.mkv", [white] * 4)
    with av.open(str(mask)) as old, av.open(str(tmp_path / f"m{suffix}"), "w") as new:
        copy = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                new.mux(packet)
    source = write_clip(tmp_path / "in.mkv", frames)
    told = tmp_path / f"m{suffix}"
    report = restore_clip(source, tmp_path / "o.mkv", Restorer(model, threads=1), mask=told)
    assert report.invented == pytest.approx(hidden.mean(), rel=0.1)


def test_a_damaged_clip_of_masks_is_refused(model, tmp_path):
    frames, hidden = black_box(faces(12, step=0), *MOUTH)
    mask = tmp_path / "mask.mkv"
    with av.open(str(mask), "w") as output:
        stream = output.add_stream("mjpeg", rate=RATE)
        stream.height, stream.width = hidden.shape
        stream.pix_fmt = "yuvj444p"
        white = np.repeat(hidden[..., None], 3, axis=2).astype(np.uint8) * 255
        for i in range(13):
            for packet in stream.encode(av.VideoFrame.from_ndarray(white, format="rgb24")):
                broken = av.Packet(bytes(200))
                broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                packet = broken if i == 4 else packet
                packet.stream = stream
                output.mux(packet)
    source = write_clip(tmp_path / "in.mkv", frames)
    with pytest.raises(MaskError, match=r"mask\.mkv: damaged after \d+ frames"):
        restore_clip(source, tmp_path / "o.mkv", Restorer(model, threads=1), mask=mask)
    assert not (tmp_path / "o.mkv").exists()


def test_no_face_is_told_in_words_for_all_doors(model, tmp_path):
    source = write_clip(tmp_path / "a.mp4", [np.full((60, 80, 3), 120, np.uint8)] * 3)
    with pytest.raises(NoFaceError, match=r"^no face found in any frame$"):
        restore_clip(source, tmp_path / "b.mp4", Restorer(model, threads=1))


def test_a_folder_that_is_not_there(model, clip, tmp_path):
    with pytest.raises(VideoError, match="no such folder"):
        restore_clip(clip, tmp_path / "no" / "a.mp4", Restorer(model, threads=1))


def test_of_a_mask_in_colours_the_brightness_counts(model, tmp_path):
    frames, hidden = black_box(faces(4, step=0), *MOUTH)
    green = np.where(hidden[..., None], np.uint8([0, 255, 0]), np.uint8(0))
    mask = write_clip(tmp_path / "mask.mkv", [green] * 4)
    source = write_clip(tmp_path / "in.mkv", frames)
    report = restore_clip(source, tmp_path / "out.mkv", Restorer(model, threads=1), mask=mask)
    assert report.invented == pytest.approx(hidden.mean(), rel=0.1)
