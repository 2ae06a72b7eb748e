"""The API answers what the library gives, in every form."""

import base64
import io
from urllib.parse import unquote

import numpy as np
import photos
import pytest
from drawn import draw_face
from fastapi.testclient import TestClient
from PIL import Image
from stand_in import make_stand_in

from unveil.files import encode, read_image
from unveil.output import TINT
from unveil.restorer import Restorer
from unveil.runtime.model import Manner
from unveil.server.app import Settings, create_app


def pixels(data: bytes) -> np.ndarray:
    return read_image(io.BytesIO(data)).photo


def picture(image: dict) -> np.ndarray:
    assert image["type"] == "image/png"
    return pixels(base64.b64decode(image["data"]))


def scene() -> tuple[np.ndarray, np.ndarray]:
    return photos.scene(*photos.TWO)


def form(photo: np.ndarray, mask: np.ndarray | None = None) -> dict:
    files = {"photo": ("a.png", encode(photo, "PNG"))}
    if mask is not None:
        files["mask"] = ("m.png", encode(mask.astype(np.uint8) * 255, "PNG"))
    return files


def test_a_photo_comes_back_as_the_library_gives_it(client, restorer):
    photo, _ = scene()
    answer = client.post("/v1/restore", files=form(photo))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    expected = restorer.restore(photo)
    assert np.array_equal(pixels(answer.content), expected.photo)
    assert (expected.photo != photo).any()
    assert answer.headers["unveil-model"] == expected.model
    assert answer.headers["unveil-faces"] == "2"
    assert float(answer.headers["unveil-invented"]) == pytest.approx(
        expected.invented.mean(), abs=1e-5
    )


def test_a_mask_of_ones_own(client, restorer):
    photo, hidden = scene()
    mask = hidden.copy()
    mask[:, 450:] = False
    answer = client.post("/v1/restore", files=form(photo, mask), data={"format": "json"}).json()
    expected = restorer.restore(photo, mask)
    assert np.array_equal(picture(answer["photo"]), expected.photo)
    assert np.array_equal(picture(answer["mask"])[..., 0] == 255, expected.invented)
    # The right face is as it came, though black: its mouth was not marked.
    assert np.array_equal(picture(answer["photo"])[:, 480:], photo[:, 480:])


def test_everything_as_json(client, restorer):
    photo, _ = scene()
    answer = client.post("/v1/restore", files=form(photo), data={"format": "json"}).json()
    expected = restorer.restore(photo)
    assert (answer["width"], answer["height"]) == (900, 420)
    assert np.array_equal(picture(answer["photo"]), expected.photo)
    assert np.array_equal(picture(answer["mask"])[..., 0] == 255, expected.invented)
    confidence = picture(answer["confidence"])[..., 0] / 255
    assert np.abs(confidence - expected.confidence).max() <= 0.5 / 255 + 1e-6
    assert (confidence[~expected.invented] == 1).all()
    assert len(answer["faces"]) == 2
    for said, face in zip(answer["faces"], expected.faces, strict=True):
        assert said["box"] == pytest.approx(face.box, abs=0.06)
        assert np.allclose(said["points"], face.points, atol=0.06)
        assert said["coverage"] == pytest.approx(face.coverage, abs=1e-5)
        assert said["confidence"] == pytest.approx(face.confidence, abs=1e-3)
        assert np.abs(picture(said["occluder"])[..., 0] / 255 - face.occluder).max() < 0.003


@pytest.mark.parametrize(
    ("data", "accept", "kind"),
    [
        ({"format": "webp"}, "image/png", "WEBP"),
        ({"format": "jpeg"}, "*/*", "JPEG"),
        ({}, "image/webp,image/png;q=0.5", "WEBP"),
        ({}, "text/html, image/*;q=0.5", "PNG"),
        ({}, "image/*, image/png;q=0", "JPEG"),
        ({"format": ""}, "image/jpeg", "JPEG"),
        ({}, "text/html\nimage/webp", "WEBP"),
    ],
)
def test_forms_of_pictures(client, data, accept, kind):
    headers = [("Accept", line) for line in accept.split("\n")]
    answer = client.post("/v1/restore", files=form(scene()[0]), data=data, headers=headers)
    image = Image.open(io.BytesIO(answer.content))
    assert image.format == kind
    assert answer.headers["content-type"] == f"image/{kind.lower()}"


def test_the_picture_says_that_it_is_invented(client):
    answer = client.post("/v1/restore", files=form(scene()[0]))
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    assert "Not for identification" in image.text["Disclaimer"]
    assert answer.headers["cache-control"] == "no-store"


