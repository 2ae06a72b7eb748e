"""Requests made from the service's own OpenAPI: every answer is one that it tells of."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from serving import running

from unveil.server.app import Settings, create_app

schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")

pytestmark = pytest.mark.slow
# Not asked for: that every form that fits the schema succeeds. No schema can say what is a photo.
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]


OPERATIONS = [
    ("POST", "/v1/restore"),
    ("POST", "/v1/segment"),
    ("POST", "/v1/video"),
    ("GET", "/v1/video/{number}"),
    ("GET", "/v1/video/{number}/result"),
    ("DELETE", "/v1/video/{number}"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{name}/{role}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/problems/{name}"),
]


@pytest.fixture(scope="module")
def api(model):
    with running(create_app(Settings(model, 1))) as server:
        yield schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def test_all_are_tried(api):
    found = {(r.ok().method.upper(), r.ok().path) for r in api.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_told_of(api, method, path):
    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(case=api[path][method].as_strategy())
    def ask(case):
        case.call_and_validate(checks=CHECKS, timeout=30)

    ask()
