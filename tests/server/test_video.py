"""Clips handed in, asked about, fetched once, and forgotten with their files."""

import asyncio
import errno
import io
import logging
import tempfile
import time

import av
import httpx
import numpy as np
import pytest
from clips import black_box, faces, growing, rewritten, with_images, write_clip
from drawn import draw_face
from serving import Slow, running, until

from unveil.errors import UsageError
from unveil.files import encode
from unveil.server import clips
from unveil.server.app import Settings, create_app
from unveil.server.limits import Limits
from unveil.server.problems import explain
from unveil.server.sending import PIECE_BYTES
from unveil.video.writer import VideoWriter

MOUTH = (slice(103, 118), slice(65, 95))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Where the server's own temporary folders are, to look into."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    """A clip of ten frames with a black box over the mouth."""
    frames, where = black_box(faces(10, step=0), *MOUTH)
    path = write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", frames, sound=True)
    return path.read_bytes(), where


def hand_in(server, data, **fields):
    return httpx.post(f"{server.url}/v1/video", files={"clip": ("c", data)}, data=fields)


def ask(server, number):
    return httpx.get(f"{server.url}/v1/video/{number}").json()


def finished(server, number):
    assert until(lambda: ask(server, number)["state"] in ("done", "failed"), 200)
    return ask(server, number)


def test_a_clip_from_handing_in_to_fetching(serve, hidden, place):
    server, (data, where) = serve(again_seconds=0.2), hidden
    taken = hand_in(server, data)
    assert taken.status_code == 202
    assert taken.headers["location"] == f"/v1/video/{taken.json()['id']}"
    number = taken.json()["id"]
    told = finished(server, number)
    assert (told["state"], told["done"], told["total"], told["faces"]) == ("done", 10, 10, 1)
    assert where.mean() < told["invented"] < 3 * where.mean()  # the box, and a margin
    assert "cut_off" not in told
    # The folder is this user's alone, and the clip itself is not kept.
    (folder,) = place.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    assert [f.name for f in folder.iterdir()] == ["out.mp4"]
    answer = httpx.get(f"{server.url}/v1/video/{number}/result")
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cache-control"] == "no-store"
    with av.open(io.BytesIO(answer.content)) as clip:
        assert {s.type for s in clip.streams} == {"video", "audio"}
        restored = [f.to_ndarray(format="rgb24") for f in clip.decode(video=0)]
    assert len(restored) == 10
    assert np.mean([f[where].mean() for f in restored]) > 60  # not black any more
    # Fetched, it is forgotten a while later.
    assert until(lambda: not list(place.iterdir()), 200)
    assert httpx.get(f"{server.url}/v1/video/{number}").status_code == 404
    assert httpx.get(f"{server.url}/v1/video/{number}/result").status_code == 404


def problem_of(answer):
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    return told["type"].removeprefix("/problems/"), told["detail"]


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"hello", "not-a-clip", "MP4"),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "not-a-clip", "MP4"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not-a-clip", "MP4"),
        (b"", "bad-form", "no file 'clip'"),
    ],
)
def test_what_is_no_clip_is_refused_at_once(serve, data, name, says, place):
    kind, detail = problem_of(hand_in(serve(), data))
    assert (kind, says in detail) == (name, True)
    assert not list(place.iterdir())


def test_the_advice_names_what_is_taken():
    names = {".mp4": "MP4", ".mov": "MOV", ".mkv": "Matroska, WebM", ".avi": "AVI"}
    advice = explain("not-a-clip")
    assert [suffix for _, _, suffix in clips.CONTAINERS if names[suffix] not in advice] == []


def test_wrong_options(serve, hidden):
    server = serve()
    assert problem_of(hand_in(server, hidden[0], model="../../etc/passwd"))[0] == "bad-option"
    assert problem_of(hand_in(server, hidden[0], url="http://example.org"))[0] == "bad-option"
    files = {"clip": ("c", hidden[0]), "mask": ("m", b"x")}
    assert problem_of(httpx.post(f"{server.url}/v1/video", files=files))[0] == "bad-form"


def uncounted(tmp_path):
    """A clip that does not say how many frames it has."""
    return write_clip(tmp_path / "u.mkv", faces(10, step=0)).read_bytes()


