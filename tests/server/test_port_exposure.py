"""The page's own exposure against the library's."""

import numpy as np
import pytest
from drawn import draw_face
from port import ESBUILD, NODE, Port

from unveil.faces.exposure import brightened, gains, lit, unlit
from unveil.imaging import to_uint8

pytestmark = pytest.mark.skipif(
    not NODE or not ESBUILD.exists(), reason="no node, or nothing built: cd web && npm ci"
)


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Port:
    return Port(tmp_path_factory.mktemp("exposure"), "exposure")


def test_gains(port):
    hidden = np.zeros((256, 256), bool)
    hidden[150:220, 70:190] = True
    little = np.ones((256, 256), bool)
    little[100:140] = False
    masks = [None, hidden, little, np.ones((256, 256), bool)]
    faces = [to_uint8(draw_face(1) * np.float32(f)) for f in (1, 0.5, 0.4, 0.31, 0.2, 0.05, 0)]
    cases = [(face, mask) for face in faces for mask in masks]
    ours = port.call(*[["gainOf", face, mask] for face, mask in cases])
    theirs = [
        float(gains(face[None], None if mask is None else mask[None])[0]) for face, mask in cases
    ]
    assert ours == theirs
    assert len(set(ours)) > 8


@pytest.mark.parametrize("gain", [1, 16, 1.05, 175 / 47])
def test_lit_and_unlit(port, gain):
    face, by = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3), np.array([gain])
    ours = port.call(["lit", face, gain], ["unlit", face, gain])
    assert np.array_equal(ours[0], lit(face[None], by)[0])
    assert np.array_equal(ours[1], unlit(face[None], by)[0])


@pytest.mark.parametrize("size", [(1, 1), (300, 700), (1030, 513)])
def test_brightened(port, size):
    photo = np.random.default_rng(3).integers(0, 70, (*size, 3), np.uint8)
    ours = port.call(["brightened", photo], ["brightened", photo + np.uint8(60)])
    assert np.array_equal(ours[0], brightened(photo))
    assert ours[1] is None
