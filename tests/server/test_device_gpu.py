"""On the visitor's graphics card: only where there is one, it is right, and lives."""

import hashlib
import json

import numpy as np
import onnx
import photos
import pytest
from browser import CHROMIUM, MARKS, MILLISECONDS, downloaded, stage_of
from drawn import draw_face
from onnx import helper
from serving import running
from stand_in import constant, make_stand_in
from test_device import RUNTIME, agrees

from unveil.files import encode, read_image
from unveil.restorer import Restorer
from unveil.server.app import Settings, create_app
from unveil.server.page import GPU_FILES, RUNTIME_FILES

BUILT = all((RUNTIME / name).is_file() for name in RUNTIME_FILES + GPU_FILES)
pytestmark = [
    *MARKS,
    pytest.mark.skipif(
        not BUILT, reason="no runtime for the browser: cd web && npm ci && npm run runtime"
    ),
]
# A graphics card in software: right, but of no use to anybody else.
IN_SOFTWARE = [
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
]
SOFTWARE_MILLISECONDS = 300_000
# The page takes this for a card.
CLAIMED = """Object.defineProperty(navigator, "gpu", { value: {
    requestAdapter: async () => ({ info: { isFallbackAdapter: false } }) } });"""
# In place of the worker: what a card does, by its name in `scenario`; without one, the real worker.
WORKER = """
const scenario = "%s";
const answer = {
    wrong: () => self.postMessage({ kind: "failed", words: "its answers differ by 1e-1" }),
    silent: () => self.postMessage({ kind: "trying" }),
    lost: () => self.postMessage({ kind: "ready" }),
    broken: () => setTimeout(() => { throw new Error("no such thing"); }),
};
self.onmessage = async (event) => {
    const { kind, on, id } = event.data;
    if (kind === "open" && on === "webgpu") answer[scenario]();
    else if (kind === "job") {
        self.postMessage({ kind: "refused", id, name: "failed", words: "device lost" });
    } else {
        await import("./device.js?real");
        self.onmessage(event);
    }
};
"""


@pytest.fixture(scope="module")
def url(model):
    with running(create_app(Settings(model, 1, runtime=RUNTIME))) as server:
        yield server.url


@pytest.fixture
def one(tmp_path):
    path = tmp_path / "one.png"
    path.write_bytes(encode(photos.scene(photos.TWO[0], size=(320, 320))[0], "PNG"))
    return path


def opened(browser, url, query="", script=None, worker=None, timeout=MILLISECONDS):
    """A page on the visitor's device, and the addresses that it asks for."""
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(timeout)
    if script:
        context.add_init_script(script)
    if worker:
        context.route(
            "**/device.js",
            lambda route: route.fulfill(
                content_type="text/javascript",
                headers={"Cross-Origin-Embedder-Policy": "require-corp"},
                body=WORKER % worker,
            ),
        )
    asked = []
    context.on("request", lambda request: asked.append((request.method, request.url)))
    page = context.new_page()
    page.goto(url + query)
    page.click("#on-device")
    return page, asked


def restored_here(page, asked, path, restorer: Restorer) -> str:
    """What the page says it runs on; the answer must be the library's and nothing sent."""
    page.set_input_files("#file", path)
    stage_of(page, "found")
    page.click("#restore")
    stage_of(page, "restored")
    before = read_image(path).photo
    expected = restorer.restore(before)
    assert expected.invented.sum() > 500
    agrees(downloaded(page), before, expected)
    assert {method for method, _ in asked} == {"GET"}
    return page.inner_text("#privacy").partition("They run here: ")[2]


def test_without_a_card_the_processor_does_it_in_silence(browser, url, one, restorer):
    page, asked = opened(browser, url)
    assert restored_here(page, asked, one, restorer) == "CPU."
    assert not [address for _, address in asked if "jspi" in address]
    page.context.close()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "this browser gives no graphics card"),
        ("Object.defineProperty(navigator, 'gpu', { value: undefined });", "cannot do it"),
        ("delete WebAssembly.Suspending;" + CLAIMED, "cannot do it"),
        (
            "Object.defineProperty(navigator, 'gpu', { value: {"
            "requestAdapter: async () => { throw new Error(); } } });",
            "gives no graphics card",
        ),
    ],
    ids=["no adapter", "no WebGPU", "no JSPI", "an error"],
)
def test_who_asks_for_a_card_hears_why_there_is_none(browser, url, one, restorer, script, words):
    page, asked = opened(browser, url, "?device=webgpu", script)
    said = restored_here(page, asked, one, restorer)
    assert said.startswith("CPU. Not WebGPU: ")
    assert words in said
    page.context.close()


def test_a_card_in_software_is_not_tried(browser, url, one, restorer):
    page, asked = opened(browser, url, script=CLAIMED.replace("false", "true"))
    assert restored_here(page, asked, one, restorer) == "CPU."
    assert not [address for _, address in asked if "jspi" in address]
    page.context.close()