def nobody(tmp_path):
    return write_clip(tmp_path / "n.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 3).read_bytes()


def picture(tmp_path):
    """A WebP begins as an AVI does, and FFmpeg would take it for a clip of one frame."""
    path = tmp_path / "p.webp"
    path.write_bytes(encode(draw_face(1), "WEBP"))
    return path.read_bytes()


def larger(tmp_path):
    """A clip that grows."""
    return growing(tmp_path / "g.mkv", [96, 96, 640]).read_bytes()


@pytest.mark.parametrize(
    ("limits", "make", "name", "says"),
    [
        ({}, nobody, "no-face", "no face found in any frame"),
        ({}, None, "not-a-clip", "cut off"),
        ({}, picture, "not-a-clip", "not a video"),
        ({"clip_frames": 9}, None, "too-large", "over 9 frames"),
        ({"clip_frames": 9}, uncounted, "too-large", "over 9 frames"),
        ({"clip_megapixels": 0.02}, None, "too-large", "160x160"),
        ({"clip_megapixels": 0.02}, larger, "too-large", "a frame of the clip is over 0.02"),
        ({"clip_seconds": 1e-6}, None, "too-slow", "took over"),
    ],
    ids=[
        "no face",
        "cut off",
        "a picture",
        "too long",
        "longer than it says",
        "too large",
        "too large later",
        "too slow",
    ],
)
def test_what_fails_is_told_and_leaves_nothing(
    serve, hidden, tmp_path, place, limits, make, name, says
):
    server = serve(**limits)
    data = make(tmp_path) if make else hidden[0]
    number = hand_in(server, data[:600] if says == "cut off" else data).json()["id"]
    told = finished(server, number)
    assert told["state"] == "failed"
    assert told["problem"]["type"] == f"/problems/{name}"
    assert says in told["problem"]["detail"]
    assert "--" not in told["problem"]["detail"]  # the command line's words
    assert str(place) not in str(told)
    for _ in range(2):
        assert problem_of(httpx.get(f"{server.url}/v1/video/{number}/result"))[0] == name
    # Nor does what is told hold on to what was being done, or to who asked.
    assert server.service.clips.held[number].problem.__traceback__ is None
    assert not list(place.iterdir())


def test_of_a_clip_the_largest_faces_are_restored(serve, tmp_path):
    small, _ = black_box(faces(3, seed=2, size=(160, 90), step=0), slice(88, 96), slice(35, 55))
    large, where = black_box(faces(3, step=0), *MOUTH)
    frames = [np.hstack(pair) for pair in zip(small, large, strict=True)]
    server, path = serve(faces=1), write_clip(tmp_path / "two.mp4", frames)
    number = hand_in(server, path.read_bytes()).json()["id"]
    assert finished(server, number)["faces"] == 1
    data = httpx.get(f"{server.url}/v1/video/{number}/result").content
    with av.open(io.BytesIO(data)) as clip:
        shown = [f.to_ndarray(format="rgb24") for f in clip.decode(video=0)][1]
    assert shown[:, 90:][where].mean() > 60
    assert shown[89:95, 37:53].mean() < 15


@pytest.mark.parametrize(
    ("part", "code", "suffix"),
    [("_begin", errno.EDQUOT, ".mp4"), ("_mux", errno.ENOSPC, ""), ("_close", errno.EFBIG, "")],
)
def test_a_full_disk_is_not_the_clips_fault(
    serve, hidden, place, monkeypatch, caplog, part, code, suffix
):
    def full(self, *rest):
        raise self._failed(OSError(code, "No space left"), suffix)

    monkeypatch.setattr(VideoWriter, part, full)
    server = serve()
    with caplog.at_level(logging.ERROR, "unveil.server"):
        told = finished(server, hand_in(server, hidden[0]).json()["id"])
    assert told["problem"]["type"] == "/problems/internal"
    assert "out.mp4: cannot be written: No space left" in caplog.text
    assert str(place) not in str(told)
    assert not list(place.iterdir())


def test_clips_are_held_in_a_bounded_number_and_can_be_given_up(serve, hidden, place):
    slow = Slow()
    server = serve(load=slow, clips=2)
    slow.go.clear()
    server.service.engine._loaded.clear()
    first, second = (hand_in(server, hidden[0]).json()["id"] for _ in range(2))
    refused = hand_in(server, hidden[0])
    assert problem_of(refused)[0] == "busy"
    assert int(refused.headers["retry-after"]) > 0
    assert problem_of(httpx.get(f"{server.url}/v1/video/{first}/result"))[0] == "not-done"
    # One that waits, and one that is being done.
    for number in (second, first):
        assert httpx.delete(f"{server.url}/v1/video/{number}").status_code == 204
        assert httpx.delete(f"{server.url}/v1/video/{number}").status_code == 404
    slow.go.set()
    assert until(lambda: not list(place.iterdir()), 200)
    assert finished(server, hand_in(server, hidden[0]).json()["id"])["state"] == "done"


def nothing_hidden(path):
    return write_clip(path, faces(10, step=0), sound=True).read_bytes()


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi"])
def test_a_clip_with_nothing_hidden(serve, tmp_path, suffix):
    server, data = serve(), nothing_hidden(tmp_path / f"clip.{suffix}")
    number = hand_in(server, data).json()["id"]
    assert finished(server, number)["invented"] == 0
    result = httpx.get(f"{server.url}/v1/video/{number}/result").content
    # The whole file, where that is of the kind that is answered: an MP4.
    assert (result == data) == (suffix == "mp4")
    with av.open(io.BytesIO(result)) as clip:
        assert "mp4" in clip.format.name
        assert sum(1 for _ in clip.decode(video=0)) == 10


def test_of_a_clip_that_breaks_off_it_is_told_where(serve, tmp_path):
    data, server = write_clip(tmp_path / "clip.mkv", faces(40)).read_bytes(), serve()
    number = hand_in(server, data[: int(0.6 * len(data))]).json()["id"]
    told = finished(server, number)
    assert told["state"] == "done"
    assert 5 < told["done"] < 38
    assert told["cut_off"] == pytest.approx(told["done"] / 25, abs=0.1)


def test_of_a_clip_with_a_broken_frame_it_is_told_that_one_is_lost(serve, tmp_path):
    drawn, _ = black_box(faces(3, step=0), *MOUTH)
    whole = write_clip(tmp_path / "a.mkv", drawn, codec="ffv1")
    broken = rewritten(whole, tmp_path / "b.mkv", lambda i, data: data[:8] if i == 1 else data)
    server = serve()
    for path, lost in [(whole, 0), (broken, 1)]:
        told = finished(server, hand_in(server, path.read_bytes()).json()["id"])
        assert (told["state"], told["done"], told["damaged"]) == ("done", 3 - lost, lost)
        assert "cut_off" not in told


def test_a_fetch_that_breaks_off_loses_nothing(serve, tmp_path, place):
    server, data = serve(clips=1), nothing_hidden(tmp_path / "clip.mp4")
    number = hand_in(server, data).json()["id"]
    finished(server, number)
    clip = server.service.clips.held[number]
    path = f"{server.url}/v1/video/{number}/result"
    large = bytes(30_000_000)  # more than the machine's own buffers take
    clip.result.write_bytes(large)
    with httpx.stream("GET", path) as answer:
        assert next(answer.iter_bytes(1000)) == bytes(1000)
    time.sleep(0.5)
    assert httpx.get(path).content == large
    # What is small is on its way before anybody knows that the connection broke.
    clip.result.write_bytes(data)
    for _ in range(3):
        with httpx.stream("GET", path) as answer:
            assert answer.headers["content-length"] == str(len(data))
    assert httpx.get(path).content == data
    assert list(place.iterdir())
    # It takes no place any more, and can be given up.
    other = hand_in(server, data)
    assert other.status_code == 202
    assert httpx.delete(f"{server.url}/v1/video/{number}").status_code == 204
    assert httpx.get(path).status_code == 404


@pytest.mark.parametrize("share", [0.1, 0.9, 1.0])
def test_only_what_was_sent_whole_makes_place(model, share):
    """A caller hangs up the moment that it has so much of the result."""
    app = create_app(Settings(model, 1, hosts=["*"]))
    held, past = app.state.service.clips.held, app.state.service.clips.past
    size = 10 * PIECE_BYTES

    async def fetch() -> int:
        clip = clips.Clip("n", tempfile.TemporaryDirectory(), ".mp4", "done")
        clip.result.write_bytes(bytes(size))
        held["n"] = clip
        gone, got, asked = asyncio.Event(), 0, False

        async def receive() -> dict:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request"}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            nonlocal got
            got += len(message.get("body", b""))
            if got >= share * size:
                gone.set()

        path = "/v1/video/n/result"
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
        await app(scope | {"headers": [], "query_string": b""}, receive, send)
        clip.folder.cleanup()
        return got

    got = asyncio.run(fetch())
    assert share * size <= got <= (share + 0.1) * size
    assert (list(held), list(past)) == ((["n"], []) if share < 1 else ([], ["n"]))


def test_faces_are_counted_once_however_often_a_clip_is_fetched(serve, tmp_path):
    server, data = serve(), nothing_hidden(tmp_path / "clip.mp4")
    number = hand_in(server, data).json()["id"]
    finished(server, number)
    for _ in range(2):
        httpx.get(f"{server.url}/v1/video/{number}/result")
    assert server.service.metrics.faces._value.get() == 1


def test_clips_that_fail_take_no_place(serve, hidden, monkeypatch):
    monkeypatch.setattr(clips, "MOST_PAST", 3)
    server = serve(clips=1)
    fake = b"\0\0\0\x18ftypisom" + bytes(100)
    numbers = []
    for _ in range(6):
        numbers.append(hand_in(server, fake).json()["id"])
        assert finished(server, numbers[-1])["state"] == "failed"
    # Why can be asked for a while, but of so many only.
    answers = [httpx.get(f"{server.url}/v1/video/{number}") for number in numbers]
    assert [answer.status_code for answer in answers] == [404, 404, 200, 200, 200, 200]
    assert "not-a-clip" in answers[-1].json()["problem"]["type"]
    assert finished(server, hand_in(server, hidden[0]).json()["id"])["state"] == "done"


def test_a_clip_that_holds_what_an_mp4_cannot(serve, tmp_path):
    path = tmp_path / "s.mkv"
    with av.open(str(path), "w") as output:
        picture = output.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 160, 160, "yuv420p"
        sound = output.add_stream("wavpack", rate=44100, layout="mono")
        for photo in faces(3):
            output.mux(picture.encode(av.VideoFrame.from_ndarray(photo, format="rgb24")))
        noise = np.zeros((1, 4410), np.int16)
        frame = av.AudioFrame.from_ndarray(noise, format="s16p", layout="mono")
        frame.sample_rate, frame.pts = 44100, 0
        output.mux(sound.encode(frame))
        for stream in (picture, sound):
            output.mux(stream.encode(None))
    server = serve()
    told = finished(server, hand_in(server, path.read_bytes()).json()["id"])["problem"]
    assert told["type"] == "/problems/bad-option"
    (error,) = told["errors"]
    assert error["field"] == "clip"
    assert "cannot hold its sound (wavpack)" in error["detail"]


def test_subtitles_are_converted_and_what_is_left_out_is_told(serve, tmp_path):
    frames, _ = black_box(faces(3, step=0), *MOUTH)
    text = write_clip(tmp_path / "text.mkv", frames, subtitles=True)
    images = with_images(tmp_path / "images.mkv", frames)
    server = serve()
    for path, left_out in [(text, []), (images, ["hdmv_pgs_subtitle"])]:
        number = hand_in(server, path.read_bytes()).json()["id"]
        told = finished(server, number)
        assert told["invented"] > 0
        assert told["left_out"] == left_out
        data = httpx.get(f"{server.url}/v1/video/{number}/result").content
        with av.open(io.BytesIO(data)) as clip:
            kinds = [stream.codec_context.name for stream in clip.streams.subtitles]
        assert kinds == ([] if left_out else ["mov_text"])


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv422p"])
def test_a_clip_is_written_as_browsers_show_it(serve, tmp_path, pix_fmt):
    drawn, _ = black_box(faces(3, step=0), *MOUTH)
    path = write_clip(tmp_path / "d.mkv", drawn, pix_fmt=pix_fmt)
    server = serve()
    number = hand_in(server, path.read_bytes()).json()["id"]
    assert finished(server, number)["state"] == "done"
    data = httpx.get(f"{server.url}/v1/video/{number}/result").content
    with av.open(io.BytesIO(data)) as container:
        frame = next(container.decode(video=0))
        assert (container.streams.video[0].codec_context.name, frame.format.name) == (
            "h264",
            "yuv420p",
        )
    shown = frame.to_ndarray(format="rgb24").astype(int)
    assert np.abs(shown[:80] - drawn[0][:80]).mean() < 3


def test_what_nobody_fetches_is_removed(serve, hidden, place):
    server = serve(keep_seconds=0.2)
    number = hand_in(server, hidden[0]).json()["id"]
    assert until(lambda: httpx.get(f"{server.url}/v1/video/{number}").status_code == 404, 200)
    assert not list(place.iterdir())


def test_a_server_that_ends_leaves_no_files(hidden, place, model):
    with running(create_app(Settings(model, 1))) as server:
        finished(server, hand_in(server, hidden[0]).json()["id"])
        assert list(place.iterdir())
    assert not list(place.iterdir())


def test_a_server_can_take_no_clips(serve, hidden):
    server = serve(clips=0)
    assert problem_of(hand_in(server, hidden[0]))[0] == "no-clips"
    assert httpx.get(f"{server.url}/v1/models").json()["limits"]["clip_frames"] == 0


def test_without_the_extra_a_server_takes_none_and_says_so(serve, hidden, monkeypatch):
    monkeypatch.setattr("unveil.server.clips.find_spec", lambda name: None)
    server = serve()
    assert problem_of(hand_in(server, hidden[0]))[0] == "no-clips"
    assert httpx.get(f"{server.url}/v1/models").json()["limits"]["clip_frames"] == 0


def test_the_token_guards_clips(serve, hidden):
    assert problem_of(hand_in(serve(token="secret"), hidden[0]))[0] == "no-token"


def test_limits_are_checked():
    with pytest.raises(UsageError, match="clip_frames"):
        Limits(clip_frames=0)
