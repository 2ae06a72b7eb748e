"""What the page offers of a result: detail, other faces, the invented pixels."""

import io

import numpy as np
import photos
import pytest
from browser import (
    EXAMPLE,
    MARKS,
    MILLISECONDS,
    downloaded,
    hold,
    place,
    set_range,
    soon,
    stage_of,
)
from port import for_browser
from serving import running

from unveil.files import encode, read_image
from unveil.output import TINT
from unveil.restorer import Restorer
from unveil.runtime.model import Manner
from unveil.server.app import Settings, create_app
from unveil.server.limits import Limits

pytestmark = MARKS


def restored_example(browser, url: str):
    """A page of a server that shows the example restored."""
    page = browser.new_page(reduced_motion="reduce")
    page.set_default_timeout(MILLISECONDS)
    page.goto(url)
    page.set_input_files("#file", EXAMPLE)
    stage_of(page, "found")
    page.click("#restore")
    stage_of(page, "restored")
    return page


def restored(open_page, photo: str):
    """A page that shows this photo restored."""
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    page.click("#restore")
    stage_of(page, "restored")
    return page


def test_detail_and_other_faces(browser, tmp_path):
    """With the shipped model: the slider and the samples are the library's."""
    library = Restorer(threads=1)
    if not library.model.weights.has("prior"):
        pytest.skip("the default model has no prior")
    face = read_image(EXAMPLE).photo
    with running(create_app(Settings(library.model.weights.name, 1))) as server:
        page = restored_example(browser, server.url)
        assert np.array_equal(downloaded(page), library.restore(face).photo)
        assert page.input_value("#detail") == f"{100 * Manner().detail:.0f}"
        with page.expect_response("**/v1/restore"):
            set_range(page, "detail", 40)
        page.wait_for_selector("#stage[aria-busy=false]")
        soft = library.restore(face, detail=0.4)
        assert np.array_equal(downloaded(page), soft.photo)
        page.click("#others")
        page.click("#variants button:nth-child(3)")
        drawn = library.sample(face, 3, detail=0.4)
        assert np.array_equal(downloaded(page), drawn[1].photo)

        # The face that was chosen stays the one that is shown, with another detail.
        with page.expect_response("**/v1/restore"):
            set_range(page, "detail", 60)
        page.wait_for_selector("#stage[aria-busy=false]")
        chosen = page.locator("#variants button")
        assert [each.get_attribute("aria-pressed") == "true" for each in chosen.all()] == [
            False,
            False,
            True,
            False,
        ]
        drawn = library.sample(face, 3, detail=0.6)
        assert np.array_equal(downloaded(page), drawn[1].photo)

        # What is marked is what is seen, whatever the mask and the controls say by now.
        page.click("#tab-mask")
        page.click("#clear")
        page.click("#tab-result")
        page.check("#with-overlay")
        marked = downloaded(page).astype(float)
        half = (drawn[1].photo + np.array(TINT, float)) / 2
        assert np.abs(marked - half)[drawn[1].invented].max() <= 0.5
        assert np.array_equal(marked[~drawn[1].invented], face[~drawn[1].invented])

        # Each photo has its own.
        page.set_input_files("#file", EXAMPLE)
        stage_of(page, "found", 1)
        assert page.input_value("#detail") == f"{100 * Manner().detail:.0f}"
        page.click("#strip li:nth-child(1) .thumb")
        assert page.input_value("#detail") == "60"
        page.close()


def test_the_marked_download_needs_nobody(open_page, photo, restorer: Restorer):
    page = restored(open_page, photo)
    page.check("#with-overlay")
    held = hold(page, "**/v1/restore")
    page.click("#tab-mask")
    page.click("#restore")
    assert soon(page, lambda: held)
    page.click("#tab-result")
    names = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    page.dblclick("#download")
    page.wait_for_selector("#download[aria-disabled=false]")
    assert soon(page, lambda: names)
    assert names == ["two.marked.png"]
    assert page.is_hidden("#error")
    # The restoration that went on meanwhile comes to its end.
    held[0].continue_()
    stage_of(page, "restored")
    assert len(held) == 1


