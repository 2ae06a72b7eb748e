"""Runs the application under uvicorn, and says where."""

from __future__ import annotations

import ctypes
import errno
import logging
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from unveil.endings import endings
from unveil.errors import UsageError
from unveil.server.limits import Limits
from unveil.server.sending import patient_protocol

M_ARENA_MAX = -8


def run(app: FastAPI, host: str, port: int, limits: Limits) -> bool:
    """Serve until SIGINT, SIGTERM or SIGHUP, then end what was begun.

    Returns:
        Whether it ever served.

    Raises:
        UsageError: nothing can listen at this host and port.
    """
    _check_free(host, port)
    _bound_memory()
    # What is wrong with a form, its sender is told.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    for number in endings():
        signal.signal(number, _end if number == signal.SIGTERM else _as_terminated)
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=patient_protocol(limits.send_seconds),
            access_log=False,
            # Below are remarks on what strangers send, and how to install WebSockets.
            log_level="error",
            server_header=False,
            # Long enough for whatever was begun when the end was asked for.
            timeout_graceful_shutdown=int(limits.upload_seconds + limits.seconds) + 5,
        )
    )
    try:
        with suppress(_Ended):
            server.run()
    finally:
        # A second Ctrl+C passes the application's own end over; threads would still be waited for.
        app.state.service.clips.close()
    return server.started


def _check_free(host: str, port: int) -> None:
    # uvicorn would tell it in its own words and with its own exit status.
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        failures = [error for place in places if (error := _bind(*place))]
    except OSError as error:
        places, failures = [], [error]
    # A name may have an address of a kind that this machine lacks beside one that it has.
    for failed in failures:
        if len(failures) >= len(places) or failed.errno in (errno.EADDRINUSE, errno.EACCES):
            raise UsageError(
                f"--host {host} --port {port}: cannot listen there: {failed.strerror or failed} "
                "(--port 0 takes a free one)"
            )


def _bind(
    family: int, kind: int, protocol: int, _: str, address: tuple[str | int | bytes, ...]
) -> OSError | None:
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self.force_exit:  # what that cuts off is no news
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for bound in server.sockets:
                host, port = bound.getsockname()[:2]
                name = f"[{host}]" if ":" in host else host
                print(f"unveil: http://{name}:{port} (Ctrl+C ends it)", file=sys.stderr, flush=True)


class _Ended(Exception):
    pass


def _end(number: int, frame: FrameType | None) -> None:
    # uvicorn ends the server, then hands the signal on to whoever had it before: a clean end.
    raise _Ended


def _as_terminated(number: int, frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)  # the one that uvicorn knows


def _bound_memory() -> None:
    """Keep glibc from holding a heap for each thread that ever decoded a photo."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
