"""What the page's own PNG files say of themselves, whatever the model is called."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from port import ESBUILD, NODE, Port

pytestmark = pytest.mark.skipif(
    not NODE or not ESBUILD.exists(), reason="no node, or nothing built: cd web && npm ci"
)
MORE = """
import { encode } from "./src/device/png";

export const file = async (picture, disclosure) =>
  new Uint8Array(await (await encode(picture, null, disclosure)).arrayBuffer());
"""


@pytest.mark.parametrize("model", ["lite:1a2b", "köpfe & <Hüte>:1a2b", "顔:1a2b"])
def test_the_models_name_is_told_as_it_is(tmp_path, model):
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    said = {"version": "1.0", "model": model, "invented": 0.123, "faces": 1}
    (data,) = Port(tmp_path, more=MORE).call(["file", picture, said])
    with Image.open(io.BytesIO(data.tobytes())) as image:
        assert np.array_equal(np.asarray(image), picture)
        assert image.info["Software"] == "unveil 1.0"
        assert f"model {model}." in image.info["Disclaimer"]
        packet = ElementTree.fromstring(image.info["XML:com.adobe.xmp"])
    assert f"model {model}." in "".join(packet.itertext())
