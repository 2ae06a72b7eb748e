"""The strip: what is taken off can be brought back, and what is not shown holds no pixels."""

from __future__ import annotations

import numpy as np
import photos
import pytest
from browser import MARKS, Recorder, colour_at, dab, downloaded, drop, focused, hold, soon, stage_of

from unveil.files import encode, read_image
from unveil.restorer import Restorer

pytestmark = MARKS


def take_off(page, which: int = 0) -> None:
    page.hover(f"#strip li:nth-child({which + 1})")
    page.click(f"#strip li:nth-child({which + 1}) .thumb-close")


def names(page) -> list[str]:
    return [
        (label or "").split(":")[0]
        for label in page.locator("#strip .thumb").evaluate_all(
            "(all) => all.map((each) => each.getAttribute('aria-label'))"
        )
    ]


@pytest.fixture
def three(tmp_path):
    paths = []
    for name in ("first", "second", "third"):
        paths.append(tmp_path / f"{name}.png")
        paths[-1].write_bytes(encode(photos.scene(*photos.TWO)[0], "PNG"))
    return paths


def test_what_is_taken_off_is_brought_back_as_it_was(open_page, three, restorer: Restorer):
    page = open_page()
    page.set_input_files("#file", three)
    for which in range(3):
        stage_of(page, "found", which)
    page.click("#strip li:nth-child(2) .thumb")
    dab(page, 180, 200)
    page.click("#restore")
    stage_of(page, "restored", 1)
    mask = Recorder.masks[-1]
    page.click("#tab-mask")
    dab(page, 180, 380)
    take_off(page, 1)
    assert names(page) == ["first.png", "third.png"]
    assert "second.png taken off" in page.inner_text("#gone")
    assert focused(page) == "stage"
    # Whatever else is done meanwhile.
    page.click("#strip li:nth-child(1) .thumb")
    page.click("#restore")
    stage_of(page, "restored", 0)
    page.click("#bring-back")
    assert page.is_hidden("#gone")
    assert names(page) == ["first.png", "second.png", "third.png"]
    assert "second.png" in page.get_attribute("#stage", "aria-label")
    assert focused(page) == "stage"
    # Its result, what was painted since, and what was painted before, one step after the other.
    assert "The mask has changed" in page.inner_text("#status")
    violet = colour_at(page, 180, 380)
    assert violet[2] > violet[1] + 20
    page.keyboard.press("Control+z")
    assert "Restored" in page.inner_text("#status")
    page.click("#tab-result")
    before = read_image(three[1]).photo
    assert np.array_equal(downloaded(page), restorer.restore(before, mask).photo)
    page.click("#tab-mask")
    page.keyboard.press("Control+z")
    assert page.is_hidden("#found")


def test_by_keyboard_what_is_taken_off_is_brought_back(open_page, three):
    page = open_page()
    page.set_input_files("#file", three)
    for which in range(3):
        stage_of(page, "found", which)
    for _ in range(3):
        page.focus("#strip li:first-child .thumb-close")
        page.keyboard.press("Enter")
        assert focused(page) == "bring-back"
    assert names(page) == []
    assert "third.png and 2 more" in page.inner_text("#gone")
    for left in (["third.png"], ["second.png", "third.png"]):
        page.keyboard.press("Enter")
        assert names(page) == left
        assert focused(page) == "bring-back"
    page.keyboard.press("Enter")
    assert names(page) == ["first.png", "second.png", "third.png"]
    assert focused(page) == "stage"
    # From the photo it is two steps back.
    take_off(page, 2)
    assert focused(page) == "stage"
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    assert focused(page) == "bring-back"


def test_the_message_goes_after_a_while_but_not_from_under_a_hand(open_page, three):
    page = open_page()
    page.clock.install()
    page.set_input_files("#file", three[:2])
    for which in range(2):
        stage_of(page, "found", which)
    take_off(page)
    page.hover("#bring-back")
    page.clock.run_for(50_000)
    assert page.is_visible("#gone")
    page.hover("#stage")
    page.clock.run_for(41_000)
    assert page.is_hidden("#gone")
    assert focused(page) == "stage"
    take_off(page)
    page.focus("#gone-close")
    page.clock.run_for(50_000)
    page.keyboard.press("Enter")
    assert page.is_hidden("#gone")
    assert focused(page) == "pick"


