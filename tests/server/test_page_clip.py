"""A clip on the page: handed to the server, followed, stopped, played, downloaded."""

import io
import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from browser import (
    LARGE,
    MARKS,
    MILLISECONDS,
    NOTE,
    PHONE,
    ROOT,
    drop,
    hold,
    restore_what_is_gone,
    set_range,
    soon,
    stage_of,
)
from clips import black_box, faces, write_clip
from PIL import Image
from serving import Slow, running, until

from unveil.server.app import Settings, create_app
from unveil.server.page import RUNTIME_FILES

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
FRAMES = 12
MOUTH = (slice(103, 118), slice(65, 95))

pytestmark = MARKS


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip with a black box over the mouth, and where the box is."""
    frames, hidden = black_box(faces(FRAMES, step=0), *MOUTH)
    return write_clip(tmp_path_factory.mktemp("clips") / "talk.mp4", frames, sound=True), hidden


def frames_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])


def seen(page, x: float, y: float) -> np.ndarray:
    """The colour on the screen at this part of the film."""
    box = page.locator("#film").bounding_box()
    at = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
    png = page.screenshot(clip={**at, "width": 3, "height": 3})
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))[1, 1].astype(int)


def restored(page, path: Path, kind: str = "video/mp4") -> None:
    drop(page, path, kind)
    stage_of(page, "found")
    page.click("#clip-restore")
    stage_of(page, "restored")


def test_from_drop_to_download(open_page, clip):
    path, hidden = clip
    page = open_page()
    restored(page, path)
    assert "of the clip is invented" in page.inner_text("#status")
    with page.expect_download() as got:
        page.click("#clip-download")
    assert got.value.suggested_filename == "talk.restored.mp4"
    before, after = frames_of(path), frames_of(got.value.path())
    assert after.shape == before.shape == (FRAMES, 160, 160, 3)
    changed = np.abs(after.astype(int) - before).mean(axis=(0, 3))
    assert changed[hidden].mean() > 40
    assert changed[~hidden].mean() < 6  # what the encoder loses, and the margin of the mask

    # Before and after lie over each other: the box is black on the left, and gone on the right.
    middle = (np.argwhere(hidden).mean(axis=0) + 0.5) / 160
    set_range(page, "clip-compare", 100)
    # The clip of before may not be drawn yet.
    assert until(lambda: seen(page, middle[1], middle[0]).max() < 40)
    set_range(page, "clip-compare", 0)
    there = (middle * 160).astype(int)
    assert np.abs(seen(page, middle[1], middle[0]) - after[0, there[0], there[1]]).max() < 30

    # From the keyboard: both go on together, and stop at the same time.
    page.focus("#screen")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#clip-compare") == "2"
    page.keyboard.press("Space")
    time = "document.getElementById('clip-{}').currentTime"
    assert until(lambda: page.evaluate(time.format("after")) > 0.1)
    assert page.get_attribute("#play", "aria-label") == "Pause"
    page.keyboard.press("Space")
    assert until(
        lambda: page.evaluate(time.format("after")) == page.evaluate(time.format("before"))
    )
    # Silent until asked, and then only the result is heard.
    muted = "[...document.querySelectorAll('#film video')].map((video) => video.muted)"
    assert page.evaluate(muted) == [True, True]
    page.click("#sound")
    assert page.evaluate(muted) == [True, False]


def test_a_result_that_comes_while_the_clip_plays_stops_it(open_page, clip):
    """For those who want no motion: else one half would run, and the other stand still."""
    page = open_page()
    held = hold(page, "**/v1/video/*/result")
    drop(page, clip[0], "video/mp4")
    stage_of(page, "found")
    page.click("#clip-restore")
    assert soon(page, lambda: held)
    paused = "[...document.querySelectorAll('#film video')].map((video) => video.paused)"
    page.click("#play")
    assert soon(page, lambda: page.evaluate(paused) == [False, True])
    held[0].continue_()
    stage_of(page, "restored")
    assert page.evaluate(paused) == [True, True]
    assert page.get_attribute("#play", "aria-label") == "Play"
    page.click("#play")
    assert soon(page, lambda: page.evaluate(paused) == [False, False])
    assert page.get_attribute("#play", "aria-label") == "Pause"


def test_a_result_that_cannot_be_played_is_told_once(open_page, clip, photo):
    page = open_page()
    page.route("**/v1/video/*/result", lambda route: route.fulfill(body="no clip"))
    restored(page, clip[0])
    page.locator("#status", has_text="cannot play it").wait_for()
    page.set_input_files("#file", photo)
    stage_of(page, "found", 1)
    for _ in range(2):
        page.click("#strip li:nth-child(2) .thumb")
        page.click("#strip li:nth-child(1) .thumb")
        page.wait_for_timeout(300)  # it is tried again
    assert page.inner_text("#status").count("This browser cannot play it") == 1


def test_a_file_that_is_gone_is_restored(open_page, clip, tmp_path):
    path = tmp_path / "gone.mp4"
    shutil.copy(clip[0], path)
    restore_what_is_gone(open_page(), path, "#clip-restore")


def test_how_far_it_is_is_told_in_words(open_page, clip):
    page = open_page()
    told = iter(
        [
            {"state": "waiting", "done": 0},
            {"state": "working", "done": 0},
            {"state": "working", "done": 10, "total": 100},
            *[{"state": "working", "done": 30, "total": 100}] * 4,
            *[{"state": "failed", "done": 30, "problem": {"type": "/p/no-face", "detail": "x"}}],
        ]
    )
    page.route(
        "**/v1/video", lambda route: route.fulfill(status=202, body='{"id": "n", "done": 0}')
    )
    given_up = []

    def answer(route):
        if route.request.method == "DELETE":
            given_up.append(route.request.url)
            route.fulfill(status=204)
        else:
            route.fulfill(body=json.dumps(next(told)))

    page.route("**/v1/video/n", answer)
    # All that the panel says, as it says it.
    page.evaluate(
        """() => {
            window.said = [];
            const look = () => window.said.push([
                document.getElementById("clip-far").textContent,
                document.getElementById("clip-bar").getAttribute("value"),
            ]);
            new MutationObserver(look).observe(
                document.getElementById("clip-far"), { childList: true });
        }"""
    )
    drop(page, clip[0], "video/mp4")
    stage_of(page, "found")
    page.click("#clip-restore")
    assert page.evaluate("document.activeElement.id") == "clip-stop"
    stage_of(page, "failed")
    said = [words for words, _ in page.evaluate("window.said")]
    for words in (
        "Sending it",
        "Waiting: other clips",
        "Looking at the first",
        "10 % done",
        "30 %",
    ):
        assert any(words in each for each in said), (words, said)
    assert any(each.startswith("30 % done, ") and each.endswith("left") for each in said)
    assert ["10 % done", "0.1"] in page.evaluate("window.said")
    assert "No face was found" in page.inner_text("#status")
    assert "No face was found" in page.inner_text("#error")
    assert until(lambda: len(given_up) == 1)  # nothing of it stays on the server
    assert page.inner_text("#clip-restore") == "Try again"
    assert page.evaluate("document.activeElement.id") == "clip-restore"


def test_what_the_server_cannot_use_is_told_in_words(open_page, tmp_path):
    page = open_page()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypisom" + bytes(300))
    drop(page, broken, "video/mp4")
    stage_of(page, "found")
    assert "cannot show this clip" in page.inner_text("#no-film")
    page.click("#clip-restore")
    stage_of(page, "failed")
    assert "cut off" in page.inner_text("#status")
    letter = tmp_path / "letter.avi"
    letter.write_text("hello")
    drop(page, letter, "")
    stage_of(page, "found", 1)
    page.click("#clip-restore")
    stage_of(page, "failed", 1)
    assert "not an MP4, MOV" in page.inner_text("#status")


def test_one_is_stopped_and_leaves_nothing(browser, model, clip):
    slow = Slow()
    with running(create_app(Settings(model, 1), slow)) as server:
        context = browser.new_context(reduced_motion="reduce")
        context.set_default_timeout(MILLISECONDS)
        context.add_init_script(
            """window.held = new Set();
            const { createObjectURL: make, revokeObjectURL: end } = URL;
            URL.createObjectURL = (blob) => {
                const url = make.call(URL, blob); window.held.add(url); return url; };
            URL.revokeObjectURL = (url) => { window.held.delete(url); end.call(URL, url); };"""
        )
        page = context.new_page()
        page.goto(server.url)
        slow.go.clear()
        server.service.engine._loaded.clear()
        for which in range(2):
            drop(page, clip[0], "video/mp4")
            stage_of(page, "found", which)
            page.click("#clip-restore")
        held = server.service.clips.held
        assert until(lambda: len(held) == 1)  # the second waits on the page
        assert "another clip of yours" in page.inner_text("#clip-far")
        page.click("#clip-stop")
        stage_of(page, "found", 1)
        assert "Stopped" in page.inner_text("#status")
        page.click("#strip li:nth-child(1) .thumb")
        page.click("#clip-stop")
        assert until(lambda: not held)
        slow.go.set()
        page.click("#clip-restore")  # it can be restored after all
        stage_of(page, "restored", 0)
        assert until(lambda: not held)
        for left in (1, 0):
            page.hover("#strip li:nth-child(1)")
            page.click("#strip li:nth-child(1) .thumb-close")
            assert page.locator("#strip li").count() == left
        assert page.evaluate("window.held.size") > 0  # they could be brought back
        page.click("#gone-close")
        assert page.evaluate("window.held.size") == 0
        # Who leaves the page waits for nothing.
        slow.go.clear()
        server.service.engine._loaded.clear()
        drop(page, clip[0], "video/mp4")
        stage_of(page, "found")
        page.click("#clip-restore")
        # Words that it has only once it knows the clip's number, which is what it takes back.
        page.locator("#clip-far", has_text="Looking at the first").wait_for()
        page.goto("about:blank")
        assert until(lambda: not held)
        slow.go.set()
        context.close()


def test_one_that_is_stopped_while_it_is_sent_is_given_up(open_page, clip):
    page = open_page()
    given_up = []

    def state(route):
        assert route.request.method == "DELETE"
        given_up.append(route.request.url)
        route.fulfill(status=204)

    page.route("**/v1/video/*", state)
    held = hold(page, "**/v1/video")
    drop(page, clip[0], "video/mp4")
    stage_of(page, "found")
    page.click("#clip-restore")
    assert soon(page, lambda: held)
    page.click("#clip-stop")
    stage_of(page, "found")
    assert page.inner_text("#status") == "Stopped."
    assert page.evaluate("document.activeElement.id") == "clip-restore"
    held[0].fulfill(status=202, body='{"id": "n", "done": 0}')
    assert soon(page, lambda: given_up)
    assert given_up[0].endswith("/v1/video/n")
    assert page.inner_text("#status") == "Stopped."


def test_a_busy_server_is_told_under_the_bar(open_page, clip):
    page = open_page()
    busy = {"status": 503, "headers": {"Retry-After": "90"}, "body": '{"type": "/problems/busy"}'}
    asked = []
    page.route("**/v1/video", lambda route: (asked.append(1), route.fulfill(**busy)))
    drop(page, clip[0], "video/mp4")
    stage_of(page, "found")
    page.click("#clip-restore")
    page.locator("#clip-far", has_text="The server is busy; trying again in 90 s.").wait_for()
    page.click("#clip-stop")
    assert page.inner_text("#status") == "Stopped."
    # Nobody waits for it any more: the next try begins at once.
    page.click("#clip-restore")
    assert soon(page, lambda: len(asked) == 2)


def test_a_server_without_clips_says_so(browser, serve, clip, photo):
    server = serve(clips=0)
    page = browser.new_page()
    page.set_default_timeout(MILLISECONDS)
    page.goto(server.url)
    drop(page, clip[0], "video/mp4")
    page.wait_for_selector("#error:not([hidden])")
    assert "takes no clips, so talk.mp4 was left out" in page.inner_text("#error")
    assert page.inner_text("#pick-words") == "Choose photos"
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    page.close()


def test_too_many_bytes_are_told_before_they_are_sent(browser, serve, tmp_path):
    server = serve(megabytes=1)
    page = browser.new_page()
    page.set_default_timeout(MILLISECONDS)
    page.goto(server.url)
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(3_000_000))
    page.set_input_files("#file", large)
    page.wait_for_selector("#error:not([hidden])")
    assert "large.mp4 has 3 MB; this server takes clips of at most 1 MB" in page.inner_text(
        "#error"
    )
    page.close()


def test_clips_and_photos_in_one_strip(open_page, clip, photo):
    page = open_page()
    page.set_input_files("#file", [clip[0], photo])
    stage_of(page, "found", 1)
    assert page.is_visible("#clip-restore")
    page.click("#strip li:nth-child(2) .thumb")
    assert page.is_visible("#brush")
    assert page.is_hidden("#screen")
    page.click("#restore-all")
    stage_of(page, "restored", 0)
    stage_of(page, "restored", 1)
    assert page.is_visible("#download")
    page.click("#strip li:nth-child(1) .thumb")
    assert page.is_hidden("#download")
    assert page.is_visible("#clip-download")


def test_what_is_to_stay_on_this_device_is_not_sent(browser, model, clip, tmp_path):
    runtime = tmp_path / "ort"
    runtime.mkdir()
    for name in RUNTIME_FILES:
        (runtime / name).write_text("")
    with running(create_app(Settings(model, 1, runtime=runtime))) as server:
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(server.url)
        page.click("#on-device")
        drop(page, clip[0], "video/mp4")
        stage_of(page, "found")
        assert "on the server only" in page.inner_text("#status")
        page.click("#clip-restore")
        page.wait_for_selector("#error:not([hidden])")
        assert not server.service.clips.held
        stage_of(page, "found")
        page.click("#on-server")
        page.click("#clip-restore")
        stage_of(page, "restored")
        page.close()


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core: npm ci in web/")
@pytest.mark.parametrize(("size", "scheme"), [(LARGE, "light"), (LARGE, "dark"), (PHONE, "dark")])
def test_axe_finds_no_serious_violation(open_page, clip, size, scheme):
    page = open_page(size, scheme, bypass_csp=True)
    page.route(
        "**/v1/video/*",
        lambda route: route.fulfill(
            body='{"id": "n", "state": "working", "done": 30, "total": 100}'
        ),
    )
    page.evaluate(AXE.read_text(encoding="utf-8"))

    def look() -> None:
        found = page.evaluate("axe.run()")["violations"]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.inner_text("#note") == NOTE
        assert page.locator("#note").bounding_box()["y"] >= 0

    drop(page, clip[0], "video/mp4")
    stage_of(page, "found")
    look()
    page.click("#clip-restore")
    page.wait_for_selector("#clip-bar[value]")
    look()
    page.unroute("**/v1/video/*")
    stage_of(page, "restored")
    look()
    assert page.locator("#clip-download").bounding_box()["height"] >= 44
