"""unveil video, from file to file."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import black_box, faces, packets, write_clip
from typer.testing import CliRunner

from unveil.cli import app
from unveil.errors import MaskError, NoFaceError, UsageError, VideoError
from unveil.files import encode
from unveil.restorer import Restorer
from unveil.video.reader import VideoReader

MOUTH = (slice(103, 118), slice(65, 95))


def run(*arguments):
    return CliRunner().invoke(app, ["video", *map(str, arguments)])


def failure(kind, *arguments):
    result = run(*arguments)
    assert isinstance(result.exception, kind), result.exception
    return str(result.exception)


def pictures(path):
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]


@pytest.fixture
def occluded(tmp_path):
    frames, _ = black_box(faces(12, step=0), *MOUTH)
    times = [0, 40, 80, 120, 170, 200, 250, 280, 320, 400, 410, 440]
    return write_clip(tmp_path / "in.mkv", frames, times=times, sound=True)


def test_a_clip_is_restored(model, occluded, tmp_path):
    target = tmp_path / "out.mp4"
    result = run(occluded, "-o", target, "--model", model)
    assert result.exit_code == 0, result.output
    before, after = pictures(occluded), pictures(target)
    assert len(after) == 12
    for old, new in zip(before, after, strict=True):
        assert new[106:115, 68:92].mean() > 60 > 20 > old[106:115, 68:92].mean()
        assert np.abs(new[:80].astype(int) - old[:80]).mean() < 3
    kept = [t for _, t in packets(target, "video")]
    assert sorted(kept) == sorted(t for _, t in packets(occluded, "video"))
    assert [p for p, _ in packets(target, "audio")] == [p for p, _ in packets(occluded, "audio")]
    with av.open(str(target)) as container:
        assert "Not for identification" in container.metadata["comment"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mkv", "out.mp4"]


def test_what_is_invented_is_shown_in_a_clip_of_its_own(model, occluded, tmp_path):
    target, shown = tmp_path / "out.mkv", tmp_path / "invented.mp4"
    arguments = (occluded, "-o", target, "--codec", "ffv1", "--quality", "0", "--model", model)
    assert run(*arguments, "--invented", shown).exit_code == 0
    masks = [picture[..., 0] for picture in pictures(shown)]
    pairs = list(zip(pictures(occluded), pictures(target), masks, strict=True))
    assert len(pairs) == 12
    for before, after, mask in pairs:
        changed = (before != after).any(axis=2)
        assert mask[106:115, 68:92].min() > 200
        assert mask[:80].max() < 30
        # Colour is kept for four pixels together, so one more may change.
        grown = cv2.dilate((mask > 127).astype(np.uint8), np.ones((3, 3), np.uint8))
        assert not (changed & ~(grown > 0)).any()
    given = {round(t, 2) for _, t in packets(shown, "video")}
    assert given == {round(t, 2) for _, t in packets(occluded, "video")}
    assert not [p for p in tmp_path.iterdir() if p not in (occluded, target, shown)]
    assert "another file" in failure(UsageError, *arguments, "--invented", target)


def test_the_largest_face_and_a_line_of_json(model, tmp_path):
    small, _ = black_box(faces(4, seed=2, size=(160, 90), step=0), slice(88, 96), slice(35, 55))
    large, _ = black_box(faces(4, step=0), *MOUTH)
    frames = [np.hstack(pair) for pair in zip(small, large, strict=True)]
    source, target = write_clip(tmp_path / "in.mkv", frames), tmp_path / "out.mkv"
    for words, found in [((), 2), (("--faces", "largest"), 1), (("--faces", "2"), 2)]:
        result = run(source, "-o", target, "--model", model, "--json", *words)
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        invented = told.pop("invented")
        assert 0 < invented < 0.2
        assert told == {
            "input": str(source),
            "output": str(target),
            "model": Restorer(model).model.weights.fingerprint,
            "frames": 4,
            "faces": found,
            "damaged": 0,
            "cut_off": None,
            "left_out": [],
            "squeezed": False,
            "outside": None,
        }
    assert "--faces 0" in failure(UsageError, source, "-o", target, "--faces", "0")


def test_detail_reaches_the_model_that_has_it(model, occluded, tmp_path):
    soft, sharp = tmp_path / "soft.mkv", tmp_path / "sharp.mkv"
    for target, detail in [(soft, "0"), (sharp, "1")]:
        assert run(occluded, "-o", target, "--detail", detail).exit_code == 0
    assert (pictures(soft)[3] != pictures(sharp)[3]).any()
    arguments = (occluded, "-o", tmp_path / "out.mkv", "--model", model)
    assert "--detail" in failure(UsageError, *arguments, "--detail", "0.5")


def test_masks_as_image_and_as_clip(model, occluded, tmp_path):
    mask = np.zeros((160, 160), np.uint8)
    mask[110:125, 60:100] = 255
    (tmp_path / "mask.png").write_bytes(encode(mask, "PNG"))
    write_clip(tmp_path / "mask.mkv", [np.dstack([mask] * 3)] * 12)
    for name in ("mask.png", "mask.mkv"):
        target = tmp_path / "out.mkv"
        arguments = (occluded, "-o", target, "--mask", tmp_path / name, "--model", model, "--live")
        assert run(*arguments).exit_code == 0
        new = pictures(target)[5]
        assert new[112:116, 68:92].mean() > 25
        assert new[104:107, 68:92].mean() < 15  # hidden, but not said so
    text = failure(MaskError, occluded, "-o", tmp_path / "o.mkv", "--mask", occluded.parent)
    assert "--mask" in text


@pytest.mark.parametrize("as_clip", [False, True])
def test_a_mask_that_lies_in_no_face_is_told(model, occluded, tmp_path, as_clip):
    for where, note in [
        ((slice(0, 8), slice(0, 40)), "100% of the mask lies in none of the faces restored"),
        ((slice(0, 0), slice(0, 0)), "the mask hides nothing"),
        (MOUTH, ""),
    ]:
        mask = np.zeros((160, 160), np.uint8)
        mask[where] = 255
        path = tmp_path / ("mask.mkv" if as_clip else "mask.png")
        if as_clip:
            write_clip(path, [np.dstack([mask] * 3)] * 12)
        else:
            path.write_bytes(encode(mask, "PNG"))
        target = tmp_path / "out.mkv"
        result = run(occluded, "-o", target, "--mask", path, "--model", model)
        assert result.exit_code == 0
        assert note in result.stderr
        assert note or not result.stderr


def test_where_nothing_is_hidden_the_file_stays_as_it_is(model, tmp_path):
    source = write_clip(tmp_path / "in.mp4", faces(4))
    result = run(source, "-o", tmp_path / "out.mp4", "--model", model)
    assert result.exit_code == 0
    assert (tmp_path / "out.mp4").read_bytes() == source.read_bytes()


def test_subtitles_that_are_left_out_are_named(model, tmp_path):
    source = write_clip(tmp_path / "in.mkv", faces(4), subtitles=True)
    result = run(source, "-o", tmp_path / "out.ts", "--model", model)
    assert result.exit_code == 0
    assert "its subtitles (subrip) are left out: .mkv can hold them" in result.stderr


def test_pixels_that_are_not_square(model, tmp_path):
    drawn, _ = black_box(faces(3, step=0), *MOUTH)
    with av.open(str(tmp_path / "in.mkv"), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "6"})
        stream.height = stream.width = 160
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for photo in drawn:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(photo, format="rgb24")))
        output.mux(stream.encode(None))
    for suffix, codec in [(".mkv", "h264"), (".mp4", "vp9"), (".webm", "vp9"), (".mkv", "ffv1")]:
        target = tmp_path / f"out{suffix}"
        arguments = (tmp_path / "in.mkv", "-o", target, "--codec", codec, "--model", model)
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        with av.open(str(target)) as container:
            kept = container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
        assert ("not square" in result.stderr) == (not kept)
        assert kept == ((suffix, codec) in [(".mkv", "h264"), (".mp4", "vp9")])


def test_no_face_is_a_failure_without_a_file(model, tmp_path):
    source = write_clip(tmp_path / "in.mp4", [np.full((60, 80, 3), 120, np.uint8)] * 3)
    text = failure(NoFaceError, source, "-o", tmp_path / "out.mp4", "--model", model)
    assert "in.mp4" in text
    assert "--min-face" in text
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_one_frame_of_ten_bits_and_odd_size(model, tmp_path):
    frames, _ = black_box(faces(1, size=(161, 163)), *MOUTH)
    source = write_clip(tmp_path / "in.mkv", frames, pix_fmt="yuv444p10le")
    assert run(source, "-o", tmp_path / "out.mkv", "--model", model).exit_code == 0
    with av.open(str(tmp_path / "out.mkv")) as container:
        frame = next(container.decode(video=0))
    assert (frame.height, frame.width, frame.format.name) == (161, 163, "yuv444p10le")
    assert frame.to_ndarray(format="rgb24")[107:114, 72:90].mean() > 60


def test_a_clip_that_is_cut_off_is_written_and_reported(model, tmp_path):
    frames, _ = black_box(faces(40, step=0), *MOUTH)
    source = write_clip(tmp_path / "in.mkv", frames)
    source.write_bytes(source.read_bytes()[: int(source.stat().st_size * 0.6)])
    result = run(source, "-o", tmp_path / "out.mkv", "--model", model)
    assert result.exit_code == 1
    assert "cut off" in result.stderr
    assert 8 < len(pictures(tmp_path / "out.mkv")) < 40


def test_of_a_clip_that_is_cut_off_with_nothing_hidden_the_frames_are_written(model, tmp_path):
    source, target = write_clip(tmp_path / "in.mkv", faces(40)), tmp_path / "out.mkv"
    source.write_bytes(source.read_bytes()[: int(source.stat().st_size * 0.6)])
    result = run(source, "-o", target, "--model", model)
    assert result.exit_code == 1
    assert f": {len(pictures(target))} frames are written" in result.stderr
    with VideoReader(target) as reader:
        assert sum(1 for _ in reader) == len(pictures(source))
        assert (reader.damaged, reader.cut_off) == (0, None)


@pytest.mark.parametrize(
    ("data", "word"), [(b"", "empty"), (b"x" * 5000, "not a video"), (None, "no such file")]
)
def test_bad_clips(model, tmp_path, data, word):
    source = tmp_path / "in.mp4"
    if data is not None:
        source.write_bytes(data)
    text = failure(VideoError, source, "-o", tmp_path / "out.mp4", "--model", model)
    assert word in text
    assert "in.mp4" in text
    assert not (tmp_path / "out.mp4").exists()


def test_wrong_calls(model, occluded, tmp_path):
    mask, link = tmp_path / "mask.mkv", tmp_path / "link.mkv"
    shutil.copy(occluded, mask)
    link.symlink_to(occluded)
    before = mask.read_bytes()
    for arguments, word in [
        ((occluded, "-o", tmp_path / "a.gif"), ".mp4"),
        ((occluded, "-o", occluded), "input itself"),
        ((occluded, "-o", tmp_path / "a.mp4", "--quality", "99"), "--quality"),
        ((occluded, "-o", tmp_path / "a.mp4", "--codec", "x"), "--codec"),
        ((occluded, "-o", tmp_path / "a.webm"), "aac"),
        ((occluded, "-o", tmp_path / "a.mov", "--codec", "vp9"), ".mov cannot hold vp9"),
        ((occluded, "-o", tmp_path / "a.mp4", "--live", "--look-ahead", "8"), "--live"),
        ((occluded, "-o", mask, "--mask", mask), "is the mask"),
        ((occluded, "-o", tmp_path / "a.mp4", "--mask", mask, "--invented", mask), "another file"),
        ((occluded, "-o", tmp_path / "a.mp4", "--invented", link), "another file"),
        ((occluded, "-o", tmp_path / "no" / "a.mp4"), "a.mp4: there is no folder"),
        (
            (occluded, "-o", tmp_path / "a.mp4", "--invented", tmp_path / "no" / "b.mp4"),
            "no folder",
        ),
    ]:
        assert word in failure(UsageError, *arguments, "--model", model)
    assert mask.read_bytes() == before
    result = run(occluded, "-o", tmp_path / "a.mp4", "--look-ahead", "251")
    assert result.exit_code == 2
    assert "--look-ahead" in result.stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder of Linux's")
def test_a_place_that_cannot_be_written_is_named(model, occluded, tmp_path):
    call = (occluded, "-o", "/proc/a.mp4", "--model", model)
    reason = "/proc/a.mp4: cannot be written: No such file or directory"
    assert failure(VideoError, *call) == reason
    call = (occluded, "-o", tmp_path / "a.mp4", "--invented", "/proc/a.mp4", "--model", model)
    assert failure(VideoError, *call) == reason
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]


def test_an_error_on_the_way_leaves_the_old_file(model, occluded, tmp_path, monkeypatch):
    from unveil.video.writer import VideoWriter

    target = tmp_path / "out.mkv"
    shutil.copy(occluded, target)
    calls = iter(range(100))

    def fail(self, *rest):
        if next(calls) > 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(VideoWriter, "write", fail)
    result = run(occluded, "-o", target, "--model", model)
    assert result.exit_code != 0
    assert target.read_bytes() == occluded.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mkv", "out.mkv"]


@pytest.mark.parametrize(
    ("name", "before", "status", "says"),
    [
        ("SIGTERM", "SIG_DFL", 143, ""),
        ("SIGHUP", "SIG_DFL", 129, ""),
        ("SIGHUP", "SIG_IGN", 0, ""),  # nohup
        ("SIGINT", "default_int_handler", 130, "unveil: stopped\n"),
    ],
)
def test_a_kill_leaves_no_file(model, occluded, tmp_path, name, before, status, says):
    if not hasattr(signal, name):
        pytest.skip("this system has no such signal")
    code = (
        "import os, signal, unveil.video.writer as w\n"
        f"signal.signal(signal.{name}, signal.{before})\n"
        "write = w.VideoWriter.write\n"
        "def once(self, *rest):\n"
        f"    os.kill(os.getpid(), signal.{name})\n"
        "    write(self, *rest)\n"
        "w.VideoWriter.write = once\n"
        "from unveil.cli import main\n"
        "main()\n"
    )
    target = tmp_path / "out.mkv"
    command = [sys.executable, "-c", code, "video", occluded, "-o", target, "--model", model]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, says)
    written = [] if status else ["out.mkv"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mkv", *written]


@pytest.mark.skipif(sys.platform == "win32", reason="has another shell")
@pytest.mark.parametrize("verb", ["video", "restore"])
def test_standard_error_may_be_closed(model, occluded, tmp_path, verb):
    source, target = occluded, tmp_path / "out.mkv"
    if verb == "restore":
        source, target = tmp_path / "in.png", tmp_path / "out.png"
        source.write_bytes(encode(pictures(occluded)[0], "PNG"))
    call = [sys.executable, "-m", "unveil", verb, source, "-o", target, "--model", model]
    line = shlex.join(map(str, call)) + " 2>&-"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert target.exists()


def test_help_and_import_load_no_av():
    code = (
        "import sys, unveil; from unveil.cli import app; unveil.restore_video\n"
        "try: app(['video', '--help'])\nexcept SystemExit: pass\n"
        "print('loaded', 'av' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded False"
