"""On the visitor's own device: the answer is the library's, and the photo never leaves the page."""

import io
import shutil

import cv2
import numpy as np
import photos
import pytest
from browser import EXAMPLE, MARKS, ROOT, dab, downloaded, set_range, stage_of
from PIL import Image, ImageCms
from serving import running

from unveil.files import encode, read_image
from unveil.imaging import grow
from unveil.output import TINT
from unveil.restorer import Restorer
from unveil.server.app import Settings, create_app
from unveil.server.limits import Limits
from unveil.server.page import RUNTIME_FILES

RUNTIME = ROOT / "src" / "unveil" / "server" / "ort"
BUILT = all((RUNTIME / name).is_file() for name in RUNTIME_FILES)
needs_runtime = pytest.mark.skipif(
    not BUILT, reason="no runtime for the browser: cd web && npm ci && npm run runtime"
)
pytestmark = MARKS
MILLISECONDS = 120_000  # WebAssembly on one busy core


@pytest.fixture(scope="module")
def library() -> Restorer:
    return Restorer(threads=1)


@pytest.fixture(scope="module")
def shipped():
    """A server over the shipped model."""
    with running(create_app(Settings("lite", 1, runtime=RUNTIME))) as server:
        yield server.url


@pytest.fixture
def on_device(browser):
    """Open a page that does its work itself; nothing but the page and networks may travel."""
    contexts, sent = [], []

    def start(url: str):
        context = browser.new_context(reduced_motion="reduce")
        context.set_default_timeout(MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: sent.append(str(error)))
        page.on("request", lambda request: check(url, request))
        page.goto(url)
        page.click("#on-device")
        return page

    def check(url: str, request) -> None:
        if request.method != "GET" or not request.url.startswith((url, f"blob:{url}", "data:")):
            sent.append(f"{request.method} {request.url}")

    yield start
    for context in contexts:
        context.close()
    assert sent == []


def agrees(ours: np.ndarray, photo: np.ndarray, expected, unsure: bool = False) -> None:
    """Known pixels are the photo's; hidden ones are the library's, but for rounding.

    With `unsure`, rounding may have decided where the segmenter is in two minds: a few pixels at
    the edge of the mask, which the fill then carries a little way into the hole.
    """
    invented = expected.invented
    beside = (ours != photo).any(2) & ~invented
    off = np.abs(ours.astype(int) - expected.photo)[invented]
    if unsure:
        assert beside.sum() <= 0.005 * invented.sum()
        assert not (beside & ~grow(invented, 4)).any()
        assert (off.max(1) <= 2).mean() > 0.9
        assert off.mean() < 1
        return
    assert not beside.any()
    if invented.any():
        assert off.max() <= 2
        assert off.mean() < 0.1


@pytest.fixture
def framed(tmp_path):
    """The example with a border.

    In the file itself one of the face's points lies half way between two eighths of a pixel, and a
    single grey level of one pixel decides which it is: the frames then differ by a part of a pixel.
    """
    photo = cv2.copyMakeBorder(
        read_image(EXAMPLE).photo, 12, 20, 24, 16, cv2.BORDER_CONSTANT, value=(120, 120, 120)
    )
    path = tmp_path / "framed.png"
    path.write_bytes(encode(photo, "PNG"))
    return path