@pytest.mark.parametrize("worker", ["wrong", "silent", "lost", "broken", None])
def test_a_card_that_fails_leaves_the_processors_answer(browser, url, one, restorer, worker):
    """Wrong, without an answer, lost in the middle of a photo, broken; or claimed and not there."""
    page, asked = opened(browser, url, script=CLAIMED, worker=worker)
    assert restored_here(page, asked, one, restorer) == "CPU."
    assert page.is_hidden("#error")
    page.context.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> str:
    """The stand-in model with a face network of the shipped ones' kinds of layers."""
    folder = tmp_path_factory.mktemp("small")
    name = make_stand_in(folder)
    rng = np.random.default_rng(0)

    def weights(label: str, *shape: int) -> onnx.TensorProto:
        return constant(label, rng.normal(0, 0.1, int(np.prod(shape))).tolist(), list(shape))

    # Convolutions only where there are few places: each takes a millisecond in software.
    nodes = [
        helper.make_node("Concat", ["face", "mask"], ["both"], axis=1),
        helper.make_node("Conv", ["both", "down"], ["a"], strides=[8, 8]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "each"], ["c"], group=8, pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["b", "c"], ["d"]),
        helper.make_node("Conv", ["d", "up"], ["e"]),
        helper.make_node("DepthToSpace", ["e"], ["f"], blocksize=8),
        helper.make_node("Tanh", ["f"], ["restored"]),
    ]
    constants = [
        weights("down", 8, 4, 8, 8),
        weights("each", 8, 1, 3, 3),
        weights("up", 192, 8, 1, 1),
    ]
    path = folder / "stand-in-face.onnx"
    model = onnx.load(path)
    shape = ["batch", 1, 256, 256]
    mask = helper.make_tensor_value_info("mask", onnx.TensorProto.FLOAT, shape)
    inputs = [*model.graph.input, mask]
    graph = helper.make_graph(nodes, "small", inputs, model.graph.output, constants)
    model.graph.CopyFrom(graph)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    # The stand-in's mask, but for its maximum over the colours, which takes 40 seconds in software.
    path = folder / "stand-in-mask.onnx"
    model = onnx.load(path)
    brightest = [
        helper.make_node("Split", ["face"], ["r", "g", "b"], axis=1),
        helper.make_node("Max", ["r", "g", "b"], ["brightest"]),
    ]
    rest = list(model.graph.node)[1:]
    del model.graph.node[:]
    model.graph.node.extend([*brightest, *rest])
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    manifest = next(folder.glob("*.json"))
    told = json.loads(manifest.read_text(encoding="utf-8"))
    for entry in told["models"][0]["files"]:
        data = (folder / entry["file"]).read_bytes()
        entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    manifest.write_text(json.dumps(told), encoding="utf-8")
    return name


def blind_detector() -> bytes:
    """Finds nobody, at once: the real one takes minutes in software."""
    names = {"loc": 4, "conf": 2, "landmarks": 10}
    nodes = [
        helper.make_node("Slice", ["input", "begin", "end"], ["corner"]),
        helper.make_node("Reshape", ["corner", "three"], ["one"]),
        helper.make_node("Mul", ["one", "zero"], ["nothing"]),
    ]
    nodes += [helper.make_node("Add", ["nothing", f"no {n}"], [n]) for n in names]
    shapes = {name: [1, 20_000, width] for name, width in names.items()}
    constants = [constant("zero", [0.0], [])]
    for name, values in {"begin": [0] * 4, "end": [1] * 4, "three": [1] * 3}.items():
        kind = onnx.TensorProto.INT64
        constants.append(helper.make_tensor(name, kind, [len(values)], values))
    constants += [
        constant(f"no {name}", [0.0] * int(np.prod(shape)), shape) for name, shape in shapes.items()
    ]
    of = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "blind",
        [of("input", onnx.TensorProto.FLOAT, [1, 3, "height", "width"])],
        [of(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        constants,
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def test_a_real_card_in_software_gives_the_librarys_answer(tools, small, tmp_path):
    face = np.clip(draw_face(1, 256), 8, 255).astype(np.uint8)
    face[150:215, 90:170] = 0
    path = tmp_path / "face.png"
    path.write_bytes(encode(face, "PNG"))
    expected = Restorer(small, 1).restore(face, aligned=True)
    inside = expected.photo[expected.invented]
    assert inside.std() > 10  # there is something to get wrong
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *IN_SOFTWARE])
    try:
        with running(create_app(Settings(small, 1, runtime=RUNTIME))) as server:
            page, asked = opened(
                browser, server.url, "?device=webgpu", timeout=SOFTWARE_MILLISECONDS
            )
            there = "navigator.gpu?.requestAdapter().then((card) => card !== null) ?? false"
            if not page.evaluate(there):
                pytest.skip("this chromium has no WebGPU in software (SwiftShader)")
            page.route("**/detector", lambda route: route.fulfill(body=blind_detector()))
            page.set_input_files("#file", path)
            stage_of(page, "failed")
            page.check("#aligned")
            stage_of(page, "found")
            page.click("#restore")
            stage_of(page, "restored")
            agrees(downloaded(page), face, expected)
            assert page.inner_text("#privacy").endswith("They run here: WebGPU.")
            assert {method for method, _ in asked} == {"GET"}
            assert [address for _, address in asked if address.endswith("jspi.wasm")]
    finally:
        browser.close()
