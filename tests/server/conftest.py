"""A server over the stand-in model: in this process, or on a port of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import photos
import pytest
from browser import CHROMIUM, LARGE, MILLISECONDS, Recorder
from fastapi.testclient import TestClient
from serving import Running, running, until

from unveil.files import encode
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


@pytest.fixture(scope="module")
def url(model: str) -> Iterator[str]:
    """The page of a server over the stand-in model, which remembers the masks it was sent."""
    app = create_app(Settings(model, 1), lambda name: Recorder(name, 1))
    with running(app) as server:
        yield server.url


@pytest.fixture(scope="module")
def tools():
    """Playwright; not for longer than a module, for its loop runs in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with playwright.sync_playwright() as tools:
        yield tools


@pytest.fixture(scope="module")
def browser(tools):
    """Debian's chromium."""
    # Chromium's own sandbox needs rights that a container seldom has.
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser, url):
    """Open the page; every request must stay at its origin, and nothing may fail in silence."""
    contexts, wrong = [], []

    def start(size=LARGE, scheme="light", **options):
        context = browser.new_context(
            viewport=size, color_scheme=scheme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        context.set_default_timeout(MILLISECONDS)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: check_origin(request.url))
        page.goto(url)
        return page

    def check_origin(address: str) -> None:
        if not address.startswith((url, f"blob:{url}", "data:")):
            wrong.append(f"left the origin: {address}")

    yield start
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def photo(tmp_path_factory) -> Path:
    """A file with two drawn faces, each with a black box over its mouth."""
    path = tmp_path_factory.mktemp("photos") / "two.png"
    path.write_bytes(encode(photos.scene(*photos.TWO)[0], "PNG"))
    return path
