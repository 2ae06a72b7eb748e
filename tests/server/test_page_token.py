"""The token, and what a browser keeps of the page."""

import pytest
from browser import MARKS, MILLISECONDS, stage_of
from serving import running

from unveil.server.app import Settings, create_app
from unveil.server.page import RUNTIME_FILES

pytestmark = MARKS
BLOCKED = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, {
        get() { throw new DOMException("blocked", "SecurityError"); } });"""
FULL = """Storage.prototype.setItem = () => {
    throw new DOMException("full", "QuotaExceededError"); };"""


@pytest.fixture
def asking(browser, model, tmp_path):
    """The page of a server that asks for a token; a script may run before the page's."""
    for name in RUNTIME_FILES:
        (tmp_path / name).write_text("")
    with running(create_app(Settings(model, 1, token="t0ken", runtime=tmp_path))) as server:
        context = browser.new_context()
        context.set_default_timeout(MILLISECONDS)

        def start(script: str = ""):
            context.add_init_script(script)
            page = context.new_page()
            page.goto(server.url)
            return page

        yield start
        context.close()


@pytest.mark.parametrize("wrong", ["tökén", "t0ken\u200b", "t0 ken", "токен", "  "])
def test_a_token_that_cannot_be_sent_is_told_and_asked_for_again(asking, photo, wrong):
    page = asking()
    page.fill("#token", wrong)
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("This token was not accepted.").wait_for()
    assert page.evaluate("document.getElementById('token-dialog').open")
    page.fill("#token", " t0ken ")  # as it comes with the clipboard
    page.keyboard.press("Enter")
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    assert page.is_hidden("#error")


@pytest.mark.parametrize("script", [BLOCKED, FULL], ids=["blocked", "full"])
def test_a_browser_that_keeps_nothing(asking, photo, script):
    page = asking(script)
    page.fill("#token", "t0ken")
    page.keyboard.press("Enter")
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "light"
    page.click("#on-device")
    assert page.get_attribute("#on-device", "aria-pressed") == "true"
    page.click("#on-server")
    page.click("#restore")
    stage_of(page, "restored")
