"""An answer that is not kept for a caller who does not take it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

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
