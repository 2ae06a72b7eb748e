"""The page in a real browser: what a user does, and what comes out."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import photos
import pytest
from serving import running, until

from unveil.files import encode, read_image
from unveil.restorer import Restorer
from unveil.server.app import Settings, create_app
from unveil.server.work import TINT

CHROMIUM = os.environ.get("UNVEIL_CHROMIUM") or shutil.which("chromium")
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "astronaut_occluded.png"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium: apt install chromium"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
NOTE = "The hidden part is invented; not for identification."
LARGE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SECONDS = 20_000


class Recorder(Restorer):
    """The library, which remembers the masks that the page has sent."""

    masks: ClassVar[list[np.ndarray | None]] = []

    def restore(self, photo, mask=None, *arguments, **options):
        self.masks.append(mask)
        return super().restore(photo, mask, *arguments, **options)


@pytest.fixture(scope="module")
def url(model: str) -> Iterator[str]:
    app = create_app(Settings(model, 1), lambda name: Recorder(name, 1))
    with running(app) as server:
        yield server.url


@pytest.fixture(scope="module")
def tools():
    with playwright.sync_playwright() as tools:
        yield tools


@pytest.fixture(scope="module")
def browser(tools):
    # Chromium's own sandbox needs rights that a container seldom has.
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser, url):
    """Open the page; every request must stay at its origin, and nothing may fail in silence."""
    contexts, wrong = [], []

    def start(size=LARGE, scheme="light", **options):
        context = browser.new_context(
            viewport=size, color_scheme=scheme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        context.set_default_timeout(SECONDS)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: check_origin(request.url))
        page.goto(url)
        return page

    def check_origin(address: str) -> None:
        if not address.startswith((url, f"blob:{url}", "data:")):
            wrong.append(f"left the origin: {address}")

    yield start
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "two.png"
    path.write_bytes(encode(photos.scene(*photos.TWO)[0], "PNG"))
    return path


def stage_of(page, stage: str, which: int = 0):
    page.wait_for_selector(f"#strip li:nth-child({which + 1})[data-stage={stage}]")


def drop(page, path: Path, kind: str = "image/png") -> None:
    data = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(
        """([data, name, type]) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], name, { type }));
            for (const kind of ["dragenter", "dragover", "drop"]) {
                const event = new DragEvent(kind, {
                    dataTransfer: carried, bubbles: true, cancelable: true,
                });
                document.getElementById("main").dispatchEvent(event);
            }
        }""",
        [data, path.name, kind],
    )


def place(page) -> dict:
    """Where the photo lies on the screen, and how large a pixel of it is."""
    width = "document.getElementById('stage').style.getPropertyValue('--photo-width')"
    assert until(lambda: page.evaluate(width))
    box = page.locator("#stage").bounding_box()
    at = page.evaluate(
        """() => ["left", "top", "width"].map((name) => parseFloat(
            document.getElementById("stage").style.getPropertyValue(`--photo-${name}`)))"""
    )
    return {"x": box["x"] + at[0], "y": box["y"] + at[1], "scale": at[2] / 900}


def colour_at(page, x: int, y: int) -> list[int]:
    """What the stage shows at a pixel of the photo."""
    return page.evaluate(
        """([x, y]) => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
            const stage = document.getElementById("stage");
            const canvas = document.getElementById("canvas");
            const read = (name) => parseFloat(stage.style.getPropertyValue(`--photo-${name}`));
            const ratio = canvas.width / stage.clientWidth;
            const scale = read("width") / 900;
            const at = [read("left") + x * scale, read("top") + y * scale].map((v) => v * ratio);
            done([...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3));
        }, 50)))""",
        [int(x), int(y)],
    )


def set_range(page, name: str, value: float) -> None:
    page.evaluate(
        """([name, value]) => {
            const slider = document.getElementById(name);
            slider.value = value;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        [name, value],
    )


def downloaded(page) -> np.ndarray:
    with page.expect_download() as got:
        page.click("#download")
    return read_image(Path(got.value.path())).photo


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
    at = place(page)
    page.mouse.move(at["x"] + 180 * at["scale"], at["y"] + 200 * at["scale"])
    page.mouse.down()
    page.mouse.up()
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


def test_no_camera_is_told_in_words(open_page):
    page = open_page(permissions=["camera"])
    page.click("#camera")
    page.wait_for_selector("#error:not([hidden])")
    assert "No camera was found" in page.inner_text("#error")


def test_a_photo_from_the_camera(url, tools):
    arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=arguments)
    page = browser.new_context(permissions=["camera"]).new_page()
    page.set_default_timeout(SECONDS)
    page.goto(url)
    page.click("#camera")
    assert until(lambda: page.evaluate("document.getElementById('video').videoWidth") > 0)
    page.click("#shutter")
    stage_of(page, "failed")  # what this camera sees is no face, and that is said
    assert "No face was found" in page.inner_text("#status")
    assert page.evaluate("document.getElementById('video').srcObject") is None
    browser.close()


def test_detail_and_other_faces(browser, tmp_path):
    """With the shipped model: the slider and the samples are the library's."""
    library = Restorer(threads=1)
    if not library.model.weights.has("prior"):
        pytest.skip("the default model has no prior")
    face = read_image(EXAMPLE).photo
    with running(create_app(Settings(library.model.weights.name, 1))) as server:
        page = browser.new_page(reduced_motion="reduce")
        page.set_default_timeout(SECONDS)
        page.goto(server.url)
        page.set_input_files("#file", EXAMPLE)
        stage_of(page, "found")
        page.click("#restore")
        stage_of(page, "restored")
        assert np.array_equal(downloaded(page), library.restore(face).photo)
        with page.expect_response("**/v1/restore"):
            set_range(page, "detail", 40)
        page.wait_for_selector("#stage[aria-busy=false]")
        soft = library.restore(face, detail=0.4)
        assert np.array_equal(downloaded(page), soft.photo)
        page.click("#others")
        page.click("#variants button:nth-child(3)")
        drawn = library.sample(face, 3, detail=0.4)
        assert np.array_equal(downloaded(page), drawn[1].photo)
        page.check("#with-overlay")
        marked = downloaded(page).astype(float)
        half = (drawn[1].photo + np.array(TINT, float)) / 2
        assert np.abs(marked - half)[drawn[1].invented].max() <= 0.5
        page.close()


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


def test_a_token_is_asked_for_once(browser, model, photo):
    with running(create_app(Settings(model, 1, token="t0ken"))) as server:
        page = browser.new_page()
        page.set_default_timeout(SECONDS)
        page.goto(server.url)
        page.fill("#token", "t0ken")
        page.keyboard.press("Enter")
        page.set_input_files("#file", photo)
        stage_of(page, "found")
        page.close()
