"""Pictures are decoded upright in the browser, as the library decodes them."""

import base64
import io

import numpy as np
import pytest
from browser import MARKS, MILLISECONDS, dab, downloaded, stage_of
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from port import ESBUILD, NODE, for_browser

from unveil.files import read_image
from unveil.imaging import grow
from unveil.restorer import Restorer

pytestmark = [
    *MARKS,
    pytest.mark.skipif(not NODE or not ESBUILD.exists(), reason="nothing built: cd web && npm ci"),
]
ORIENTATION = 0x0112
DECODE = """async ([data, type]) => {
    const file = new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type });
    const { width, height } = await port.upright(file);
    const bitmap = await port.upright(file, { premultiplyAlpha: "none" });
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return [height, width, [...context.getImageData(0, 0, width, height).data]];
}"""


def turned(kind: str, orientation: int, photo: np.ndarray, before: bytes = b"") -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, kind, exif=before + exif.tobytes(), **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def decode(browser):
    page = browser.new_page()
    page.set_default_timeout(MILLISECONDS)
    page.add_script_tag(content=for_browser("device/upright"))

    def run(data: bytes, kind: str) -> np.ndarray:
        text = base64.b64encode(data).decode()
        height, width, values = page.evaluate(DECODE, [text, f"image/{kind.lower()}"])
        return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]

    yield run
    page.close()


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_every_orientation(decode, kind):
    photo = np.random.default_rng(1).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    shapes = set()
    for orientation in range(10):  # some of them there are not
        data = turned(kind, orientation, photo)
        expected = read_image(io.BytesIO(data)).photo
        assert np.array_equal(decode(data, kind), expected), orientation
        shapes.add(expected.shape)
    assert len(shapes) == 2


def test_exif_of_other_writers_and_what_is_damaged(decode):
    photo = np.random.default_rng(2).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    whole = turned("WEBP", 6, photo)
    at = whole.index(b"EXIF") + 8
    big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "WEBP", lossless=True, exif=big)
    for data in (turned("WEBP", 6, photo, before=b"Exif\0\0"), buffer.getvalue()):
        expected = read_image(io.BytesIO(data)).photo
        assert expected.shape == (31, 20, 3)
        assert np.array_equal(decode(data, "WEBP"), expected)
    for spoilt in (b"\0", b"\xff", b"II*\0"):
        damaged = whole[:at] + (spoilt * len(whole))[: len(whole) - at]
        assert np.array_equal(decode(damaged, "WEBP"), photo)


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{}"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "JPEG"])
def test_xmp_turns_what_exif_leaves_alone(decode, kind):
    photo = np.full((20, 31, 3), 40, np.uint8)
    photo[:8, :9], photo[12:, :9] = (230, 60, 20), (20, 70, 220)  # a JPEG is hardly off
    exif, bare = Image.Exif(), Image.Exif()
    exif[ORIENTATION], bare[0x010F] = 1, "Camera"
    shapes = []
    for orientation in (3, 6):
        for told in (b"", bare.tobytes(), exif.tobytes()):
            xmp = XMP.format(orientation)
            options: dict = {"xmp": xmp.encode(), "exif": told, "quality": 100}
            if kind == "PNG":
                words = PngInfo()
                words.add_itxt("XML:com.adobe.xmp", xmp)
                options = {"pnginfo": words, "exif": told}
            buffer = io.BytesIO()
            Image.fromarray(photo).save(buffer, kind, **options)
            expected = read_image(io.BytesIO(buffer.getvalue())).photo
            made = decode(buffer.getvalue(), kind)
            assert made.shape == expected.shape, (orientation, told)
            assert np.abs(made.astype(int) - expected).mean() < 3, (orientation, told)
            shapes.append(expected.shape[0])
    assert shapes == [20, 20, 20, 31, 31, 20]


def test_a_mask_painted_on_a_turned_webp(open_page, photo, tmp_path, restorer: Restorer):
    """Page and server mean the same pixels."""
    upright = read_image(photo).photo
    path = tmp_path / "turned.webp"
    path.write_bytes(turned("WEBP", 6, np.ascontiguousarray(np.rot90(upright))))
    assert np.array_equal(read_image(path).photo, upright)
    page = open_page()
    page.set_input_files("#file", path)
    stage_of(page, "found")
    dab(page, 180, 200)
    page.click("#restore")
    stage_of(page, "restored")
    changed = (downloaded(page) != upright).any(2)
    assert changed[200, 180]
    expected = restorer.find(upright)
    assert not (changed[:, 450:] & ~grow(expected, 1)[:, 450:]).any()