def test_one_slider_says_how_much_is_before(open_page, photo):
    page = restored(open_page, photo)
    for share in (0, 30, 100):
        set_range(page, "compare", share)
        assert page.get_attribute("#compare", "aria-valuetext") == (
            f"{share} % before, {100 - share} % after"
        )
        assert page.inner_text("#compare-out") == f"{share} %"
        assert page.is_visible("#tag-before") == (share > 0)
        assert page.is_visible("#tag-after") == (share < 100)


def test_an_enlarged_result_is_moved_from_the_keyboard(open_page, photo):
    page = restored(open_page, photo)
    page.focus("#stage")

    def seen() -> np.ndarray:
        page.wait_for_timeout(100)
        return read_image(io.BytesIO(page.locator("#canvas").screenshot())).photo

    page.keyboard.press("d")  # nothing to move yet
    whole = seen()
    page.keyboard.press("d")
    assert np.array_equal(seen(), whole)
    for _ in range(8):
        page.keyboard.press("+")
    middle = seen()
    for away, back in (("d", "a"), ("s", "w")):
        page.keyboard.press(away)
        moved = seen()
        axis = 1 if away == "d" else 0
        shift = round(moved.shape[axis] / 8)
        kept = [slice(None)] * 2
        kept[axis] = slice(shift, -40)
        before = np.roll(middle, -shift, axis)
        kept[axis] = slice(40, -shift - 40)
        # What was seen lies an eighth further; the divider stays with the photo.
        assert np.abs(moved[tuple(kept)].astype(int) - before[tuple(kept)]).mean() < 3
        assert np.abs(moved.astype(int) - middle).mean() > 0.5
        page.keyboard.press(back)
        assert np.abs(seen().astype(int) - middle).mean() < 1
    for _ in range(40):
        page.keyboard.press("d")
    edge = seen()
    page.keyboard.press("d")
    assert np.array_equal(seen(), edge)


def test_who_takes_the_slider_keeps_it(open_page, photo):
    """It moves by itself the first time, until it is moved."""
    page = open_page()
    page.emulate_media(reduced_motion="no-preference")
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    page.evaluate(
        """() => {
            const compare = document.getElementById("compare");
            const take = () => {
                if (Number(compare.value) > 95 || document.getElementById("pane-result").hidden) {
                    requestAnimationFrame(take);
                    return;
                }
                compare.value = 20;
                compare.dispatchEvent(new Event("input", { bubbles: true }));
            };
            requestAnimationFrame(take);
        }"""
    )
    page.click("#restore")
    stage_of(page, "restored")
    page.wait_for_timeout(1500)
    assert page.input_value("#compare") == "20"


def test_what_is_near_is_the_face_of_which_most_is_hidden(open_page, tmp_path):
    """Also in the small pictures of other faces."""
    left, right = photos.TWO
    path = tmp_path / "right.png"
    photo = photos.scene(left, right)[0]
    photo[:, :400] = photos.scene(left, right, hide=False)[0][:, :400]
    path.write_bytes(encode(photo, "PNG"))
    page = open_page()
    page.set_input_files("#file", path)
    stage_of(page, "found")
    assert "2 faces, 1 partly hidden" in page.inner_text("#status")
    page.click("#zoom-face")
    stage = page.locator("#stage").bounding_box()
    middle = stage["x"] + stage["width"] / 2

    def off() -> float:
        at = place(page)
        return abs(at["x"] + 650 * at["scale"] - middle) / at["scale"]

    assert soon(page, lambda: off() < 60)


def test_the_small_pictures_show_the_face_that_is_restored(browser):
    page = browser.new_page()
    page.add_script_tag(content=for_browser("small", "photo"))
    seen = page.evaluate(
        """() => {
            const canvas = new OffscreenCanvas(400, 200);
            const context = canvas.getContext("2d");
            context.fillRect(200, 0, 200, 200);
            const bitmap = canvas.transferToImageBitmap();
            const face = (left, coverage) => ({ box: [left, 50, left + 100, 150], coverage });
            return [[0, 0.2], [0.3, 0.2], [0, 0]].map((shares) => {
                const faces = shares.map((share, i) => face(50 + 200 * i, share));
                const small = port.preview(port.subjectOf(faces), bitmap).getContext("2d");
                return small.getImageData(48, 48, 1, 1).data[3];
            });
        }"""
    )
    assert seen == [255, 0, 0]
    page.close()


