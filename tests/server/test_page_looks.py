"""The page on a phone, light and dark, and for those who do not see it."""

import photos
import pytest
from browser import LARGE, MARKS, NOTE, PHONE, ROOT, stage_of

from unveil.files import encode

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = MARKS


@pytest.mark.parametrize("size", [PHONE, {"width": 320, "height": 568}])
def test_phone(open_page, photo, size):
    page = open_page(size, has_touch=True)
    for state in ("empty", "found", "restored"):
        if state == "found":
            page.set_input_files("#file", photo)
        elif state == "restored":
            page.click("#restore")
        if state != "empty":
            stage_of(page, state)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"]
        box = page.locator("#note").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] < size["height"]
        assert page.inner_text("#note") == NOTE
        assert page.locator("#note").is_visible()
    stage = page.locator("#stage").bounding_box()
    assert stage["height"] > 0.3 * size["height"]
    page.locator("#download").scroll_into_view_if_needed()
    button = page.locator("#download").bounding_box()
    assert button["height"] >= 44
    assert button["y"] + button["height"] <= size["height"]


@pytest.mark.parametrize("size", [{"width": 375, "height": 700}, {"width": 900, "height": 700}])
def test_many_photos_leave_the_stage_its_place(open_page, photo, size):
    page = open_page(size)
    count = 1 + size["width"] // 60
    page.route("**/v1/segment", lambda route: route.abort())
    page.set_input_files("#file", [photo] * count)
    stage_of(page, "failed", count - 1)
    panel = page.locator("#panel").bounding_box()
    stage = page.locator("#stage").bounding_box()
    edge = panel["x"] if size["width"] > 760 else size["width"]
    assert stage["x"] + stage["width"] <= edge
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    # The photo that is shown is seen in the strip, wherever it stands there.
    strip = page.locator("#strip").bounding_box()
    for which in (count - 1, 0, count // 2):
        page.evaluate(f"document.querySelectorAll('.thumb')[{which}].click()")
        thumb = page.locator(".thumb[aria-current]").bounding_box()
        assert strip["x"] <= thumb["x"]
        assert thumb["x"] + thumb["width"] <= strip["x"] + strip["width"]


@pytest.mark.parametrize(
    ("width", "height", "tags"),
    [
        (640, 400, True),  # 1280 by 800, enlarged to 200 %
        (700, 375, True),  # a small phone, lying
        (844, 390, True),
        (320, 200, False),  # 400 %: the page scrolls, and the photo has no room for words
    ],
)
def test_on_a_low_screen_all_can_be_reached(open_page, tmp_path, width, height, tags):
    photo = tmp_path / "square.png"
    photo.write_bytes(encode(photos.scene(photos.TWO[0], size=(400, 400))[0], "PNG"))
    page = open_page({"width": width, "height": height})
    page.locator("#pick").scroll_into_view_if_needed()
    assert page.locator("#pick").bounding_box()["y"] < height
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    assert page.locator("#stage").bounding_box()["height"] >= 150
    page.click("#restore")
    stage_of(page, "restored")
    # The result is seen without scrolling, and what belongs to it after.
    stage = page.locator("#stage").bounding_box()
    assert stage["y"] > -1
    assert stage["y"] + stage["height"] < height + 1
    assert page.is_visible("#tag-before") == tags
    page.locator("#download").scroll_into_view_if_needed()
    button = page.locator("#download").bounding_box()
    assert button["height"] >= 44
    assert button["y"] >= 0
    assert button["y"] + button["height"] <= height
    for name in ("panel", "stage"):
        box = page.locator(f"#{name}").bounding_box()
        assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inner = page.evaluate("[panel.scrollWidth, panel.clientWidth]")
    assert inner[0] <= inner[1]


def test_on_a_phone_no_button_is_pressed_that_is_not_seen(open_page, photo):
    page = open_page(PHONE, has_touch=True, is_mobile=True)
    page.set_input_files("#file", [photo, photo])
    for which in range(2):
        stage_of(page, "found", which)
    strip = page.locator("#strip li")
    for which in (1, 0):  # in the corner of the one that is not shown lies nothing but itself
        box = strip.nth(which).locator(".thumb").bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] - 6, box["y"] + 6)
        page.wait_for_selector(f"#strip li:nth-child({which + 1}) .thumb[aria-current]")
        assert strip.count() == 2
    strip.nth(0).locator(".thumb-close").tap()
    assert strip.count() == 1


@pytest.mark.parametrize("size", [LARGE, {"width": 800, "height": 700}, PHONE])
def test_a_message_covers_nothing_that_is_needed(open_page, photo, tmp_path, size):
    page = open_page(size)
    (tmp_path / "letter.txt").write_text("hello")
    page.set_input_files("#file", [photo, photo])
    for which in range(2):
        stage_of(page, "found", which)
    page.focus("#strip li:nth-child(2) .thumb-close")
    page.keyboard.press("Enter")
    page.set_input_files("#file", tmp_path / "letter.txt")
    page.locator("#error").wait_for()
    boxes = [page.locator(name).bounding_box() for name in ("#error", "#gone")]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]  # nor each other
    header, strip, panel = (
        page.locator(name).bounding_box() for name in (".top", ".strip-bar", "#panel")
    )
    for box in boxes:
        assert box["y"] >= header["y"] + header["height"]
        assert box["y"] + box["height"] < strip["y"]
        beside = box["x"] + box["width"] < panel["x"]
        assert beside or box["y"] + box["height"] < panel["y"]
    page.keyboard.press("Escape")
    assert page.is_hidden("#error")
    assert page.is_visible("#gone")


def test_forced_colours_show_what_is_chosen(open_page, photo):
    page = open_page(forced_colors="active")
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    outline = "(id) => getComputedStyle(document.querySelector(id)).outlineStyle"
    for chosen, other in (("#brush", "#eraser"), ("#tab-mask", "#tab-result")):
        assert page.evaluate(outline, chosen) == "solid"
        assert page.evaluate(outline, other) == "none"
    assert page.evaluate(outline, ".thumb[aria-current]") == "solid"


def test_light_and_dark(open_page):
    def background(page) -> int:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return int(colour.split("(")[1].split(",")[0])

    page = open_page(scheme="dark")
    assert background(page) < 40
    page.click("#theme")  # light, whatever the system says
    assert background(page) > 230
    page.reload()
    assert background(page) > 230
    assert background(open_page(scheme="light")) > 230


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core: npm ci in web/")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LARGE, PHONE])
def test_axe_finds_no_serious_violation(open_page, photo, scheme, size):
    # axe is put in by the browser's own tools, which the page's policy does not stop.
    page = open_page(size, scheme, bypass_csp=True)
    states = [lambda: None]
    states.append(lambda: (page.set_input_files("#file", photo), stage_of(page, "found")))
    states.append(lambda: (page.click("#restore"), stage_of(page, "restored")))
    states.append(lambda: page.click("#help"))
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for reach in states:
        reach()
        found = page.evaluate("axe.run()")["violations"]
        serious = [
            (v["id"], [n["html"] for n in v["nodes"]])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert serious == []
