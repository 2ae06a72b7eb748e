"""A clip on the page, where the connection to the server breaks: its work is not lost."""

import re

import pytest
from browser import MARKS, MILLISECONDS, drop, stage_of
from clips import faces, write_clip
from serving import running

from unveil.server.app import Settings, create_app

pytestmark = MARKS
STATE = re.compile(r"/v1/video/[^/]+$")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "talk.mp4", faces(3))


class Torn:
    """Breaks off the first answer to each request for a clip's result after one piece of it."""

    def __init__(self, app) -> None:
        self.app = app
        self.torn = 0

    async def __call__(self, scope, receive, send) -> None:
        async def once(message) -> None:
            if message["type"] == "http.response.body":
                if self.torn:
                    raise ConnectionResetError
                self.torn += 1
                message = {**message, "body": message["body"][:100], "more_body": True}
            await send(message)

        first = scope.get("path", "").endswith("/result") and not self.torn
        await self.app(scope, receive, once if first else send)


def given_up(page) -> list[str]:
    """The addresses of the clips that are given up from now on."""
    gone: list[str] = []
    page.on("request", lambda r: r.method == "DELETE" and gone.append(r.url))
    return gone


def restored(page, clip) -> None:
    drop(page, clip, "video/mp4")
    stage_of(page, "found")
    page.click("#clip-restore")
    page.wait_for_selector("#strip li[data-stage=restored], #strip li[data-stage=failed]")
    assert page.get_attribute("#strip li", "data-stage") == "restored", page.inner_text("#status")


@pytest.mark.parametrize("how", [None, 502, 503, 504])
def test_asked_for_again(open_page, clip, how):
    """Nobody answers, or a gateway does that finds no server behind it: once each time."""
    page = open_page()
    gone = given_up(page)

    def lose(route) -> None:
        if how is None:
            route.abort("connectionreset")
        else:
            route.fulfill(status=how, body="<h1>Bad gateway</h1>")

    page.route(STATE, lose, times=1)
    restored(page, clip)
    assert len(gone) == 1  # once it was here


def lost(page, clip) -> None:
    """Loses the network as soon as the clip is handed in."""
    page.route(STATE, lambda route: route.abort("internetdisconnected"))
    drop(page, clip, "video/mp4")
    stage_of(page, "found")
    page.click("#clip-restore")
    page.locator("#clip-far", has_text="cannot be reached; trying again").wait_for()


def test_eight_seconds_without_a_network_lose_nothing(open_page, clip):
    page = open_page()
    sent = []
    page.on("request", lambda r: r.method == "POST" and r.url.endswith("video") and sent.append(r))
    lost(page, clip)
    page.wait_for_timeout(8000)
    assert page.get_attribute("#strip li", "data-stage") == "restoring"
    page.unroute(STATE)
    stage_of(page, "restored")
    assert len(sent) == 1


def test_given_up_after_two_minutes(open_page, clip):
    page = open_page()
    lost(page, clip)
    page.evaluate(
        """() => {
            const now = performance.now.bind(performance);
            performance.now = () => now() + 121_000;
        }"""
    )
    stage_of(page, "failed")
    assert "The server cannot be reached" in page.inner_text("#status")


def test_fetched_again(open_page, clip):
    page = open_page()
    gone = given_up(page)
    page.route("**/result", lambda route: route.abort("connectionreset"), times=1)
    restored(page, clip)
    assert len(gone) == 1


def test_fetched_again_where_it_breaks_off(browser, model, clip):
    app = create_app(Settings(model, 1))
    app.add_middleware(Torn)
    with running(app) as server:
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(server.url)
        restored(page, clip)
        page.close()
