"""A photo from the camera."""

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