@pytest.fixture
def pair(tmp_path):
    """The example twice, at its own size and half as large again."""
    whole = read_image(EXAMPLE).photo
    large = cv2.resize(whole, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    both = np.full((480, 800, 3), 150, np.uint8)
    both[100:356, 40:296], both[50:434, 360:744] = whole, large
    path = tmp_path / "pair.png"
    path.write_bytes(encode(both, "PNG"))
    return path


def restored(page, path) -> np.ndarray:
    page.set_input_files("#file", path)
    page.wait_for_selector("#strip li:last-child[data-stage=found]")
    page.click("#restore")
    page.wait_for_selector("#strip li:last-child[data-stage=restored]")
    return downloaded(page)


@needs_runtime
def test_the_answer_is_the_librarys(on_device, shipped, library, framed, pair, tmp_path):
    page = on_device(shipped)
    photo = read_image(framed).photo
    agrees(restored(page, framed), photo, library.restore(photo))
    whole = read_image(EXAMPLE).photo
    agrees(restored(page, EXAMPLE), whole, library.restore(whole), unsure=True)
    # Two faces of different sizes, each larger than its frame or as large.
    two = read_image(pair).photo
    expected = library.restore(two)
    assert len(expected.faces) == 2
    agrees(restored(page, pair), two, expected, unsure=True)
    # In front of a large photo, with grain.
    wide = np.full((900, 1300, 3), 120, np.uint8)
    wide[50:818, 300:1068] = np.repeat(np.repeat(whole, 3, 0), 3, 1)
    # With noise 0 a point of the face lies half way between two eighths of a pixel, and rounding
    # decides where it goes; with 1 to 5 none does.
    noise = np.random.default_rng(2).normal(0, 6, wide.shape)
    wide = np.clip(wide + noise, 0, 255).astype(np.uint8)
    path = tmp_path / "wide.png"
    path.write_bytes(encode(wide, "PNG"))
    expected = library.restore(wide)
    assert expected.invented.sum() > 10_000
    agrees(restored(page, path), wide, expected, unsure=True)


@needs_runtime
def test_a_photo_that_is_opened_is_only_looked_at(on_device, shipped, tmp_path):
    page = on_device(shipped)
    page.evaluate(
        """() => {
            window.said = [];
            const status = document.getElementById("status");
            new MutationObserver(() => window.said.push(status.textContent))
                .observe(status, { childList: true });
        }"""
    )

    def inventing() -> list[bool]:
        said = page.evaluate("window.said.splice(0)")
        return [
            any(words in each for each in said) for words in ("what hides it", "inventing", "Writ")
        ]

    path = tmp_path / "gone.png"
    shutil.copy(EXAMPLE, path)
    page.set_input_files("#file", path)
    stage_of(page, "found")
    assert inventing() == [True, False, False]
    path.unlink()  # what was opened is held here
    page.click("#restore")
    stage_of(page, "restored")
    assert inventing() == [True, True, True]


@needs_runtime
def test_only_what_is_under_way_is_stopped(on_device, shipped):
    page = on_device(shipped)
    page.evaluate(
        """() => {
            window.posted = [];
            const post = Worker.prototype.postMessage;
            Worker.prototype.postMessage = function (message) {
                window.posted.push(message.kind);
                post.call(this, message);
            };
        }"""
    )
    page.set_input_files("#file", EXAMPLE)
    stage_of(page, "found")
    page.click("#restore")  # a new piece of work, after one that has ended
    page.locator("#status", has_text="what hides it").wait_for()
    page.click("#strip .thumb-close")
    assert page.evaluate("window.posted") == ["open", "job", "job", "stop"]


@needs_runtime
def test_what_hangs_below_a_face_goes_too(on_device, shipped, library, tmp_path):
    photo = np.full((420, 380, 3), 120, np.uint8)
    photo[40:296, 60:316] = read_image(ROOT / "examples" / "astronaut.png").photo
    photo[205:320, 160:210] = 0
    path = tmp_path / "hanging.png"
    path.write_bytes(encode(photo, "PNG"))
    expected = library.restore(photo)
    assert expected.invented[300:318, 165:205].all()
    assert not expected.invented[330:].any()
    agrees(restored(on_device(shipped), path), photo, expected, unsure=True)


@needs_runtime
def test_detail_other_faces_and_the_marks(on_device, shipped, library, framed):
    page = on_device(shipped)
    face = read_image(framed).photo
    restored(page, framed)
    set_range(page, "detail", 40)
    page.wait_for_selector("#stage[aria-busy=true]")
    page.wait_for_selector("#stage[aria-busy=false]")
    agrees(downloaded(page), face, library.restore(face, detail=0.4))
    page.click("#others")
    page.click("#variants button:nth-child(3)")
    drawn = library.sample(face, 3, detail=0.4)[1]
    agrees(downloaded(page), face, drawn)
    page.check("#with-overlay")
    marked = downloaded(page).astype(float)
    half = (drawn.photo + np.array(TINT, float)) / 2
    assert np.abs(marked - half)[drawn.invented].max() <= 1.5
    assert np.array_equal(marked[~drawn.invented], face[~drawn.invented])


@needs_runtime
def test_once_the_networks_are_here_no_server_is_needed(on_device, shipped, library, pair):
    page = on_device(shipped)
    restored(page, EXAMPLE)
    page.context.set_offline(True)
    two = read_image(pair).photo
    agrees(restored(page, pair), two, library.restore(two), unsure=True)


@needs_runtime
def test_a_worker_that_falls_is_replaced_without_fetching_the_networks(on_device, shipped):
    page = on_device(shipped)
    page.evaluate(
        """() => {
            const Plain = window.Worker;
            window.workers = [];
            window.Worker = class extends Plain {
                constructor(...given) {
                    super(...given);
                    window.workers.push(this);
                }
            };
        }"""
    )
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.set_input_files("#file", EXAMPLE)
    stage_of(page, "found")
    assert sum("/v1/models/lite/" in url for url in fetched) == 5
    page.click("#restore")
    page.evaluate("window.workers[0].dispatchEvent(new Event('error'))")  # as without memory
    stage_of(page, "failed")
    assert "This device could not do it" in page.inner_text("#status")
    fetched.clear()
    page.click("#restore")
    stage_of(page, "restored")
    assert page.evaluate("window.workers.length") == 2
    assert not any("/v1/models/" in url for url in fetched)


@needs_runtime
def test_a_painted_mask_and_a_model_without_a_prior(on_device, model, restorer, photo):
    """The stand-in model is painted by hand, so what must come out is known to the pixel."""
    with running(create_app(Settings(model, 1, runtime=RUNTIME))) as server:
        page = on_device(server.url)
        page.set_input_files("#file", photo)
        stage_of(page, "found")
        assert page.is_hidden("#detail-row")
        before = read_image(photo).photo
        found = restorer.restore(before)
        dab(page, 180, 200)
        page.click("#restore")
        stage_of(page, "restored")
        out = downloaded(page)
        changed = (out != before).any(axis=-1)
        assert changed[200, 180]
        assert not found.invented[200, 180]
        mask = found.invented | changed
        agrees(out, before, restorer.restore(before, mask))


@needs_runtime
def test_one_aligned_face(on_device, shipped, library, tmp_path):
    """Nobody to be found in it, dark, noisy, and larger than a face's frame."""
    square = np.random.default_rng(1).integers(40, 52, (300, 300, 3), np.uint8)
    square[150:230, 90:210] = 0
    path = tmp_path / "square.png"
    path.write_bytes(encode(square, "PNG"))
    page = on_device(shipped)
    page.set_input_files("#file", path)
    stage_of(page, "failed")
    assert "No face was found" in page.inner_text("#status")
    page.check("#aligned")
    stage_of(page, "found")
    expected = library.restore(square, aligned=True)
    assert expected.invented.any()
    page.click("#restore")
    stage_of(page, "restored")
    agrees(downloaded(page), square, expected)


@needs_runtime
def test_the_file_says_what_it_is_and_keeps_its_colours(on_device, shipped, library, tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "profile.png"
    Image.open(EXAMPLE).convert("RGB").save(path, icc_profile=profile)
    page = on_device(shipped)
    restored(page, path)
    with page.expect_download() as got:
        page.click("#download")
    with Image.open(got.value.path()) as file:
        assert file.info["icc_profile"] == profile
        assert "invented by unveil" in file.info["Disclaimer"]
        assert library.model.weights.fingerprint in file.info["Disclaimer"]
        assert "compositeWithTrainedAlgorithmicMedia" in file.info["XML:com.adobe.xmp"]


@needs_runtime
def test_what_it_cannot_do_is_told_in_words(on_device, shipped, tmp_path):
    page = on_device(shipped)
    glass = np.full((200, 200, 4), 128, np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(glass).save(buffer, "PNG")
    path = tmp_path / "glass.png"
    path.write_bytes(buffer.getvalue())
    page.set_input_files("#file", path)
    stage_of(page, "failed")
    assert "partly transparent" in page.inner_text("#status")


@needs_runtime
@pytest.mark.parametrize("most", [1, 2])
def test_faces_that_were_passed_over_are_told_of(on_device, pair, most):
    with running(create_app(Settings("lite", 1, Limits(faces=most), runtime=RUNTIME))) as server:
        page = on_device(server.url)
        restored(page, pair)
        said = "Only the 1 largest faces were looked at" in page.inner_text("#status")
        assert said == (most == 1)


@needs_runtime
def test_the_choice_is_remembered_and_said(on_device, shipped):
    page = on_device(shipped)
    assert "never leave this browser" in page.inner_text("#privacy")
    page.reload()
    page.wait_for_selector("#where:not([hidden])")
    assert page.get_attribute("#on-device", "aria-pressed") == "true"
    assert "never leave this browser" in page.inner_text("#privacy")
    page.click("#on-server")
    assert "stay on this machine" in page.inner_text("#privacy")
    page.reload()
    assert page.get_attribute("#on-server", "aria-pressed") == "true"


def test_without_the_runtime_the_server_works_and_that_is_said(browser, model, tmp_path):
    one = photos.scene(photos.TWO[0])[0]
    path = tmp_path / "one.png"
    path.write_bytes(encode(one, "PNG"))
    with running(create_app(Settings(model, 1, runtime=tmp_path / "nowhere"))) as server:
        page = browser.new_page(reduced_motion="reduce")
        page.set_default_timeout(MILLISECONDS)
        page.goto(server.url)
        page.evaluate("localStorage.setItem('unveil-place', 'device')")  # chosen before
        page.reload()
        page.wait_for_selector("#error:not([hidden])")
        assert "Photos now go to the server" in page.inner_text("#error")
        assert page.is_hidden("#where")
        with page.expect_response("**/v1/segment"):
            page.set_input_files("#file", path)
        stage_of(page, "found")
        page.close()
