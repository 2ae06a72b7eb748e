"""Clips handed in, asked about, fetched once, and forgotten with their files."""

import io
import tempfile

import av
import httpx
import numpy as np
import pytest
from clips import black_box, faces, write_clip
from serving import Slow, running, until

from unveil.errors import UsageError
from unveil.server.app import Settings, create_app
from unveil.server.limits import Limits

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
    server, (data, where) = serve(), hidden
    taken = hand_in(server, data)
    assert taken.status_code == 202
    assert taken.headers["location"] == f"/v1/video/{taken.json()['id']}"
    number = taken.json()["id"]
    told = finished(server, number)
    assert (told["state"], told["done"], told["total"], told["faces"]) == ("done", 10, 10, 1)
    assert told["invented"] == pytest.approx(where.mean(), rel=2)
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
    # Fetched, it is forgotten.
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


def test_wrong_options(serve, hidden):
    server = serve()
    assert problem_of(hand_in(server, hidden[0], model="../../etc/passwd"))[0] == "bad-option"
    assert problem_of(hand_in(server, hidden[0], url="http://example.org"))[0] == "bad-option"
    files = {"clip": ("c", hidden[0]), "mask": ("m", b"x")}
    assert problem_of(httpx.post(f"{server.url}/v1/video", files=files))[0] == "bad-form"


def nobody(tmp_path):
    return write_clip(tmp_path / "n.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 3).read_bytes()


@pytest.mark.parametrize(
    ("limits", "make", "name", "says"),
    [
        ({}, nobody, "no-face", "no face"),
        ({}, None, "not-a-clip", "cut off"),
        ({"clip_frames": 9}, None, "too-large", "over 9 frames"),
        ({"clip_megapixels": 0.02}, None, "too-large", "160x160"),
        ({"clip_seconds": 1e-6}, None, "too-slow", "took over"),
    ],
    ids=["no face", "cut off", "too long", "too large", "too slow"],
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
    assert str(place) not in str(told)
    assert problem_of(httpx.get(f"{server.url}/v1/video/{number}/result"))[0] == name
    (folder,) = place.iterdir()
    assert not list(folder.iterdir())


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
