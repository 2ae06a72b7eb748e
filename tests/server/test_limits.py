"""What a server takes on is bounded, and whoever goes away leaves nothing behind."""

import asyncio
import io
import math
import socket
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import numpy as np
import photos
import pytest
from PIL import Image
from serving import Held, Watched, until

from unveil.errors import UsageError
from unveil.files import encode
from unveil.restorer import Restorer
from unveil.server.limits import Gate, Limits, check_pixels
from unveil.server.problems import Problem

PHOTO = encode(photos.scene(*photos.TWO)[0], "PNG")
FACE = {"photo": ("a.png", encode(np.full((64, 64, 3), 9, np.uint8), "PNG"))}
ALIGNED = {"aligned": "true"}
PART = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'


def bomb(side: int) -> bytes:
    """A PNG whose header promises side x side pixels, in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def post(url: str, **options) -> httpx.Response:
    given = {"files": FACE, "data": ALIGNED, "timeout": 60} | options
    return httpx.post(f"{url}/v1/restore", **given)


@pytest.mark.parametrize("side", [7000, 20_000, 100_000])
def test_bombs_are_refused_by_their_header(client, side):
    started = time.monotonic()
    for name in ("photo", "mask"):
        files = {"photo": ("a.png", PHOTO), name: ("b.png", bomb(side))}
        answer = client.post("/v1/restore", files=files)
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/too-large"
        assert f"the {name} is" in answer.json()["detail"]
        assert "40 megapixels" in answer.json()["detail"]
    assert time.monotonic() - started < 20


def test_pixels_are_read_of_every_form_and_what_is_none_passes():
    limits = Limits(megapixels=0.01)
    for kind in ("PNG", "JPEG", "WEBP", "TIFF"):
        buffer = io.BytesIO()
        Image.new("RGB", (101, 100)).save(buffer, kind)
        with pytest.raises(Problem, match="101x100"):
            check_pixels(buffer.getvalue(), limits)
    check_pixels(b"no image", limits)


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_hears_why(serve, declared):
    server = serve(megabytes=0.2)
    body = PART + b"x" * 500_000
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    content = body if declared else (body[i : i + 50_000] for i in range(0, len(body), 50_000))
    answer = httpx.post(f"{server.url}/v1/restore", content=content, headers=headers, timeout=30)
    assert answer.status_code == 413
    assert "0.2 MB" in answer.json()["detail"]
    assert post(server.url).status_code == 200
    assert server.settled()


def test_more_faces_than_the_limit(serve):
    server = serve(faces=1)
    answer = post(server.url, files={"photo": PHOTO}, data={"format": "json"}).json()
    assert len(answer["faces"]) == 1
    assert "Only the 1 largest" in " ".join(answer["notes"])


def test_just_as_many_faces_as_the_limit(serve):
    """Nobody was passed over, and nobody is said to be."""
    answer = post(serve(faces=2).url, files={"photo": PHOTO}, data={"format": "json"}).json()
    assert len(answer["faces"]) == 2
    assert answer["notes"] == []


def test_past_the_queue_503_and_when_to_come_back(serve, model):
    held = Held(model)
    server = serve(lambda _: held, at_once=1, queue=2)
    held.go.clear()
    held.begun = 0
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(post, server.url) for _ in range(3)]
        assert until(lambda: server.service.gate.inside == 3)
        refused = post(server.url)
        assert refused.status_code == 503
        assert refused.json()["type"] == "/problems/busy"
        assert 1 <= int(refused.headers["retry-after"]) <= 120
        assert held.begun == 1  # of three, one at once
        held.go.set()
        assert [each.result().status_code for each in asked] == [200, 200, 200]
    assert server.settled()
    assert post(server.url).status_code == 200


@pytest.mark.parametrize(("at_once", "queue", "wait"), [(1, 4, 5), (2, 4, 3), (1, 400, 120)])
def test_when_to_come_back_is_when_all_before_are_done(at_once, queue, wait):
    gate = Gate(at_once, queue)  # which takes a second for each while it knows nothing better
    gate.running = at_once
    with ExitStack() as stack:
        for _ in range(at_once + queue):
            stack.enter_context(gate.enter())
        with pytest.raises(Problem) as refused, gate.enter():
            pass
    assert refused.value.headers["Retry-After"] == str(wait)
    gate.close()


def test_what_takes_too_long_is_given_up_and_its_turn_kept(serve, model):
    held = Held(model)
    server = serve(lambda _: held, at_once=1, queue=2, seconds=0.3)
    held.go.clear()
    answer = post(server.url)
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/too-slow"
    assert "0.3 s" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "1"
    gate = server.service.gate
    assert (gate.inside, gate.running) == (0, 1)  # the thread cannot be stopped; it is counted
    begun = held.begun
    assert post(server.url).json()["type"] == "/problems/too-slow"
    assert held.begun == begun  # the second never began
    held.go.set()
    assert server.settled()


@pytest.mark.parametrize("patient", [True, False], ids=["out of time", "hung up"])
def test_what_nobody_waits_for_ends_at_its_next_stage(serve, model, patient):
    watched = Watched(model)
    server = serve(lambda _: watched, at_once=1, seconds=2 if patient else 60)
    watched.go.clear()
    watched.finds = watched.fills = 0
    files = {"photo": ("a.png", encode(np.zeros((64, 64, 3), np.uint8), "PNG"))}
    if patient:
        assert post(server.url, files=files).json()["type"] == "/problems/too-slow"
    else:
        with pytest.raises(httpx.ReadTimeout):
            post(server.url, files=files, timeout=2)
    assert watched.finds == 1  # it had begun
    assert server.service.gate.running == 1
    watched.go.set()
    assert server.settled()
    assert watched.fills == 0
    assert post(server.url, files=files).status_code == 200
    assert watched.fills == 1


def test_slow_uploads_end(serve):
    server = serve(upload_seconds=0.3)

    def drops():
        yield PART
        for _ in range(60):
            yield b"x"
            time.sleep(0.1)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    started = time.monotonic()
    answer = httpx.post(f"{server.url}/v1/restore", content=drops(), headers=headers, timeout=30)
    assert answer.status_code == 408
    assert answer.json()["type"] == "/problems/slow-upload"
    assert time.monotonic() - started < 5
    assert server.settled()


def test_who_hangs_up_leaves_nothing_behind(serve, model):
    held = Held(model)
    server = serve(lambda _: held, at_once=1, queue=40)
    held.go.clear()
    held.begun = 0
    request = httpx.Request("POST", f"{server.url}/v1/restore", files=FACE, data=ALIGNED)
    body = request.read()
    head = "POST /v1/restore HTTP/1.1\r\nHost: localhost\r\n" + "".join(
        f"{k}: {v}\r\n" for k, v in request.headers.items() if k != "host"
    )
    lines = []
    for i in range(32):
        line = socket.create_connection(("127.0.0.1", server.port))
        # Half of them hang up while they send, half while they wait for the answer.
        line.sendall(head.encode() + b"\r\n" + (body if i % 2 else body[: len(body) // 2]))
        lines.append(line)
    gate = server.service.gate
    assert until(lambda: gate.inside == 32)
    assert until(lambda: held.begun == 1)
    for line in lines:
        line.close()
    assert until(lambda: gate.inside == 0)
    held.go.set()
    assert server.settled()
    assert held.begun == 1  # what waited was never begun
    assert server.service.metrics.hung_up._value.get() == 32
    assert post(server.url).status_code == 200


def test_a_job_that_is_cancelled_while_it_waits_is_never_begun():
    async def run() -> list[int]:
        gate = Gate(1, 5)
        done: list[int] = []
        first = asyncio.create_task(gate.run(lambda: (time.sleep(0.2), done.append(1))))
        second = asyncio.create_task(gate.run(lambda: done.append(2)))
        third = asyncio.create_task(gate.run(lambda: done.append(3)))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.gather(first, third)
        gate.close()
        return done

    assert asyncio.run(run()) == [1, 3]


@pytest.mark.parametrize(("samples", "status"), [(1, 200), (2, 413)])
def test_a_photo_and_its_samples_are_of_a_bounded_size(serve, samples, status):
    library = Restorer(threads=1)
    if not library.model.weights.has("prior"):
        pytest.skip("the default model has no prior")
    server = serve(lambda _: library, megapixels=64 * 64 / 1e6)  # so 2.5 pictures of it
    data = ALIGNED | {"samples": str(samples), "format": "json"}
    answer = post(server.url, data=data)
    assert answer.status_code == status
    if status == 413:
        assert "ask for 1 at most" in answer.json()["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"megabytes": 0},
        {"megabytes": 1e308},
        {"at_once": 0},
        {"queue": -1},
        {"seconds": -1},
        {"seconds": math.nan},
        {"megapixels": math.inf},
        {"megapixels": 100.1},
    ],
)
def test_limits_that_make_no_sense(wrong):
    with pytest.raises(UsageError):
        Limits(**wrong)
