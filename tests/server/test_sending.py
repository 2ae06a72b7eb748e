"""Answers are sent whole, or given up where nobody takes them."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from serving import until

from unveil.server.sending import PIECE_BYTES, PatientResponse, PatientStream, patient_protocol

LARGE = 30 << 20  # more than a machine holds of an answer that is not read
PATIENCE = 0.4


def caller(taken: int) -> tuple[list[dict], Callable[[dict], Awaitable[None]]]:
    """What a caller gets who takes so many pieces of an answer, and the `send` to it."""
    got: list[dict] = []

    async def send(message: dict) -> None:
        if len(got) > taken:
            await asyncio.sleep(60)
        got.append(message)

    return got, send


def send_to(taken: int) -> tuple[list[dict], float]:
    """What a caller gets who takes so many pieces of an answer of ten; and how long it is kept."""
    got, send = caller(taken)

    async def receive() -> dict:
        return {"type": "http.request"}

    answer = PatientResponse(bytes(range(256)) * (PIECE_BYTES // 25), "image/png", {}, 0.1)
    started = time.monotonic()
    asyncio.run(answer({"type": "http"}, receive, send))
    return got, time.monotonic() - started


def test_an_answer_that_nobody_takes_is_given_up():
    got, seconds = send_to(3)
    assert len(got) == 4
    assert got[-1]["more_body"]
    assert 0.1 <= seconds < 1
    (start, *pieces), _ = send_to(1000)
    assert b"".join(piece["body"] for piece in pieces) == bytes(range(256)) * (PIECE_BYTES // 25)
    assert not pieces[-1].get("more_body", False)
    length = dict(start["headers"])[b"content-length"]
    assert int(length) == 256 * (PIECE_BYTES // 25)


def test_a_clip_that_nobody_takes_is_given_up():
    """Its file is closed, and it counts as sent only where it was."""
    ended: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            for _ in range(10):
                yield bytes(PIECE_BYTES)
            ended.append("sent")
        finally:
            ended.append("closed")

    async def run(taken: int) -> int:
        got, send = caller(taken)

        async def receive() -> dict:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        answer = PatientStream(pieces(), "video/mp4", {"Content-Length": "9"}, 0.1)
        await answer({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
        return len(got)

    started = time.monotonic()
    assert asyncio.run(run(3)) == 4
    assert 0.1 <= time.monotonic() - started < 1
    assert ended == ["closed"]
    assert asyncio.run(run(1000)) == 12
    assert ended == ["closed", "sent", "closed"]


@contextmanager
def served(body: int) -> Iterator[uvicorn.Server]:
    """A server whose answer has so many bytes, each piece of which must be taken in time."""

    async def app(scope: dict, receive: Callable, send: Callable) -> None:
        await PatientResponse(bytes(body), "image/png", {}, PATIENCE)(scope, receive, send)

    http = patient_protocol(PATIENCE)
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical", http=http)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert until(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        thread.join()


def ask(server: uvicorn.Server, closing: bool = False) -> socket.socket:
    """A caller who has asked, and reads nothing by itself."""
    caller = socket.socket()
    caller.settimeout(20)
    caller.connect(("127.0.0.1", server.servers[0].sockets[0].getsockname()[1]))
    ends = b"Connection: close\r\n" if closing else b""
    caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + ends + b"\r\n")
    assert until(lambda: bool(server.server_state.connections))
    return caller


def take(caller: socket.socket, pause: float = 0) -> int:
    """How many bytes come until the end."""
    got = 0
    while piece := caller.recv(1 << 18):
        got += len(piece)
        time.sleep(pause)
    return got


def test_who_takes_nothing_is_cut_off():
    with served(LARGE) as server, ask(server) as caller:
        assert until(lambda: not server.server_state.connections, 10)
        with pytest.raises(ConnectionResetError):
            take(caller)


def test_who_takes_little_at_a_time_gets_it_all():
    with served(LARGE) as server, ask(server, closing=True) as caller:
        started = time.monotonic()
        assert take(caller, pause=0.01) > LARGE
    assert time.monotonic() - started > 2 * PATIENCE


def test_a_server_ends_though_an_answer_is_not_taken():
    with served(LARGE) as server, ask(server):
        started = time.monotonic()
        server.should_exit = True
        assert until(lambda: not server.server_state.connections, 10)
        assert time.monotonic() - started > PATIENCE / 2
