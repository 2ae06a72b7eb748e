"""The mask on the page: painted, erased, undone, by mouse and by keyboard."""

from collections.abc import Callable

import numpy as np
from browser import (
    MARKS,
    MILLISECONDS,
    Recorder,
    colour_at,
    dab,
    downloaded,
    hold,
    place,
    set_range,
    soon,
    stage_of,
)
from port import for_browser

from unveil.files import read_image
from unveil.restorer import Restorer

pytestmark = MARKS


def test_brush_eraser_undo_and_redo_become_the_mask(open_page, photo, restorer: Restorer):
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    before = read_image(photo).photo
    found = restorer.find(before)

    def mask() -> np.ndarray:
        """What the page sends; nothing, when it is what was found."""
        page.click("#restore")
        stage_of(page, "restored")
        page.click("#tab-mask")
        sent = Recorder.masks[-1]
        return found if sent is None else sent

    assert np.array_equal(mask(), found)
    at = place(page)
    set_range(page, "size", 60)
    left, top = at["x"] + 180 * at["scale"], at["y"] + 150 * at["scale"]
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 40, top, steps=5)
    page.mouse.up()
    painted = mask()
    assert painted[150, 180]
    assert not found[150, 180]
    assert (painted & found).sum() == found.sum()
    assert "px" in page.inner_text("#size-out")

    page.keyboard.press("Control+z")
    assert page.is_disabled("#undo")
    assert np.array_equal(mask(), found)
    page.click("#redo")
    assert np.array_equal(mask(), painted)

    page.keyboard.press("e")
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 40, top, steps=5)
    page.mouse.up()
    erased = mask()
    assert not erased[150, 180]
    page.click("#found")
    assert np.array_equal(mask(), found)
    page.click("#clear")
    page.click("#restore")
    assert "Nothing is marked" in page.inner_text("#error")


def test_a_painted_mask_gives_what_the_library_gives(open_page, photo, restorer: Restorer):
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    dab(page, 180, 200)
    page.click("#restore")
    stage_of(page, "restored")
    mask = Recorder.masks[-1]
    assert mask is not None
    assert mask[200, 180]
    before = read_image(photo).photo
    assert np.array_equal(downloaded(page), restorer.restore(before, mask).photo)


def test_by_keyboard_alone(open_page, photo):
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    page.focus("#stage")
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert page.is_enabled("#undo")
    page.keyboard.press("Enter")
    stage_of(page, "restored")
    assert page.get_attribute("#tab-result", "aria-selected") == "true"
    before = float(page.input_value("#compare"))
    page.focus("#stage")
    page.keyboard.press("ArrowRight")
    assert float(page.input_value("#compare")) > before
    page.focus("#tab-result")
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute("#tab-mask", "aria-selected") == "true"


def test_from_the_keyboard_what_is_near_is_painted(open_page, photo):
    """Enlarging leaves the brush on its spot of the photo; when it moves, it stays in sight."""
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    page.focus("#stage")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    stage_of(page, "restored")
    first = Recorder.masks[-1]
    page.click("#tab-mask")
    page.focus("#stage")
    page.keyboard.press("Control+z")
    for _ in range(6):
        page.keyboard.press("+")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tab-result[aria-selected=true]")
    assert (Recorder.masks[-1] ^ first).sum() < 0.02 * first.sum()
    page.click("#tab-mask")
    page.focus("#stage")
    assert place(page)["x"] < page.locator("#stage").bounding_box()["x"]
    for _ in range(40):
        page.keyboard.press("Shift+ArrowLeft")
    assert soon(page, lambda: place(page)["x"] >= page.locator("#stage").bounding_box()["x"])


def stroke(page, x: int, y: int) -> None:
    at = place(page)
    page.mouse.move(at["x"] + x * at["scale"], at["y"] + y * at["scale"])
    page.mouse.down()
    page.mouse.move(at["x"] + (x + 60) * at["scale"], at["y"] + y * at["scale"], steps=3)
    page.mouse.up()


def enabled(page, name: str) -> bool:
    return page.get_attribute(f"#{name}", "aria-disabled") == "false"


def test_nothing_is_painted_that_would_be_lost(open_page, photo):
    page = open_page()
    held = hold(page, "**/v1/segment")
    page.set_input_files("#file", photo)
    assert soon(page, lambda: held)
    stroke(page, 180, 150)
    page.focus("#stage")
    page.keyboard.press("Space")
    assert not enabled(page, "undo")
    assert not enabled(page, "clear")
    held[0].continue_()
    stage_of(page, "found")
    stroke(page, 180, 150)
    assert enabled(page, "undo")


