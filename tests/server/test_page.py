"""The page in a real browser: what a user does, and what comes out."""

import base64
import shutil

import numpy as np
import photos
import pytest
from browser import (
    EXAMPLE,
    MARKS,
    MILLISECONDS,
    colour_at,
    downloaded,
    drop,
    hold,
    restore_what_is_gone,
    set_range,
    soon,
    stage_of,
)
from serving import running

from unveil.files import encode, read_image
from unveil.restorer import Restorer
from unveil.server.app import Settings, create_app
from unveil.server.page import RUNTIME_FILES

pytestmark = MARKS


def test_from_drop_to_download(open_page, photo, restorer: Restorer):
    page = open_page()
    drop(page, photo)
    stage_of(page, "found")
    before = read_image(photo).photo
    expected = restorer.restore(before)
    assert "2 faces, 2 partly hidden" in page.inner_text("#status")

    # The mask is seen over the mouth, and the forehead as it is.
    inside = np.argwhere(expected.invented[:, :400]).mean(axis=0).astype(int)
    shown = colour_at(page, inside[1], inside[0])
    assert shown[2] > shown[0] > 20, shown  # black, tinted violet
    assert np.abs(np.array(colour_at(page, 450, 20)) - 120).max() <= 3

    page.click("#restore")
    stage_of(page, "restored")
    assert np.array_equal(downloaded(page), expected.photo)

    # The slider: wholly before, wholly after.
    set_range(page, "compare", 100)
    assert max(colour_at(page, inside[1], inside[0])) < 40
    set_range(page, "compare", 0)
    near = expected.photo[inside[0] - 1 : inside[0] + 2, inside[1] - 1 : inside[1] + 2]
    after = np.array(colour_at(page, inside[1], inside[0]))
    assert np.abs(after - near.reshape(-1, 3).mean(0)).max() < 25
    page.check("#show-invented")
    marked = np.array(colour_at(page, inside[1], inside[0]))
    assert marked[2] > after[2] + 20

    page.check("#with-overlay")
    tinted = downloaded(page)
    assert np.array_equal(tinted[~expected.invented], before[~expected.invented])
    assert (tinted != expected.photo).any(axis=-1)[expected.invented].mean() > 0.99


def test_wrong_files_are_told_in_words(open_page, photo, tmp_path):
    page = open_page()
    (tmp_path / "letter.txt").write_text("hello")
    drop(page, tmp_path / "letter.txt", "text/plain")
    page.wait_for_selector("#error:not([hidden])")
    assert "letter.txt is not a picture" in page.inner_text("#error")
    page.click("#error-close")
    assert page.is_hidden("#error")
    nobody = tmp_path / "nobody.png"
    nobody.write_bytes(encode(np.full((300, 300, 3), 90, np.uint8), "PNG"))
    drop(page, nobody)
    stage_of(page, "failed")
    assert "No face was found" in page.inner_text("#status")
    assert page.is_visible("#aligned-row")
    page.set_input_files("#file", photo)  # the next one works
    stage_of(page, "found", 1)


def test_paste_and_several_photos(open_page, photo, tmp_path):
    page = open_page()
    data = base64.b64encode(photo.read_bytes()).decode()
    page.evaluate(
        """(data) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried }));
        }""",
        data,
    )
    stage_of(page, "found")
    one = tmp_path / "one.png"
    one.write_bytes(encode(photos.scene(photos.TWO[0])[0], "PNG"))
    page.set_input_files("#file", [one, photo])
    for which in (1, 2):
        stage_of(page, "found", which)
    assert "One face" in page.inner_text("#status")
    page.click("#restore-all")
    for which in range(3):
        stage_of(page, "restored", which)
    page.click("#strip li:nth-child(1) .thumb")
    assert "pasted.png" in page.get_attribute("#stage", "aria-label")
    page.hover("#strip li:nth-child(1)")
    page.click("#strip li:nth-child(1) .thumb-close")
    assert page.locator("#strip li").count() == 2
    assert "one.png" in page.get_attribute("#stage", "aria-label")


def test_a_file_that_is_gone_is_restored(open_page, tmp_path):
    path = tmp_path / "gone.png"
    shutil.copy(EXAMPLE, path)
    restore_what_is_gone(open_page(), path, "#restore")


def test_restore_all_goes_away(open_page, tmp_path):
    """One of the photos has nothing to restore."""
    page = open_page()
    paths = []
    for name, hide in (("open", False), ("first", True), ("second", True)):
        paths.append(tmp_path / f"{name}.png")
        scene = photos.scene(photos.TWO[0], hide=hide)[0]
        paths[-1].write_bytes(encode(scene, "PNG"))
    page.set_input_files("#file", paths)
    for which in range(3):
        stage_of(page, "found", which)
    page.click("#restore-all")
    for which in (1, 2):
        stage_of(page, "restored", which)
    assert page.is_hidden("#restore-all")
    assert page.is_hidden("#error")
    stage_of(page, "found", 0)


def test_a_photo_that_was_not_looked_at_can_be(open_page, tmp_path):
    """Square, but not said to be one aligned face: that is for photos in which nobody is."""
    page = open_page()
    path = tmp_path / "square.png"
    path.write_bytes(encode(photos.scene(photos.TWO[0], size=(400, 400))[0], "PNG"))
    page.route("**/v1/segment", lambda route: route.abort())
    page.set_input_files("#file", path)
    stage_of(page, "failed")
    assert "cannot be reached" in page.inner_text("#error")
    assert page.is_hidden("#aligned-row")
    assert page.inner_text("#restore") == "Try again"
    held = hold(page, "**/v1/segment")
    page.click("#restore")
    assert page.is_hidden("#error")
    assert soon(page, lambda: held)
    held[0].continue_()
    stage_of(page, "found")
    page.unroute("**/v1/segment")
    assert page.inner_text("#restore") == "Restore"
    # What fails later keeps what was found.
    page.route("**/v1/restore", lambda route: route.abort())
    page.click("#restore")
    stage_of(page, "failed")
    assert page.is_hidden("#aligned-row")
    assert page.inner_text("#restore") == "Restore"
    page.unroute("**/v1/restore")
    page.click("#restore")
    stage_of(page, "restored")
    assert page.is_hidden("#error")


