"""Who may ask, and what every answer carries."""

import re

import pytest
from fastapi.testclient import TestClient

from unveil.errors import UsageError
from unveil.server.app import Settings, create_app

PATHS = ["/", "/app.js", "/v1/models", "/healthz", "/openapi.json", "/nowhere", "/metrics"]


@pytest.mark.parametrize("path", PATHS)
def test_security_headers_on_every_answer(client, path):
    headers = client.get(path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["worker-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["img-src"] == "'self' blob:"  # results are blobs of the page's own
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in headers


def test_a_token_is_asked_for_by_the_api_only(model):
    app = create_app(Settings(model, 1, token="s3cret", hosts=["testserver"]))
    with TestClient(app) as client:
        for path in ("/v1/models", "/metrics"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["type"] == "/problems/no-token"
        assert client.post("/v1/restore", content=b"").status_code == 401
        for wrong in ("Bearer s3cre", "Bearer s3cret ", "Basic s3cret", "Bearer é", "s3cret"):
            headers = {"Authorization": wrong.encode()}
            assert client.get("/v1/models", headers=headers).status_code == 401
        for right in ("Bearer s3cret", "bearer s3cret", "BEARER  s3cret"):
            headers = {"Authorization": right}
            assert client.get("/v1/models", headers=headers).status_code == 200
        assert client.get("/healthz").status_code == 200
        assert client.get("/").status_code == 200
        assert client.get("/openapi.json").json()["security"] == [{"token": []}]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:8000", 200),
        ("photos.example", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 403),
        ("[", 403),
    ],
)
def test_only_by_its_own_names(model, host, status):
    names = ["localhost", "127.0.0.1", "::1", "photos.example"]
    client = TestClient(create_app(Settings(model, 1, hosts=names)))
    assert client.get("/healthz", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://testserver", 200),
        ("https://testserver", 200),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://testserver:81", 403),
        ("http://[", 403),
        ("", 403),
    ],
)
def test_other_pages_may_not_ask(client, origin, status):
    assert client.get("/v1/models", headers={"Origin": origin}).status_code == status


def test_an_origin_without_a_name_is_not_a_host_without_one(model):
    client = TestClient(create_app(Settings(model, 1, hosts=["*"])))
    assert client.get("/healthz", headers={"Host": ""}).status_code == 200
    headers = {"Host": "", "Origin": "null"}
    assert client.get("/healthz", headers=headers).status_code == 403


@pytest.mark.parametrize("token", ["", " ", "two words", "schlüssel", "a\nb"])
def test_a_token_that_no_header_can_carry(token):
    with pytest.raises(UsageError, match="token must be"):
        Settings("lite", token=token)


@pytest.mark.parametrize(
    "host", ["http://foo:80/", "foo:80", "foo/", "[::1]", "*.example.org", "bücher.example", ""]
)
def test_a_name_that_no_request_can_have(host):
    with pytest.raises(UsageError, match="not the name of a host"):
        Settings("lite", hosts=["localhost", host])


def test_names_and_addresses_that_can_be_asked_for():
    Settings("lite", hosts=["*", "Photos.example.org", "my_host", "::1", "10.0.0.2"], token="+/=~-")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/video/x", "GET, DELETE"),
        ("GET", "/v1/restore", "POST"),
        ("GET", "/v1/video", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
    ],
)
def test_the_methods_of_an_address(client, method, path, allowed):
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_nobody_can_make_new_labels(client):
    for i in range(5):
        client.get(f"/some/path/{i}")
    text = client.get("/metrics").text
    assert "/some/path" not in text
    assert 'route="other",status="404"' in text


def test_the_page_comes_whole_and_from_here(client):
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "The hidden part is invented; not for identification." in page.text
    for name, kind in (("app.js", "text/javascript"), ("style.css", "text/css")):
        answer = client.get(f"/{name}")
        assert answer.headers["content-type"].startswith(kind)
        # Names of formats, which nobody fetches.
        named = re.sub(r"http://(www\.w3\.org|ns\.adobe\.com)/", "", answer.text)
        assert "http://" not in named
        assert "https://" not in answer.text
        tag = answer.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", W/"more",{tag}', "*"):
            again = client.get(f"/{name}", headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
        for other in ('"other"', tag.strip('"'), f'W/"{tag[1:-2]}"', ""):
            again = client.get(f"/{name}", headers={"If-None-Match": other})
            assert (again.status_code, again.content) == (200, answer.content)