def test_what_is_painted_during_a_restoration_is_not_in_it(open_page, photo, restorer: Restorer):
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    held = hold(page, "**/v1/restore")
    page.click("#restore")
    assert soon(page, lambda: held)
    stroke(page, 180, 150)
    held[0].continue_()
    stage_of(page, "restored")
    # Who paints goes on, and hears that the result lacks it.
    assert page.get_attribute("#tab-mask", "aria-selected") == "true"
    assert "The mask has changed" in page.inner_text("#status")
    assert Recorder.masks[-1] is None
    # Without the stroke it is the mask that was restored.
    page.keyboard.press("Control+z")
    assert "Restored" in page.inner_text("#status")
    page.keyboard.press("Control+y")
    assert "The mask has changed" in page.inner_text("#status")
    # What is not seen is not undone.
    page.click("#tab-result")
    page.keyboard.press("Control+z")
    page.click("#tab-mask")
    assert enabled(page, "undo")
    assert not enabled(page, "redo")
    page.click("#found")
    assert "Restored" in page.inner_text("#status")
    page.unroute("**/v1/restore")
    page.click("#undo")
    page.click("#restore")
    page.wait_for_selector("#tab-result[aria-selected=true]")
    assert Recorder.masks[-1][150, 200]


def fingers_on(page) -> Callable[..., None]:
    """What tells the page of fingers at places (x, y) of its photo."""
    at = place(page)
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *fingers: tuple[int, int]) -> None:
        points = [
            {"x": at["x"] + x * at["scale"], "y": at["y"] + y * at["scale"], "id": i}
            for i, (x, y) in enumerate(fingers)
        ]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return send


def test_a_second_finger_takes_back_what_the_first_has_painted(open_page, photo):
    page = open_page(has_touch=True)
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    stroke(page, 180, 150)
    page.keyboard.press("Control+z")
    assert enabled(page, "redo")
    send = fingers_on(page)
    send("touchStart", (300, 200))
    send("touchMove", (340, 200))
    assert soon(page, lambda: colour_at(page, 320, 200)[2] > colour_at(page, 320, 200)[1] + 20)
    send("touchStart", (340, 200), (500, 200))
    send("touchEnd")
    # As if nothing had been: no step to undo, and the one from before can still be done again.
    assert soon(page, lambda: not enabled(page, "undo"))
    assert enabled(page, "redo")
    assert page.is_hidden("#found")
    page.click("#restore")
    stage_of(page, "restored")
    assert Recorder.masks[-1] is None
    page.click("#tab-mask")
    page.keyboard.press("Control+y")
    page.click("#restore")
    page.wait_for_selector("#tab-result[aria-selected=true]")
    mask = Recorder.masks[-1]
    assert mask[150, 200]
    assert not mask[200, 320]


def test_a_photo_that_comes_in_is_not_put_under_the_brush(open_page, photo):
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    at = place(page)
    page.mouse.move(at["x"] + 180 * at["scale"], at["y"] + 100 * at["scale"])
    page.mouse.down()
    page.mouse.move(at["x"] + 240 * at["scale"], at["y"] + 100 * at["scale"], steps=3)
    page.set_input_files("#file", photo)
    stage_of(page, "found", 1)
    page.mouse.move(at["x"] + 300 * at["scale"], at["y"] + 100 * at["scale"], steps=3)
    page.mouse.up()
    assert page.get_attribute("#strip li:nth-child(1) .thumb", "aria-current") == "true"
    assert enabled(page, "undo")
    page.click("#restore")
    stage_of(page, "restored")
    assert Recorder.masks[-1][100, 180:300].all()


def test_a_stroke_ends_with_its_photo(open_page, photo, restorer: Restorer):
    """Another one is chosen in the middle of it, from the keyboard."""
    page = open_page()
    page.set_input_files("#file", [photo, photo])
    for which in range(2):
        stage_of(page, "found", which)
    at = place(page)
    page.mouse.move(at["x"] + 180 * at["scale"], at["y"] + 100 * at["scale"])
    page.mouse.down()
    page.mouse.move(at["x"] + 240 * at["scale"], at["y"] + 100 * at["scale"], steps=3)
    page.focus("#strip li:nth-child(2) .thumb")
    page.keyboard.press("Enter")
    page.mouse.move(at["x"] + 300 * at["scale"], at["y"] + 100 * at["scale"], steps=3)
    page.mouse.up()
    assert not enabled(page, "undo")  # nothing of it is on the other one
    page.click("#strip li:nth-child(1) .thumb")
    assert enabled(page, "undo")
    dab(page, 180, 380)
    page.click("#restore")
    stage_of(page, "restored")
    found = restorer.find(read_image(photo).photo)
    painted = Recorder.masks[-1] & ~found
    assert painted[100, 180:240].all()
    assert painted[380, 180]
    assert not painted[:, 275:].any()  # where the brush went on, over the other one
    assert not painted[200:350].any()  # no line from one stroke to the next