def test_the_overlay_tints_what_is_invented_and_nothing_else(client, restorer):
    photo, _ = scene()
    answer = client.post("/v1/restore", files=form(photo), data={"overlay": "true"})
    expected = restorer.restore(photo)
    marked = pixels(answer.content)
    assert np.array_equal(marked[~expected.invented], expected.photo[~expected.invented])
    half = (expected.photo.astype(float) + np.array(TINT)) / 2
    assert np.abs(marked - half)[expected.invented].max() <= 0.5


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_the_overlay_is_seen_on_grey(client, kind):
    grey = Image.fromarray(scene()[0]).convert("L")
    profile = b"\0" * 16 + b"GRAY" + b"\0" * 108
    buffer = io.BytesIO()
    grey.save(buffer, "PNG", icc_profile=profile)
    data = {"overlay": "true", "format": kind}
    answer = client.post("/v1/restore", files={"photo": ("a.png", buffer.getvalue())}, data=data)
    image = Image.open(io.BytesIO(answer.content))
    assert image.mode == "RGB"
    assert "icc_profile" not in image.info
    red, green, blue = (np.asarray(image).astype(int)[..., i] for i in range(3))
    assert (blue - green).max() > 50  # the tint
    assert np.percentile(np.abs(blue - red), 50) <= 1


def test_an_aligned_face_of_any_size(client, restorer):
    face = draw_face(3, 300)
    face[200:240, 110:190] = 0
    answer = client.post("/v1/restore", files=form(face), data={"aligned": "true"})
    expected = restorer.restore(face, aligned=True)
    assert np.array_equal(pixels(answer.content), expected.photo)


def test_only_the_largest_face(client, restorer):
    photo, _ = scene()
    answer = client.post("/v1/restore", files=form(photo), data={"faces": "1", "format": "json"})
    assert [f["box"][0] > 400 for f in answer.json()["faces"]] == [True]
    assert np.array_equal(picture(answer.json()["photo"]), restorer.restore(photo, faces=1).photo)


def test_segment_gives_the_mask_that_restore_uses(client, restorer):
    photo, hidden = scene()
    answer = client.post("/v1/segment", files=form(photo))
    mask = pixels(answer.content)[..., 0] == 255
    assert np.array_equal(mask, restorer.find(photo))
    assert (mask & hidden).sum() > 0.98 * hidden.sum()
    said = client.post("/v1/segment", files=form(photo), data={"format": "json"}).json()
    assert np.array_equal(picture(said["mask"])[..., 0] == 255, mask)
    assert len(said["faces"]) == 2
    assert "photo" not in said


def test_a_photo_with_nothing_hidden_says_so(client):
    photo, _ = photos.scene(*photos.TWO, hide=False)
    answer = client.post("/v1/restore", files=form(photo))
    assert np.array_equal(pixels(answer.content), photo)
    assert "Nothing is hidden" in answer.headers["unveil-note"]


def test_a_mask_beside_all_faces_says_so(client):
    photo, hidden = photos.scene(*photos.TWO)
    beside, partly = np.zeros_like(hidden), hidden.copy()
    beside[:9, :9] = partly[:9, :9] = True
    said = {}
    for name, mask in (("beside", beside), ("partly", partly)):
        answer = client.post("/v1/restore", files=form(photo, mask))
        said[name] = answer.headers["unveil-note"]
    assert said["beside"] == "The mask lies in no face: the photo is as it was."
    assert said["partly"] == "A part of the mask lies in no face; it was left as it is."


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_where_nothing_is_hidden_the_whole_file_comes_back(client, kind):
    photo, _ = photos.scene(*photos.TWO, hide=False)
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, kind, quality=60, comment=b"as the camera wrote it")
    files = {"photo": ("a", buffer.getvalue())}
    for overlay in ("false", "true"):
        data = {"format": kind.lower(), "overlay": overlay}
        assert client.post("/v1/restore", files=files, data=data).content == buffer.getvalue()
    said = client.post("/v1/restore", files=files, data={"format": "json"}).json()["photo"]
    assert (base64.b64decode(said["data"]) == buffer.getvalue()) == (kind == "PNG")
    assert np.array_equal(picture(said), pixels(buffer.getvalue()))


def test_models_and_limits(client, model):
    answer = client.get("/v1/models")
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert said["default"] == "stand-in"
    assert said["models"][0]["scores"] == {"psnr": 1.5}
    assert {"detail", "samples", "overlay"} <= set(said["options"])
    assert said["detail"] == Manner().detail
    assert said["limits"]["answer_megapixels"] == 2.5 * said["limits"]["megapixels"] == 100
    assert model not in str(said)  # a path of this machine


def test_health(client):
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json() == {"status": "ready"}
    for path in ("/healthz", "/readyz"):
        assert client.get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/metrics", "/v1/models", "/v1/models/stand-in/face", "/problems/busy"],
)
def test_head_is_get_without_the_body(client, path):
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_openapi_tells_every_answer_with_examples(client):
    api = client.get("/openapi.json").json()
    operation = api["paths"]["/v1/restore"]["post"]
    body = operation["requestBody"]["content"]["multipart/form-data"]
    assert body["schema"]["properties"]["photo"]["format"] == "binary"
    assert body["schema"]["properties"]["detail"]["anyOf"][0]["maximum"] == 1
    assert body["examples"]
    good = operation["responses"]["200"]["content"]["application/json"]
    real = client.post("/v1/restore", files=form(scene()[0]), data={"format": "json"}).json()
    assert set(good["example"]) == set(real) == set(good["schema"]["required"])
    assert set(good["example"]["faces"][0]) == set(real["faces"][0])
    assert {"400", "401", "408", "413", "415", "422", "503"} <= set(operation["responses"])
    problem = operation["responses"]["503"]["content"]["application/problem+json"]
    assert "busy" in problem["examples"]


