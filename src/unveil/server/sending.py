"""An answer that is not kept for a caller who does not take it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

PIECE_BYTES = 1 << 16


class PatientResponse(Response):
    """Sent in pieces, and given up where one is not taken in time: answers may be large.

    Sent as a whole it would lie in the connection's memory for as long as the caller likes.
    """

    def __init__(
        self, body: bytes, media_type: str, headers: Mapping[str, str], seconds: float
    ) -> None:
        """Args: `seconds`, in which each piece must be taken."""
        super().__init__(body, headers=headers, media_type=media_type)
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; cut off, its length says so."""
        kind = "http.response.body"
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        try:
            for at in range(0, len(self.body), PIECE_BYTES):
                async with asyncio.timeout(self.seconds):
                    piece = self.body[at : at + PIECE_BYTES]
                    await send({"type": kind, "body": piece, "more_body": True})
            async with asyncio.timeout(self.seconds):
                await send({"type": kind, "body": b""})
        except TimeoutError:
            return  # the server closes the connection


class PatientStream(StreamingResponse):
    """The same of what is not at hand as a whole: a file would stay open, and on the disk."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        media_type: str,
        headers: Mapping[str, str],
        seconds: float,
    ) -> None:
        """Args: `seconds`, in which each piece must be taken."""
        super().__init__(pieces, headers=headers, media_type=media_type)
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; cut off, its length says so."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self.seconds):
                await send(message)

        # By the newer protocol, who is too slow counts as gone.
        with suppress(TimeoutError, ClientDisconnect):
            await super().__call__(scope, receive, send_in_time)


def patient_protocol(seconds: float) -> type[H11Protocol]:
    """uvicorn's HTTP, but a connection ends though its caller takes nothing more.

    Closed, a connection waits until all that was written is taken: for as long as the caller likes,
    and the end of the server with it. Here it is cut off once nothing was taken for `seconds`.
    """

    class Patient(H11Protocol):
        full_since: float | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            closing = _Closing(transport, seconds, self._left)
            super().connection_made(cast(asyncio.Transport, closing))

        def _left(self) -> float:
            since = self.loop.time() if self.full_since is None else self.full_since
            return max(0.0, since + seconds - self.loop.time())

        def pause_writing(self) -> None:
            self.full_since = self.loop.time()
            super().pause_writing()

        def resume_writing(self) -> None:
            self.full_since = None
            super().resume_writing()

    return Patient


class _Closing:
    """A transport that, once it is closed, waits for the rest to be taken as long as some of it is.

    Args:
        transport: which it is, but for its close.
        seconds: in which some must be taken.
        left: how many of them there are still when it is closed.
    """

    def __init__(
        self, transport: asyncio.Transport, seconds: float, left: Callable[[], float]
    ) -> None:
        self._transport, self._seconds, self._left = transport, seconds, left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        first = not self._transport.is_closing()
        self._transport.close()
        if first:
            self._wait(self._left())

    def _wait(self, seconds: float) -> None:
        if rest := self._transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(seconds, self._look, rest)

    def _look(self, before: int) -> None:
        if self._transport.get_write_buffer_size() < before:
            self._wait(self._seconds)
            return
        # Else the system would keep what it holds itself, and go on trying.
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
