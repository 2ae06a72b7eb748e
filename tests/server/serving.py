"""A server on a port of its own, and a restorer that waits to be told to go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI

from unveil.restorer import Restorer
from unveil.server.service import Service


class Held:
    """A restorer that waits until it may go on; knows how many restorations have begun."""

    def __init__(self, name: str) -> None:
        self.inner = Restorer(name, 1)
        self.go = threading.Event()
        self.go.set()  # for warming up
        self.begun = 0

    def restore(self, *arguments: Any, **options: Any) -> Any:
        self.begun += 1
        assert self.go.wait(30)
        return self.inner.restore(*arguments, **options)

    def find(self, *arguments: Any, **options: Any) -> Any:
        return self.inner.find(*arguments, **options)


class Watched(Restorer):
    """The library, that stops after it has found the masks until it may go on; counts the fills."""

    def __init__(self, name: str) -> None:
        super().__init__(name, 1)
        self.go = threading.Event()
        self.go.set()  # for warming up
        self.finds = self.fills = 0
        find, fill = self.model.find, self.model.fill

        def held_find(faces: Any) -> Any:
            self.finds += 1
            found = find(faces)
            assert self.go.wait(30)
            return found

        def counted_fill(*arguments: Any) -> Any:
            self.fills += 1
            return fill(*arguments)

        self.model.find, self.model.fill = held_find, counted_fill  # type: ignore[method-assign]


class Slow:
    """Makes a restorer once it may."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()

    def __call__(self, name: str) -> Restorer:
        assert self.go.wait(200)
        return Restorer(name, 1)


@dataclass
class Running:
    """A server on a port."""

    url: str
    port: int
    app: FastAPI

    @property
    def service(self) -> Service:
        return self.app.state.service

    def settled(self) -> bool:
        """Whether, within a while, nothing is being done and nobody waits."""
        gate = self.service.gate
        return until(lambda: gate.inside == 0 and gate.running == 0)


def until(true: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


@contextmanager
def running(app: FastAPI) -> Iterator[Running]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        assert until(lambda: app.state.service.engine.ready)
        yield Running(f"http://127.0.0.1:{port}", port, app)
    finally:
        server.should_exit = True
        thread.join()
