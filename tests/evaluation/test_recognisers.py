"""What the second recogniser is shown of an aligned face, and in what order."""

import json

import cv2
import numpy as np
import pytest
import torch
from drawn import draw_face
from test_faceres import made_weights, write_weights

from unveil.errors import WeightsError
from unveil.evaluation.recognisers import BATCH, CAFFE_MEAN, FACERES_SQUARE, hse_faceres, see
from unveil.models.faceres import FaceRes


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("faceres"), made_weights(np.random.default_rng(3)))


def test_it_sees_the_square_less_the_mean_blue_first_face_by_face(file):
    faces = np.stack([draw_face(i % 3) for i in range(BATCH + 2)])
    seen = see(faces, file)
    assert seen.embedding.shape == (BATCH + 2, 1024)
    assert torch.equal(seen.embedding[0], seen.embedding[3])
    top, left, side = FACERES_SQUARE
    shown = cv2.resize(faces[1][top : top + side, left : left + side], (224, 224))
    bgr = shown[..., ::-1].astype(np.float32) - np.float32(CAFFE_MEAN[::-1])
    alone = FaceRes.load(file)(torch.from_numpy(bgr.transpose(2, 0, 1)[None].copy()))
    for name in ("embedding", "male", "age"):
        assert torch.allclose(getattr(seen, name)[1], getattr(alone, name)[0], atol=1e-3), name
    vectors = hse_faceres(file).embed(faces[:3])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    unit = seen.embedding[1] / seen.embedding[1].norm()
    assert np.allclose(vectors[1], unit, atol=1e-5)


def test_a_file_of_something_else_is_said_before_the_work(tmp_path):
    (tmp_path / "other.json").write_text(json.dumps({"weightsManifest": []}))
    with pytest.raises(WeightsError, match=r"other\.json: not faceres\.json"):
        hse_faceres(tmp_path / "other.json")
