"""Answers are sent whole, or given up where nobody takes them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from unveil.server.sending import PIECE_BYTES, PatientResponse, PatientStream


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