def test_what_was_being_done_ends_and_begins_anew(open_page, three):
    page = open_page()
    held = hold(page, "**/v1/segment")
    page.set_input_files("#file", three[:2])
    assert soon(page, lambda: held)
    take_off(page, 1)  # which waits for its turn
    take_off(page, 0)
    page.click("#bring-back")
    page.click("#bring-back")
    assert soon(page, lambda: len(held) == 2)
    held[1].continue_()
    assert soon(page, lambda: len(held) == 3)
    held[2].continue_()
    for which in range(2):
        stage_of(page, "found", which)
    page.wait_for_timeout(200)
    assert len(held) == 3  # none was looked at twice
    dab(page, 180, 200)
    waiting = hold(page, "**/v1/restore")
    page.click("#restore")
    assert soon(page, lambda: waiting)
    take_off(page, 1)
    page.click("#bring-back")
    assert soon(page, lambda: len(waiting) == 2)
    waiting[1].continue_()
    stage_of(page, "restored", 1)
    assert Recorder.masks[-1][200, 180]


def test_the_first_that_can_be_read_is_shown(open_page, three, tmp_path):
    page = open_page()
    page.set_input_files("#file", three[:1])
    stage_of(page, "found", 0)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    page.set_input_files("#file", [tmp_path / "bad.png", *three[1:]])
    stage_of(page, "found", 2)
    assert names(page) == ["first.png", "second.png", "third.png"]
    assert page.get_attribute("#strip li:nth-child(2) .thumb", "aria-current") == "true"


def test_restore_all_takes_what_is_still_looked_at_and_what_failed(open_page, three):
    page = open_page()
    page.set_input_files("#file", three[:1])
    stage_of(page, "found", 0)
    page.route("**/v1/restore", lambda route: route.abort())
    page.click("#restore")
    stage_of(page, "failed", 0)
    page.unroute("**/v1/restore")
    looks = hold(page, "**/v1/segment")
    page.set_input_files("#file", three[1:])
    assert soon(page, lambda: looks)
    page.click("#restore-all")
    stage_of(page, "restored", 0)
    looks[0].continue_()
    assert soon(page, lambda: len(looks) == 2)
    looks[1].continue_()
    for which in range(3):
        stage_of(page, "restored", which)


def test_many_files_that_cannot_be_opened_are_told_in_short(open_page, tmp_path):
    page = open_page()
    page.set_viewport_size({"width": 390, "height": 844})
    letters = [tmp_path / f"a letter of some length {i}.txt" for i in range(30)]
    for letter in letters:
        letter.write_text("hello")
    page.set_input_files("#file", letters)
    page.wait_for_selector("#error:not([hidden])")
    assert "28 more files" in page.inner_text("#error-text")
    assert page.locator("#error").bounding_box()["height"] < 844 / 2
    page.click("#error-close")


def test_a_look_ends_what_is_restored_with_the_mask_before(open_page, three, tmp_path):
    """Else that would come back first, and the look would wipe off what was painted since."""
    page = open_page()
    (tmp_path / "flat.png").write_bytes(encode(np.full((256, 256, 3), 140, np.uint8), "PNG"))
    page.set_input_files("#file", tmp_path / "flat.png")
    stage_of(page, "failed", 0)
    page.check("#aligned")
    stage_of(page, "found", 0)
    dab(page, 128, 128)
    restoring = hold(page, "**/v1/restore")
    page.click("#restore")
    assert soon(page, lambda: restoring)
    looks = hold(page, "**/v1/segment")
    page.set_input_files("#file", three[:1])
    assert soon(page, lambda: looks)
    page.click("#strip li:nth-child(1) .thumb")
    page.click("#tab-mask")
    page.uncheck("#aligned")  # waits for the look at the other
    restoring[0].continue_()
    page.wait_for_timeout(300)
    assert page.get_attribute("#strip li:nth-child(1)", "data-stage") == "looking"
    looks[0].continue_()
    assert soon(page, lambda: len(looks) == 2)
    looks[1].continue_()
    stage_of(page, "failed", 0)