def test_another_place_looks_again(browser, model, photo, tmp_path):
    runtime = tmp_path / "ort"
    runtime.mkdir()
    for name in RUNTIME_FILES:
        (runtime / name).write_text("")  # nothing that runs
    with running(create_app(Settings(model, 1, runtime=runtime))) as server:
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(server.url)
        page.click("#on-device")
        page.set_input_files("#file", photo)
        stage_of(page, "failed")
        assert "cannot be run on this device" in page.inner_text("#status")
        page.click("#on-server")
        stage_of(page, "found")
        assert page.is_hidden("#error")
        page.close()


def test_a_busy_server_is_waited_for_in_words(open_page, photo):
    page = open_page()
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "body": '{"type": "/problems/busy"}'}
    answers = [lambda route: route.fulfill(**busy), lambda route: route.continue_()]
    page.route("**/v1/segment", lambda route: answers.pop(0)(route))
    page.set_input_files("#file", photo)
    page.locator("#status", has_text="The server is busy; trying again in 1 s.").wait_for()
    stage_of(page, "found")
    assert "2 faces" in page.inner_text("#status")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [("new TypeError('network error')", "cannot be reached"), (None, "cannot be read")],
)
def test_an_answer_that_breaks_off_or_is_none_is_told_in_words(open_page, photo, wrong, says):
    page = open_page()
    page.evaluate(
        """(wrong) => {
            const fetch = window.fetch;
            window.fetch = async (path, init) => {
                if (!path.endsWith("segment")) return fetch(path, init);
                if (!wrong) return new Response("<p>Log in to this network</p>");
                const error = (body) => body.error(new TypeError("network error"));
                return new Response(new ReadableStream({ start: error }));
            };
        }""",
        wrong,
    )
    page.set_input_files("#file", photo)
    stage_of(page, "failed")
    assert says in page.inner_text("#status")
    assert page.inner_text("#restore") == "Try again"


def asks(page) -> bool:
    """Whether the page asks before it is left."""
    return page.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))")


def test_what_would_be_lost_is_not_left_without_a_question(open_page, photo):
    page = open_page()
    assert not asks(page)
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    assert not asks(page)
    page.focus("#stage")
    page.keyboard.press("Space")
    assert asks(page)
    page.keyboard.press("Control+z")
    assert not asks(page)
    held = hold(page, "**/v1/restore")
    page.click("#restore")
    assert asks(page)
    assert soon(page, lambda: held)
    held[0].continue_()
    stage_of(page, "restored")
    assert asks(page)
    downloaded(page)
    assert not asks(page)
    kinds = []
    page.on("dialog", lambda dialog: (kinds.append(dialog.type), dialog.accept()))
    page.click("#tab-mask")
    page.click("#clear")
    page.reload()
    assert kinds == ["beforeunload"]


def test_what_was_taken_off_is_lost_as_well_while_it_can_be_brought_back(open_page, photo):
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    page.focus("#stage")
    page.keyboard.press("Space")
    page.hover("#strip li")
    page.click("#strip .thumb-close")
    assert asks(page)
    page.click("#gone-close")
    assert not asks(page)


def test_only_files_are_dropped(open_page):
    page = open_page()

    def drag(make: str) -> bool:
        page.evaluate(
            """(make) => {
                const carried = new DataTransfer();
                if (make === "text") carried.setData("text/plain", "hello");
                else carried.items.add(new File([""], "a.png"));
                const event = new DragEvent("dragenter", { dataTransfer: carried, bubbles: true });
                document.body.dispatchEvent(event);
            }""",
            make,
        )
        return page.evaluate("document.body.classList.contains('dragging')")

    assert not drag("text")
    assert drag("file")


def test_a_token_is_asked_for_once(browser, model, photo):
    with running(create_app(Settings(model, 1, token="t0ken"))) as server:
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(server.url)
        page.fill("#token", "t0ken")
        page.keyboard.press("Enter")
        page.set_input_files("#file", photo)
        stage_of(page, "found")
        page.close()


def test_a_wrong_token_is_told_and_none_can_be_given(browser, model, photo):
    with running(create_app(Settings(model, 1, token="t0ken"))) as server:
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(server.url)
        dialog = page.locator("#token-dialog")
        dialog.wait_for()
        assert page.is_hidden("#token-refused")
        page.fill("#token", "wrong")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("This token was not accepted.").wait_for()
        page.keyboard.press("Escape")
        page.locator("#error", has_text="token is missing or wrong").wait_for()
        # A photo asks again, says what is the matter when none is given, and can be tried again.
        page.set_input_files("#file", photo)
        dialog.wait_for()
        page.click("#token-cancel")
        stage_of(page, "failed")
        assert "token is missing or wrong" in page.inner_text("#status")
        page.click("#restore")
        page.fill("#token", "t0ken")
        page.keyboard.press("Enter")
        stage_of(page, "found")
        # What the server can do is known by now, though it was not at first.
        assert page.inner_text("#pick-words") == "Choose photos or clips"
        page.close()
