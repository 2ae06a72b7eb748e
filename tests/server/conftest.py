"""A server over the stand-in model: in this process, or on a port of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from serving import Running, running, until

from unveil.restorer import Restorer
from unveil.server.app import Settings, create_app
from unveil.server.limits import Limits


@pytest.fixture(scope="session")
def restorer(model: str) -> Restorer:
    """The library, which the service must agree with."""
    return Restorer(model, 1)


@pytest.fixture(scope="session")
def client(model: str) -> Iterator[TestClient]:
    """A server with the usual limits."""
    app = create_app(Settings(model, 1, hosts=["testserver"]))
    with TestClient(app) as client:
        assert until(lambda: app.state.service.engine.ready)
        yield client


@pytest.fixture
def serve(model: str) -> Iterator[Callable[..., Running]]:
    """Start a server on a port: limits by name, and how its restorers are made."""
    with_exit: list[Any] = []

    def start(load: Any = None, token: str | None = None, **limits: Any) -> Running:
        settings = Settings(model, 1, Limits(**limits), token)
        context = running(create_app(settings, load))
        with_exit.append(context)
        return context.__enter__()

    yield start
    for context in reversed(with_exit):
        context.__exit__(None, None, None)
