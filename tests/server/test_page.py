"""The page in a real browser: what a user does, and what comes out."""

import base64

import numpy as np
import photos
from browser import MARKS, MILLISECONDS, colour_at, downloaded, drop, set_range, stage_of
from serving import running

from unveil.files import encode, read_image
from unveil.restorer import Restorer
from unveil.server.app import Settings, create_app

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