def test_openapi_tells_what_a_supervisor_gets(client):
    paths = client.get("/openapi.json").json()["paths"]
    guarded = {"/v1/models", "/v1/models/{name}/{role}", "/metrics"}
    for path in (*guarded, "/healthz", "/readyz", "/problems/{name}"):
        (operation,) = paths[path].values()
        assert {"403", "500"} <= set(operation["responses"])
        assert ("401" in operation["responses"]) == (path in guarded)
        assert ("security" in operation) == (path not in guarded)
    metrics = paths["/metrics"]["get"]["responses"]["200"]["content"]
    assert list(metrics) == [client.get("/metrics").headers["content-type"].split(";")[0]]

    def check(schema: dict, value: object) -> None:
        """Each member is told of, and each that is told of is there."""
        if isinstance(value, dict) and "properties" in schema:
            assert set(schema["properties"]) == set(schema["required"]) == set(value)
            for name, each in value.items():
                check(schema["properties"][name], each)
        elif isinstance(value, list):
            for each in value:
                check(schema["items"], each)

    for path in ("/v1/models", "/healthz", "/readyz"):
        good = paths[path]["get"]["responses"]["200"]["content"]["application/json"]
        assert good["schema"]["properties"]
        check(good["schema"], client.get(path).json())


def test_metrics_count(client):
    def count(text: str, name: str) -> float:
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    before = client.get("/metrics").text
    client.post("/v1/segment", files=form(scene()[0]), data={"format": "json"})
    client.post("/v1/segment", files=form(scene()[0]), data={"format": "exe"})
    after = client.get("/metrics").text
    for name, more in [
        ('unveil_requests_total{route="/v1/segment",status="200"}', 1),
        ('unveil_requests_total{route="/v1/segment",status="422"}', 1),
        ('unveil_request_seconds_count{route="/v1/segment"}', 2),
        ('unveil_problems_total{kind="bad-option"}', 1),
        ("unveil_faces_total", 2),
    ]:
        assert count(after, name) == count(before, name) + more, name


def test_nothing_is_written_to_disk(client, monkeypatch, tmp_path):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3), dtype=np.uint8)
    data = encode(noise, "PNG")
    assert len(data) > 2_000_000
    answer = client.post("/v1/restore", files={"photo": ("a.png", data)}, data={"aligned": "true"})
    assert answer.status_code == 200
    assert np.array_equal(pixels(answer.content), noise)


def test_samples_and_detail_are_the_librarys(model):
    """With the shipped model, whose prior can draw."""
    face = draw_face(2)
    mask = np.zeros((256, 256), bool)
    mask[150:230, 70:190] = True
    library = Restorer(threads=1)
    if not library.model.weights.has("prior"):
        pytest.skip("the default model has no prior")
    app = create_app(Settings(library.model.weights.name, 1, hosts=["testserver"]))
    with TestClient(app) as client:
        data = {"aligned": "true", "format": "json", "detail": "0.5", "samples": "2", "seed": "7"}
        answer = client.post("/v1/restore", files=form(face, mask), data=data).json()
        expected = library.restore(face, mask, aligned=True, detail=0.5)
        assert np.array_equal(picture(answer["photo"]), expected.photo)
        drawn = library.sample(face, 2, mask, aligned=True, seed=7, detail=0.5)
        shown = [picture(sample) for sample in answer["samples"]]
        assert [np.array_equal(s, d.photo) for s, d in zip(shown, drawn, strict=True)] == [True] * 2
        assert (shown[0] != shown[1]).any()
        assert 0 < answer["faces"][0]["confidence"] < 1
        second = data | {"format": "png", "samples": "1", "seed": "8"}
        alone = client.post("/v1/restore", files=form(face, mask), data=second)
        assert np.array_equal(pixels(alone.content), shown[1])


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_model_of_any_name_is_told(tmp_path, kind):
    """Headers are ASCII."""
    model = make_stand_in(tmp_path, "модель 1%")
    with TestClient(create_app(Settings(model, 1, hosts=["testserver"]))) as client:
        given = {"aligned": "true", "format": kind}
        answer = client.post("/v1/restore", files=form(np.zeros((64, 64, 3), np.uint8)), data=given)
    assert answer.status_code == 200
    told = unquote(answer.headers["unveil-model"])
    assert told == Restorer(model, 1).model.weights.fingerprint
    assert told.startswith("модель 1%:")
