"""Damaged images and forms of every kind: a problem or a picture, never a 500, never a hang."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spoilt import EXPECTED, FACES, WAYS, damage


@pytest.mark.parametrize("kind", FACES)
@pytest.mark.parametrize("how", WAYS)
def test_damaged_images(client, kind, how):
    rng = np.random.default_rng([len(kind), len(how), FACES[kind][-1]])
    for which in ("photo", "mask", "photo"):
        files = {"photo": FACES["PNG"], which: damage(FACES[kind], how, rng)}
        started = time.monotonic()
        answer = client.post(
            "/v1/restore",
            files={name: (name, data) for name, data in files.items()},
            data={"aligned": "true"},
        )
        assert answer.status_code in EXPECTED, answer.text
        assert "Traceback" not in answer.text
        assert time.monotonic() - started < 20


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(
        st.sampled_from(
            ["model", "aligned", "faces", "format", "detail", "samples", "seed", "overlay", "x"]
        ),
        st.one_of(
            st.sampled_from(["true", "0", "1", "-1", "1e9", "nan", "inf", "json", "png", "jpeg"]),
            st.text(max_size=12),
        ),
        max_size=4,
    ),
    path=st.sampled_from(["/v1/restore", "/v1/segment"]),
)
def test_any_options(client, fields, path):
    answer = client.post(path, files={"photo": ("a", FACES["PNG"])}, data=fields)
    assert answer.status_code in EXPECTED, (fields, answer.text)
    if answer.status_code != 200:
        assert answer.json()["detail"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), boundary=st.sampled_from(["b", "-", "x" * 70]))
def test_any_body(client, body, boundary):
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    for content in (body, b"--" + boundary.encode() + b"\r\n" + body):
        answer = client.post("/v1/restore", content=content, headers=headers)
        assert answer.status_code == 400, answer.text