COUNT = """() => {
    const live = new Set();
    const make = window.createImageBitmap;
    window.createImageBitmap = async (...given) => {
        const made = await make(...given);
        live.add(made);
        return made;
    };
    const transfer = OffscreenCanvas.prototype.transferToImageBitmap;
    OffscreenCanvas.prototype.transferToImageBitmap = function () {
        const made = transfer.call(this);
        live.add(made);
        return made;
    };
    const create = document.createElement;
    document.createElement = function (name) {
        const made = create.call(document, name);
        if (name === "canvas") live.add(made);
        return made;
    };
    window.pixels = () => [...live].reduce((sum, { width, height }) => sum + width * height, 0);
}"""


def test_only_the_photo_that_is_shown_holds_its_pixels(open_page, tmp_path):
    """Bitmaps and canvases: of one photo and its result, whatever the strip holds."""
    page = open_page()
    page.evaluate(COUNT)
    paths = []
    for which in range(4):
        paths.append(tmp_path / f"{which}.png")
        scene = photos.scene(*photos.TWO)[0]
        paths[-1].write_bytes(encode(np.kron(scene, np.ones((3, 3, 1), np.uint8)), "PNG"))
    whole = 2700 * 1260
    small = 0.1 * whole  # the views of a photo and its result, 512 pixels long, and less
    layer = 1280 * 800  # that the stage draws with

    def held(pictures: int, photos: int) -> bool:
        return soon(page, lambda: page.evaluate("window.pixels()") <= limit(pictures, photos))

    def limit(pictures: int, photos: int) -> float:
        return pictures * whole + photos * small + layer

    page.set_input_files("#file", paths)
    for which in range(4):
        stage_of(page, "found", which)
    assert held(2, 4)  # the photo and its mask
    page.click("#restore-all")
    for which in range(4):
        stage_of(page, "restored", which)
    page.click("#strip li:nth-child(3) .thumb")
    page.wait_for_timeout(500)
    assert held(3, 4)  # and its result
    page.check("#show-invented")
    assert soon(page, lambda: page.evaluate("window.pixels()") > limit(3, 4))
    page.uncheck("#show-invented")
    assert held(3, 4)
    # They are there again for the one that is chosen.
    page.click("#strip li:nth-child(1) .thumb")
    assert soon(page, lambda: page.evaluate("window.pixels()") >= 3 * whole)
    assert np.abs(np.array(colour_at(page, 300, 20)) - 120).max() <= 3
    assert held(3, 4)
    for _ in range(4):
        take_off(page)
    assert held(0, 4)
    page.click("#gone-close")
    # The strip's own small squares are gone with it, when the browser collects them.
    assert held(0, 0.2)


def test_a_clip_is_brought_back_too(open_page, photo, tmp_path):
    """One that this browser cannot show: nothing of it is needed but its file."""
    page = open_page()
    page.locator("#pick-words", has_text="clips").wait_for()
    clip = tmp_path / "talk.avi"
    clip.write_bytes(b"no clip")
    drop(page, clip, "video/x-msvideo")
    stage_of(page, "found")
    page.set_input_files("#file", photo)
    stage_of(page, "found", 1)
    take_off(page)
    page.click("#bring-back")
    assert names(page) == ["talk.avi", "two.png"]
    assert focused(page) == "screen"
    held = hold(page, "**/v1/video")
    page.click("#clip-restore")
    assert soon(page, lambda: held)
    take_off(page)
    page.click("#bring-back")
    stage_of(page, "restoring")
    held[0].fulfill(status=202, body='{"id": "n", "done": 0}')  # given up, and sent again
    assert soon(page, lambda: len(held) == 2)
