"""The page on a phone, light and dark, and for those who do not see it."""

import pytest
from browser import LARGE, MARKS, NOTE, PHONE, ROOT, stage_of

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
