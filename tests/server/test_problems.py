"""Whatever is wrong is said as a problem: the right status, a type, words, and no traceback."""

import asyncio
import io
import json

import numpy as np
import photos
import pytest
from drawn import draw_face
from fastapi.testclient import TestClient
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.PngImagePlugin import PngImageFile
from serving import until

from unveil.errors import UnveilError, UsageError, WeightsError
from unveil.files import encode
from unveil.restorer import Restorer
from unveil.server.app import Settings, create_app
from unveil.server.options import RestoreOptions, choose_format, parse_options
from unveil.server.problems import KINDS, Problem, from_error

PHOTO = encode(photos.scene(*photos.TWO)[0], "PNG")
FACE = encode(draw_face(1), "PNG")
NOBODY = encode(np.full((90, 120, 3), 90, np.uint8), "PNG")
SMALL_MASK = encode(np.zeros((8, 8), np.uint8), "PNG")


def animated() -> bytes:
    frames = [Image.fromarray(np.full((30, 30, 3), v, np.uint8)) for v in (0, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def check(answer, name: str, says: str) -> dict:
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{name}"
    assert answer.status_code == problem["status"] == KINDS[name].status
    assert problem["title"] == KINDS[name].title
    assert says in problem["detail"]
    assert "--" not in problem["detail"]  # the command line's words
    assert "Traceback" not in answer.text
    assert "site-packages" not in answer.text
    return problem


@pytest.mark.parametrize(
    ("files", "data", "name", "says"),
    [
        ({"photo": b"hello"}, {}, "not-an-image", "not an image"),
        ({"photo": PHOTO[:4000]}, {}, "not-an-image", "cut off"),
        ({"photo": animated()}, {}, "not-an-image", "animated"),
        ({"photo": b""}, {}, "bad-form", "empty"),
        ({"mask": SMALL_MASK}, {}, "bad-form", "no file 'photo'"),
        ({"mask": SMALL_MASK}, {"photo": "a.jpg"}, "bad-form", "`photo` must be sent as a file"),
        ({"photo": PHOTO}, {"mask": "a.png"}, "bad-form", "`mask` must be sent as a file"),
        ({"mask": SMALL_MASK}, {"photo": "x" * 2000}, "bad-form", "(with a filename)"),
        ({"photo": FACE, "other": FACE}, {}, "bad-form", "no file 'other'"),
        ({"photo": NOBODY}, {}, "no-face", "no face"),
        ({"photo": PHOTO}, {"aligned": "true"}, "not-aligned", "900x420"),
        ({"photo": PHOTO, "mask": SMALL_MASK}, {}, "bad-mask", "8x8"),
        ({"photo": PHOTO, "mask": b"x"}, {}, "not-an-image", "the mask"),
        ({"photo": PHOTO}, {"model": "../../etc/passwd"}, "bad-option", "there is no"),
        ({"photo": PHOTO}, {"faces": "0"}, "bad-option", "faces"),
        ({"photo": PHOTO}, {"detail": "nan"}, "bad-option", "detail"),
        ({"photo": PHOTO}, {"detail": "1.5"}, "bad-option", "detail"),
        ({"photo": PHOTO}, {"samples": "9", "format": "json"}, "bad-option", "at most 8"),
        ({"photo": PHOTO}, {"samples": "2"}, "bad-option", "format=json"),
        ({"photo": PHOTO}, {"samples": "1"}, "bad-option", "one result only"),
        ({"photo": PHOTO}, {"url": "http://example.org/a.png"}, "bad-option", "url"),
        ({"photo": PHOTO}, {"format": "exe"}, "bad-option", "format"),
    ],
)
def test_wrong_requests(client, files, data, name, says):
    answer = client.post("/v1/restore", files={k: ("x", v) for k, v in files.items()}, data=data)
    problem = check(answer, name, says)
    if name == "bad-option":
        (error,) = problem["errors"]
        assert error["field"] == next(iter(data))
        assert problem["detail"] == f"{error['field']}: {error['detail']}"


@pytest.mark.parametrize("verb", ["restore", "segment"])
def test_a_format_that_cannot_hold_the_picture(client, monkeypatch, verb):
    monkeypatch.setattr("unveil.files.LONGEST", {"WEBP": 800})
    form = {"files": {"photo": ("x", PHOTO)}, "data": {"format": "webp"}}
    problem = check(client.post(f"/v1/{verb}", **form), "bad-option", "format: cannot be written")
    assert [error["field"] for error in problem["errors"]] == ["format"]


@pytest.mark.parametrize("path", ["/v1/restore", "/v1/segment", "/v1/video"])
@pytest.mark.parametrize(("query", "field"), [("format=jpeg", "format"), ("x", "x"), ("&", "")])
def test_options_in_the_address_are_not_passed_over(client, path, query, field):
    answer = client.post(f"{path}?{query}", files={"photo": PHOTO})
    problem = check(answer, "bad-option", "belongs in the form, not in the address")
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/plain", ""])
def test_other_bodies(client, kind):
    headers = {"Content-Type": kind} if kind else {}
    check(client.post("/v1/restore", content=b"{}", headers=headers), "bad-form", "multipart")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "cut off"),
        (b"--b\r\nContent-Disposition: form-data; name=photo; filename=x\r\n\r\nabc", "cut off"),
        (b"garbage", "damaged"),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--b--\r\n", "no name"),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 2 + b"--b--\r\n",
            "more than one",
        ),
        (
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % i
                for i in range(40)
            ),
            "over 32 parts",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"1" * 2000 + b"\r\n--b--",
            "over 1000 bytes",
        ),
    ],
)
def test_damaged_forms(client, body, says):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    check(client.post("/v1/restore", content=body, headers=headers), "bad-form", says)


