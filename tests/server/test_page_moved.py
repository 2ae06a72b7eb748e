"""Work goes where the page says: what is to stay on this device is not sent any more."""

import photos
import pytest
from browser import MARKS, MILLISECONDS, drop, hold, soon, stage_of
from clips import faces, write_clip
from serving import running

from unveil.files import encode
from unveil.server.app import Settings, create_app
from unveil.server.page import RUNTIME_FILES

pytestmark = MARKS
BUSY = {"status": 503, "headers": {"Retry-After": "1"}, "body": '{"type": "/problems/busy"}'}


@pytest.fixture
def page(browser, model, tmp_path):
    """A page with the switch, over a runtime that is none: what goes to the device fails there."""
    for name in RUNTIME_FILES:
        (tmp_path / name).write_text("")
    with running(create_app(Settings(model, 1, runtime=tmp_path))) as server:
        context = browser.new_context(reduced_motion="reduce")
        context.set_default_timeout(MILLISECONDS)
        page = context.new_page()
        page.goto(server.url)
        page.wait_for_selector("#on-device", state="visible")
        yield page
        context.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "talk.mp4", faces(3))


def posts(page) -> list[str]:
    """The addresses that something is sent to from now on."""
    sent: list[str] = []
    page.on("request", lambda r: r.method == "POST" and sent.append(r.url.rsplit("/v1/")[-1]))
    return sent


def test_a_photo_that_waits_for_a_busy_server_stays_here(page, photo):
    sent = posts(page)
    page.route("**/v1/segment", lambda route: route.fulfill(**BUSY))
    page.set_input_files("#file", photo)
    page.locator("#status", has_text="The server is busy").wait_for()
    page.click("#on-device")
    so_far = len(sent)
    stage_of(page, "failed")
    assert "cannot be run on this device" in page.inner_text("#status")
    page.wait_for_timeout(2500)  # two tries' time
    assert len(sent) == so_far > 0
    # Back on the server, what failed is done there.
    page.unroute("**/v1/segment")
    page.click("#on-server")
    stage_of(page, "found")


def test_a_restoration_under_way_begins_anew_where_it_belongs(page, photo):
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    sent = posts(page)
    held = hold(page, "**/v1/restore")
    page.click("#restore")
    assert soon(page, lambda: held)
    page.click("#on-device")
    stage_of(page, "failed")
    assert "cannot be run on this device" in page.inner_text("#status")
    assert sent == ["restore"]
    page.unroute("**/v1/restore")
    page.click("#on-server")
    page.click("#restore")
    stage_of(page, "restored")


def test_the_server_need_not_wait_for_networks_that_are_still_fetched(page, photo):
    held = hold(page, "**/v1/models/*/face")
    page.click("#on-device")
    page.set_input_files("#file", photo)
    page.locator("#status", has_text="Loading the networks").wait_for()
    assert soon(page, lambda: held)
    page.click("#on-server")
    stage_of(page, "found")
    # They still come, for whoever chooses the device again.
    page.unroute("**/v1/models/*/face")
    page.click("#on-device")
    page.click("#restore")
    stage_of(page, "failed")
    assert "cannot be run on this device" in page.inner_text("#status")


def test_a_photo_that_is_taken_off_before_it_is_its_turn_is_not_sent(open_page, photo, tmp_path):
    page = open_page()
    held = hold(page, "**/v1/models")
    page.reload()
    sent = posts(page)
    other = tmp_path / "one.png"
    other.write_bytes(encode(photos.scene(photos.TWO[0])[0], "PNG"))
    page.set_input_files("#file", [photo, other])
    assert soon(page, lambda: held and page.locator("#strip li").count() == 2)
    page.hover("#strip li:nth-child(1)")
    page.click("#strip li:nth-child(1) .thumb-close")
    held[0].continue_()
    stage_of(page, "found")
    assert sent == ["segment"]


def test_a_clip_whose_turn_comes_later_stays_here(page, clip):
    sent = posts(page)
    held = hold(page, "**/v1/video")
    for which in range(2):
        drop(page, clip, "video/mp4")
        stage_of(page, "found", which)
        page.click("#clip-restore")
    assert soon(page, lambda: held)
    page.click("#on-device")
    stage_of(page, "found", 1)
    assert "on the server only" in page.inner_text("#status")
    stage_of(page, "found", 0)  # nor is the server known to have the first
    page.route("**/v1/video/n", lambda route: route.fulfill(status=204))
    with page.expect_request("**/v1/video/n") as given_up:
        held[0].fulfill(status=202, body='{"id": "n", "done": 0}')
    assert given_up.value.method == "DELETE"
    page.wait_for_timeout(300)
    assert sent == ["video"]
    page.unroute("**/v1/video/n")
    page.unroute("**/v1/video")
    page.click("#on-server")
    page.click("#clip-restore")
    stage_of(page, "restored", 1)


def test_a_clip_that_waits_for_a_busy_server_stays_here(page, clip):
    sent = posts(page)
    page.route("**/v1/video", lambda route: route.fulfill(**BUSY))
    drop(page, clip, "video/mp4")
    stage_of(page, "found")
    page.click("#clip-restore")
    page.locator("#clip-far", has_text="The server is busy").wait_for()
    page.click("#on-device")
    stage_of(page, "found")
    so_far = len(sent)
    page.wait_for_timeout(2500)
    assert len(sent) == so_far > 0


def test_a_clip_that_the_server_has_is_fetched_all_the_same(page, clip):
    drop(page, clip, "video/mp4")
    stage_of(page, "found")
    told = ['{"id": "n", "state": "working", "done": 1, "total": 3}']
    page.route("**/v1/video/*", lambda route: route.fulfill(body=told[0]))
    page.click("#clip-restore")
    page.locator("#clip-far", has_text="33 % done").wait_for()
    page.click("#on-device")
    page.unroute("**/v1/video/*")
    stage_of(page, "restored")


def test_restore_all_asks_again_at_each_turn(page, clip, tmp_path):
    """What was taken off, or emptied, while the others were done is left alone."""
    paths = []
    for name in ("first", "second", "third"):
        paths.append(tmp_path / f"{name}.png")
        paths[-1].write_bytes(encode(photos.scene(photos.TWO[0])[0], "PNG"))
    page.set_input_files("#file", [*paths, clip])
    for which in range(4):
        stage_of(page, "found", which)
    sent = posts(page)
    held = hold(page, "**/v1/restore")
    page.click("#strip li:nth-child(2) .thumb")
    page.click("#restore-all")
    assert soon(page, lambda: held)
    page.click("#clear")
    for _ in range(2):
        page.hover("#strip li:nth-child(3)")
        page.click("#strip li:nth-child(3) .thumb-close")
    held[0].continue_()
    stage_of(page, "restored", 0)
    page.wait_for_timeout(300)
    assert page.is_hidden("#error")
    assert sent == ["restore"]
