"""What a browser needs to run the networks: the models' files, and onnxruntime's own."""

import pytest
from fastapi.testclient import TestClient
from stand_in import make_stand_in

from unveil.runtime.detector import WEIGHTS as DETECTOR
from unveil.runtime.weights import find_weights
from unveil.server.app import Settings, create_app
from unveil.server.page import GPU_FILES, RUNTIME_FILES


@pytest.fixture
def lite(tmp_path):
    """A server over the shipped default, with a runtime that is none but has its names."""
    for name in RUNTIME_FILES:
        (tmp_path / name).write_bytes(name.encode())
    settings = Settings("lite", 1, token="t0ken", hosts=["testserver"], runtime=tmp_path)
    return TestClient(create_app(settings))


TOKEN = {"Authorization": "Bearer t0ken"}


@pytest.mark.parametrize(
    ("role", "owner"),
    [
        ("face", "lite"),
        ("prior", "lite"),
        ("mask", "segmenter"),
        ("align", "aligner"),
        ("detector", DETECTOR),
    ],
)
def test_each_file_of_a_model_or_the_one_that_it_shares(lite, role, owner):
    file = find_weights(owner).file(role)
    answer = lite.get(f"/v1/models/lite/{role}", headers=TOKEN)
    assert answer.content == file.path.read_bytes()
    assert answer.headers["content-type"] == "application/octet-stream"
    again = {**TOKEN, "If-None-Match": answer.headers["etag"]}
    answer = lite.get(f"/v1/models/lite/{role}", headers=again)
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["lite/nothing", "nobody/face", "paper/prior", "segmenter/mask", "..%2Flite/face"]
)
def test_what_is_not_there_is_not_found(lite, path):
    answer = lite.get(f"/v1/models/{path}", headers=TOKEN)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


def test_weights_are_for_those_with_the_token(lite):
    assert lite.get("/v1/models/lite/face").status_code == 401


def test_a_damaged_file_is_a_problem_in_words(tmp_path):
    mine = make_stand_in(tmp_path, "mine")
    (tmp_path / "mine-face.onnx").write_bytes(b"damaged")
    client = TestClient(create_app(Settings(mine, 1, hosts=["testserver"])))
    answer = client.get("/v1/models/mine/face")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/internal"


def test_the_runtime_is_served_with_its_types_where_it_is(lite, model, tmp_path):
    kinds = ("text/javascript", "text/javascript", "application/wasm")
    for name, kind in zip(RUNTIME_FILES, kinds, strict=True):
        answer = lite.get(f"/ort/{name}")
        assert answer.content == name.encode()
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert lite.get("/v1/models", headers=TOKEN).json()["in_browser"] is True

    # The files for a graphics card are more; without one of them, there are none.
    assert lite.get("/v1/models", headers=TOKEN).json()["webgpu"] is False
    settings = Settings(model, 1, hosts=["testserver"], runtime=tmp_path)
    for name in GPU_FILES:
        (tmp_path / name).write_bytes(name.encode())
    both = TestClient(create_app(settings))
    assert both.get("/v1/models").json()["webgpu"] is True
    for name, kind in zip(GPU_FILES, kinds, strict=True):
        answer = both.get(f"/ort/{name}")
        assert answer.content == name.encode()
        assert answer.headers["content-type"].startswith(kind)
    (tmp_path / GPU_FILES[1]).unlink()
    some = TestClient(create_app(settings))
    told = some.get("/v1/models").json()
    assert (told["in_browser"], told["webgpu"]) == (True, False)
    assert some.get(f"/ort/{GPU_FILES[0]}").status_code == 404
    assert some.get(f"/ort/{RUNTIME_FILES[0]}").status_code == 200

    (tmp_path / RUNTIME_FILES[0]).unlink()  # a part is as good as none
    without = TestClient(create_app(settings))
    assert without.get("/v1/models").json()["in_browser"] is False
    assert without.get(f"/ort/{RUNTIME_FILES[1]}").status_code == 404