def test_another_detail_does_not_call_off_other_faces(browser, tmp_path):
    """Asked for one right after the other."""
    with running(create_app(Settings("lite", 1))) as server:
        page = restored_example(browser, server.url)
        held = hold(page, "**/v1/restore")
        page.click("#others")
        assert soon(page, lambda: held)
        set_range(page, "detail", 40)
        assert soon(page, lambda: len(held) == 2)
        held[1].continue_()
        page.locator("#variants button").nth(3).wait_for()
        body = held[1].request.post_data_buffer
        assert b'name="detail"\r\n\r\n0.4' in body
        page.close()


def test_as_many_other_faces_as_an_answer_holds(browser):
    """Of a photo of 0.0655 megapixels, 0.175 hold one."""
    with running(create_app(Settings("lite", 1, Limits(megapixels=0.07)))) as server:
        page = restored_example(browser, server.url)
        page.click("#others")
        page.wait_for_selector("#stage[aria-busy=false]")
        assert page.is_hidden("#error")
        assert page.locator("#variants button").count() == 2
        page.close()


def test_what_is_called_off_while_it_is_decoded_is_not_shown(open_page, photo):
    page = restored(open_page, photo)
    page.evaluate(
        """() => {
            const decode = window.createImageBitmap;
            window.createImageBitmap = async (...all) => {
                const bitmap = await decode(...all);
                await new Promise((done) => setTimeout(done, 800));
                return bitmap;
            };
        }"""
    )
    with page.expect_response("**/v1/restore"):
        set_range(page, "detail", 90)
    held = hold(page, "**/v1/restore")
    set_range(page, "detail", 10)
    assert soon(page, lambda: held)
    page.wait_for_timeout(2000)  # by now the first would be here
    assert page.get_attribute("#strip li", "data-stage") == "restoring"
    assert page.inner_text("#status") == "Restoring…"
    held[0].continue_()
    stage_of(page, "restored")


@pytest.mark.parametrize("why", ["nothing is marked", "it fails"])
def test_a_detail_that_is_refused_is_taken_back(open_page, photo, why):
    """The slider says what is seen, and downloaded."""
    page = restored(open_page, photo)
    with page.expect_response("**/v1/restore"):
        set_range(page, "detail", 40)
    page.wait_for_selector("#stage[aria-busy=false]")
    if why == "nothing is marked":
        page.click("#tab-mask")
        page.click("#clear")
        page.click("#tab-result")
    else:
        page.route("**/v1/restore", lambda route: route.abort("connectionreset"))
    set_range(page, "detail", 100)
    assert page.input_value("#detail") == "100"
    page.wait_for_selector("#error:not([hidden])")
    assert page.input_value("#detail") == "40"


def test_a_detail_that_is_yet_to_be_tried_is_not_taken_back(open_page, photo):
    """Whether the restoration before it is called off, or fails."""
    page = restored(open_page, photo)
    held = hold(page, "**/v1/restore")
    set_range(page, "detail", 30)
    assert soon(page, lambda: len(held) == 1)
    set_range(page, "detail", 60)
    assert soon(page, lambda: len(held) == 2)
    assert page.input_value("#detail") == "60"
    set_range(page, "detail", 90)
    held[1].abort("connectionreset")
    assert soon(page, lambda: len(held) == 3)
    assert b'name="detail"\r\n\r\n0.9' in held[2].request.post_data_buffer
    held[2].continue_()
    stage_of(page, "restored")
    assert page.input_value("#detail") == "90"


def test_each_photo_gets_its_own_detail(open_page, photo):
    """Also where it is moved on one after the other, faster than it is tried."""
    page = open_page()
    page.set_input_files("#file", [photo, photo])
    for which in range(2):
        stage_of(page, "found", which)
    page.click("#restore-all")
    for which in range(2):
        stage_of(page, "restored", which)
    held = hold(page, "**/v1/restore")
    page.evaluate(
        """() => [0, 1].forEach((which) => {
            document.querySelectorAll("#strip .thumb")[which].click();
            const slider = document.getElementById("detail");
            slider.value = 10 + 10 * which;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
        })"""
    )
    assert soon(page, lambda: len(held) == 2)
    for detail, route in zip((b"0.1", b"0.2"), held, strict=True):
        assert b'name="detail"\r\n\r\n' + detail in route.request.post_data_buffer