def test_a_file_whose_name_is_encoded_is_one(client):
    head = (
        b"--b\r\nContent-Disposition: form-data; name=\"photo\"; filename*=UTF-8''a%20b.png\r\n\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    body = head + PHOTO + b"\r\n--b--\r\n"
    assert client.post("/v1/restore", content=body, headers=headers).status_code == 200


def test_an_optional_file_that_a_plain_form_leaves_empty_is_left_out(client):
    body = b""
    for name, data in ((b"photo", PHOTO), (b"mask", b"")):
        told = b'form-data; name="' + name + b'"; filename=""'
        body += b"--b\r\nContent-Disposition: " + told + b"\r\n\r\n" + data + b"\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.post("/v1/restore", content=body + b"--b--\r\n", headers=headers)
    assert answer.content == client.post("/v1/restore", files={"photo": PHOTO}).content


def test_addresses_and_methods(client):
    check(client.get("/v1/nothing"), "not-found", "nothing at this address")
    check(client.get("/v1/restore"), "wrong-method", "GET")
    check(client.post("/v1/models"), "wrong-method", "POST")
    answer = client.post("/v1/segment", files={"photo": PHOTO}, headers={"Accept": "text/html"})
    check(answer, "wrong-type", "text/html")


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/ort/../app.py", "/./app.js", "//etc/passwd"]
)
def test_no_path_leads_out(client, path):
    """As it is sent: clients resolve dots before they send anything."""
    sent = []

    async def receive() -> dict:
        return {"type": "http.request"}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
    headers = [(b"host", b"testserver")]
    asyncio.run(client.app(scope | {"headers": headers, "query_string": b""}, receive, send))
    assert sent[0]["status"] == 404
    told = json.loads(b"".join(each.get("body", b"") for each in sent))
    assert (told["type"], told["detail"]) == (
        "/problems/not-found",
        "there is nothing at this address",
    )


def test_every_problem_is_explained_at_its_address(client):
    for name, kind in KINDS.items():
        assert kind.advice in client.get(f"/problems/{name}").text
    check(client.get("/problems/unheard-of"), "not-found", "no such kind")


def test_a_mistake_of_ours_is_logged_but_not_told(model, caplog):
    class Broken:
        def find(self, *_, **__):
            raise KeyError("/secret/path")

        restore = find

    app = create_app(Settings(model, 1, hosts=["testserver"]), lambda name: Broken())
    with TestClient(app) as client:
        answer = client.post("/v1/restore", files={"photo": PHOTO})
        check(answer, "internal", "could not be done")
        assert "secret" not in answer.text
        assert "KeyError" in caplog.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert 'unveil_problems_total{kind="internal"} 1.0' in client.get("/metrics").text
        check(client.get("/readyz"), "not-ready", "could not be loaded")


def test_a_server_whose_model_is_loaded_at_the_second_try_is_ready(model):
    tries = []

    def load(name):
        tries.append(name)
        if len(tries) == 1:
            raise MemoryError
        return Restorer(name, 1)

    with TestClient(create_app(Settings(model, 1, hosts=["testserver"]), load)) as client:
        assert until(lambda: "could not be loaded" in client.get("/readyz").text)
        assert client.post("/v1/restore", files={"photo": PHOTO}).status_code != 500
        assert client.get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize("name", ["photo", "mask"])
def test_a_picture_that_the_memory_does_not_hold(client, monkeypatch, name):
    def none_left(self):
        raise MemoryError

    monkeypatch.setattr(PngImageFile if name == "photo" else BmpImageFile, "load", none_left)
    files = {"photo": ("a.png", PHOTO), "mask": ("m.bmp", encode(np.zeros((8, 8)) > 0, "BMP"))}
    check(client.post("/v1/restore", files=files), "too-large", "the memory of this machine")


def test_weights_that_are_damaged_tell_no_path():
    problem = from_error(WeightsError("/home/me/paper.onnx is damaged"))
    assert problem.name == "internal"
    assert "/home" not in problem.detail
    assert from_error(UnveilError("x")).status == 500


def test_a_wrong_setting_of_no_field_is_one_of_the_form():
    assert from_error(UsageError("too much")).body()["errors"] == [
        {"field": "", "detail": "too much"}
    ]


def test_options_and_forms_by_themselves():
    options = parse_options(RestoreOptions, {"detail": "0.25", "overlay": "1", "seed": ""})
    assert (options.detail, options.overlay, options.seed) == (0.25, True, 0)
    assert choose_format(None, None) == "png"
    assert choose_format(None, "application/json;q=0.2, image/jpeg;q=0.9") == "jpeg"
    # What is said of a type holds before what is said of all, wherever it stands.
    assert choose_format(None, "image/png;q=0, image/*") == "jpeg"
    assert choose_format(None, "*/*, image/png;q=0.5, image/jpeg;q=0") == "webp"
    assert choose_format(None, "image/*;q=0, */*;q=0.1") == "json"
    assert choose_format(None, "image/png;q=nan, */*;q=0.1") == "jpeg"
    assert choose_format(None, "image/webp;q=0.5, image/jpeg;q=0.5") == "webp"
    with pytest.raises(Problem):
        choose_format(None, "image/png;q=0")
    with pytest.raises(Problem):
        choose_format(None, "image/png;q=no")
