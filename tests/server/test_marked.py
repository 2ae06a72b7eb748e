"""The download with what is invented tinted: the page's own code, against Pillow."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from port import ESBUILD, NODE, WEB, Port, off_by

from unveil.files import encode, read_image
from unveil.imaging import Photo
from unveil.metadata import Disclosure
from unveil.output import TINT

pytestmark = pytest.mark.skipif(
    not NODE or not ESBUILD.exists(), reason="no node, or nothing built: cd web && npm ci"
)
MORE = f"""
import {{ marked }} from "{WEB}/src/marked";
export const mark = async (file: Uint8Array, invented: any) =>
    new Uint8Array(await (await marked(new Blob([file]), invented)).arrayBuffer());
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Port:
    return Port(tmp_path_factory.mktemp("marked"), more=MORE)


def profile(colours: str) -> bytes:
    """sRGB's; or one that says that it is for greys, which is all that anybody looks at here."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made if colours == "RGB " else made[:16] + colours.encode() + made[20:]


def photo_of(mode: str) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (40, 50, 4), dtype=np.uint8)
    image = Image.fromarray(values).convert("RGB")
    image = image.convert("L") if mode in ("L", "LA") else image
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(values[..., 3]))
    return image


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_the_same_file_with_other_pixels(port, mode):
    colours = "GRAY" if mode in ("L", "LA") else "RGB "
    buffer = io.BytesIO()
    photo_of(mode).save(buffer, "PNG", icc_profile=profile(colours), dpi=(300, 300))
    source = read_image(io.BytesIO(buffer.getvalue()))
    invented = np.zeros(source.photo.shape[:2], bool)
    invented[5:25, 10:40] = True
    plain = encode(source.photo, "PNG", source, Disclosure("lite:1", invented.mean(), 1))
    [made] = port.call(["mark", np.frombuffer(plain, np.uint8), invented])

    def opened(file: bytes) -> tuple[Photo, PngImagePlugin.PngImageFile]:
        image = Image.open(io.BytesIO(file))
        image.load()
        return np.asarray(image), image

    before, known = opened(plain)
    after, said = opened(made.tobytes())
    assert known.mode == mode
    colour = before if colours == "RGB " else np.asarray(known.convert(f"RGB{mode[1:]}"))
    expected = colour.copy()
    expected[invented, :3] = np.rint((colour[invented, :3] + np.array(TINT, float)) / 2)
    assert off_by(after, expected) == (0, 0)
    # All that the file says stays, but for a profile that is for greys only.
    assert "Part of 1 face" in said.info["Disclaimer"]
    kept = {k: v for k, v in known.info.items() if k != "icc_profile" or colours == "RGB "}
    assert {**said.info} == kept
    assert said.getexif() == known.getexif()


def with_palette() -> np.ndarray:
    buffer = io.BytesIO()
    photo_of("RGB").convert("P").save(buffer, "PNG")
    return np.frombuffer(buffer.getvalue(), np.uint8)


def test_where_nothing_is_invented_the_file_stays(port):
    """It is the visitor's own then, of whatever kind."""
    given = with_palette()
    [made] = port.call(["mark", given, np.zeros((40, 50), bool)])
    assert np.array_equal(made, given)


def test_another_kind_of_png_is_told(port):
    given = with_palette()
    with pytest.raises(Exception, match="returned non-zero"):
        port.call(["mark", given, np.ones((40, 50), bool)])