def test_a_restoration_in_the_middle_of_a_stroke_lacks_the_rest_of_it(open_page, photo):
    """As when `Restore all` comes to the photo that is being painted: the page says so."""
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    held = hold(page, "**/v1/restore")
    at = place(page)
    page.mouse.move(at["x"] + 180 * at["scale"], at["y"] + 100 * at["scale"])
    page.mouse.down()
    page.mouse.move(at["x"] + 240 * at["scale"], at["y"] + 100 * at["scale"], steps=3)
    page.focus("#stage")
    page.keyboard.press("Enter")
    assert soon(page, lambda: held)
    page.mouse.move(at["x"] + 330 * at["scale"], at["y"] + 100 * at["scale"], steps=3)
    page.mouse.up()
    held[0].continue_()
    stage_of(page, "restored")
    first = Recorder.masks[-1]
    assert first[100, 180:240].all()
    assert not first[100, 310]
    assert page.get_attribute("#tab-mask", "aria-selected") == "true"
    assert "The mask has changed" in page.inner_text("#status")
    # Without what came after, it is the mask that was restored.
    page.keyboard.press("Control+z")
    assert "Restored" in page.inner_text("#status")
    page.keyboard.press("Control+y")
    page.unroute("**/v1/restore")
    page.click("#restore")
    page.wait_for_selector("#tab-result[aria-selected=true]")
    assert Recorder.masks[-1][100, 180:330].all()


def test_a_third_finger_paints_nothing(open_page, photo):
    page = open_page(has_touch=True)
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    send = fingers_on(page)
    send("touchStart", (300, 200))
    send("touchStart", (300, 200), (500, 200))
    send("touchStart", (300, 200), (500, 200), (400, 300))
    send("touchMove", (310, 200), (510, 210), (420, 320))
    send("touchEnd", (310, 200), (510, 210))
    send("touchEnd")
    page.wait_for_timeout(100)
    assert not enabled(page, "undo")
    stroke(page, 180, 150)  # one alone does
    assert enabled(page, "undo")


HISTORY = """([width, height, times]) => {
    const mask = new port.MaskLayer(width, height);
    mask.wake();
    for (let i = 0; i < times; i++) {
        mask.stroke(100 + 40 * i, 100, 30, false);
        mask.endStroke();
        mask.stroke(0, 0, 2, false);
        mask.stroke(width, height, 2, false);
        mask.endStroke();
    }
    const alpha = () => {
        const { data } = mask.canvas.getContext("2d").getImageData(0, 0, width, height);
        return data.filter((_, i) => i % 4 === 3);
    };
    const last = alpha();
    const freed = mask.canvas;
    mask.sleep();
    mask.wake();
    let same = freed.width === 0 && alpha().every((value, p) => value === last[p]);
    let steps = 0;
    for (; mask.canUndo; steps++) mask.undo();
    const first = alpha();
    while (mask.canRedo) mask.redo();
    same &&= alpha().every((value, p) => value === last[p]);
    return [steps, same, first.reduce((sum, value) => sum + (value > 127), 0)];
}"""


def test_the_past_of_a_mask_is_bounded_and_exact(browser):
    """Also once another photo was shown meanwhile, and with strokes from corner to corner."""
    page = browser.new_page()
    page.set_default_timeout(MILLISECONDS)
    page.add_script_tag(content=for_browser("mask"))
    assert page.evaluate(HISTORY, [2000, 1500, 6]) == [12, True, 0]
    steps, same, first = page.evaluate(HISTORY, [2000, 200, 35])
    assert (steps, same) == (60, True)
    assert first > 1000  # what cannot be undone any more stays
    page.close()


def test_a_mask_in_few_bytes_is_the_same_mask(browser):
    page = browser.new_page()
    page.add_script_tag(content=for_browser("runs"))
    seen = page.evaluate(
        """() => {
            const round = (given) => {
                const packed = port.pack(given);
                const back = port.unpack(packed, given.length);
                return [packed.length, given.every((value, i) => value === back[i])];
            };
            const long = new Uint8Array(3e6).fill(255, 1000, 2e6);
            long.set([255, 254, 1, 0, 1], 127);
            const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251 % 3);
            return [[], [0, 0], [7], new Array(128).fill(9), [0, 5, 0], long, noise].map((each) =>
                round(Uint8Array.from(each)));
        }"""
    )
    assert all(same for _, same in seen)
    # What is not hidden at the end takes nothing; 2 million pixels in a row take four bytes.
    assert [bytes_ for bytes_, _ in seen[:5]] == [0, 0, 2, 3, 4]
    assert seen[5][0] < 30
    page.close()
