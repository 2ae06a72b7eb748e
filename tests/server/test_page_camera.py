"""A photo from the camera."""

import pytest
from browser import CHROMIUM, MARKS, MILLISECONDS, stage_of
from serving import until

pytestmark = MARKS


def test_no_camera_is_told_in_words(open_page):
    page = open_page(permissions=["camera"])
    page.click("#camera")
    page.wait_for_selector("#error:not([hidden])")
    assert "No camera was found" in page.inner_text("#error")


def test_a_photo_from_the_camera(url, tools):
    arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=arguments)
    page = browser.new_context(permissions=["camera"]).new_page()
    page.set_default_timeout(MILLISECONDS)
    page.goto(url)
    page.click("#camera")
    assert until(lambda: page.evaluate("document.getElementById('video').videoWidth") > 0)
    page.click("#shutter")
    stage_of(page, "failed")  # what this camera sees is no face, and that is said
    assert "No face was found" in page.inner_text("#status")
    assert page.evaluate("document.getElementById('video').srcObject") is None
    browser.close()


CAMERAS = """() => {
    window.cameras = [];
    navigator.mediaDevices.getUserMedia = () => new Promise((done, refuse) => {
        const canvas = document.createElement("canvas");
        canvas.getContext("2d");
        const stream = canvas.captureStream(5);
        window.cameras.push({ stream, open: () => done(stream), refuse });
    });
}"""


def test_a_second_press_opens_no_second_camera(open_page):
    """Nobody would ever end it."""
    page = open_page()
    page.evaluate(CAMERAS)
    page.dblclick("#camera")
    page.click("#camera")
    page.evaluate("() => window.cameras.forEach(({ open }) => open())")
    page.wait_for_selector("#camera-dialog[open]")
    page.click("#camera-cancel")
    live = """window.cameras.map(({ stream }) =>
        stream.getTracks().some((track) => track.readyState === "live"))"""
    assert until(lambda: not any(page.evaluate(live)))
    assert page.is_hidden("#error")
    page.click("#camera")  # one after the other they can be opened
    page.evaluate("() => window.cameras.at(-1).open()")
    page.wait_for_selector("#camera-dialog[open]")
    assert page.evaluate("window.cameras.length") == 2


def test_a_camera_that_is_still_starting_takes_no_photo(open_page):
    page = open_page()
    page.evaluate(CAMERAS)
    page.click("#camera")
    page.evaluate("() => window.cameras[0].open()")  # without a first picture
    page.wait_for_selector("#camera-dialog[open]")
    assert page.evaluate("document.getElementById('video').videoWidth") == 0
    page.click("#shutter")
    assert page.is_visible("#camera-dialog")
    page.evaluate(
        """() => {
            const { canvas } = window.cameras[0].stream.getVideoTracks()[0];
            const context = canvas.getContext("2d");
            setInterval(() => context.fillRect(0, 0, 9, 9), 50);
        }"""
    )
    assert until(lambda: page.evaluate("document.getElementById('video').videoWidth") > 0)
    page.click("#shutter")
    assert page.is_hidden("#camera-dialog")
    stage_of(page, "failed")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("NotAllowedError", "was not allowed"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "cannot be used"),
    ],
)
def test_why_there_is_no_picture(open_page, name, says):
    page = open_page()
    page.evaluate(CAMERAS)
    page.click("#camera")
    page.evaluate("(name) => window.cameras[0].refuse(new DOMException('', name))", name)
    page.locator("#error", has_text=says).wait_for()
