import numpy as np
import pytest
from drawn import draw_face
from stand_in import COLOUR

from unveil.errors import WeightsError
from unveil.imaging import to_uint8
from unveil.runtime.model import FaceModel


@pytest.fixture(scope="module")
def faces():
    faces = np.stack([np.clip(draw_face(i), 4, 255) for i in range(3)])
    faces[1, 100:150, 80:140] = 0
    return faces


def test_find_marks_the_black_rectangle_of_the_face_that_has_one(model, faces):
    found = FaceModel.load(model).find(faces)
    assert found.dtype == np.float32
    assert found.shape == (3, 256, 256)
    assert (found > 0.5).sum(axis=(1, 2)).tolist() == [0, 50 * 60, 0]


def test_fill_keeps_the_known_pixels_of_each_face_and_paints_the_hidden(model, faces):
    hidden = np.zeros((3, 256, 256), bool)
    hidden[0, :9, :9] = hidden[1, 100:150, 80:140] = hidden[2] = True
    filled = FaceModel.load(model).fill(faces, hidden)
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~hidden], faces[~hidden])
    assert filled[1, 105:145, 85:135].max(-1).min() > 20
    assert (filled[2] == COLOUR).all()


def test_unknown_name():
    with pytest.raises(WeightsError, match="no model 'nobody'"):
        FaceModel.load("nobody")


def test_what_is_invented_of_a_dark_face_is_as_dark():
    """The prior's and the network's faces are bright ones: fills of dark faces glowed."""
    model = FaceModel.load("lite", threads=1)
    face = draw_face(1)[None]
    hidden = np.zeros((1, 256, 256), bool)
    hidden[:, 150:220, 80:180] = True
    bright = model.fill(face, hidden)
    sure = model.confidence(face, hidden)
    for light in (0.25, 0.12):
        dark = to_uint8(face * np.float32(light))
        filled = model.fill(dark, hidden)
        assert np.array_equal(filled[~hidden], dark[~hidden])
        off = filled[hidden] / light - bright[hidden]
        assert np.sqrt(np.square(off).mean()) < 8
        assert np.abs(model.confidence(dark, hidden) - sure)[hidden].mean() < 0.05


def test_what_hides_a_dark_face_is_found():
    model = FaceModel.load("lite", threads=1)
    face = draw_face(3)[None]
    face[:, 150:250, 60:196] = (200, 210, 225)
    bright = model.find(face) > 0.5
    assert bright[:, 160:230, 80:176].mean() > 0.9
    dark = model.find(to_uint8(face * np.float32(0.03))) > 0.5
    assert (bright & dark).sum() / (bright | dark).sum() > 0.9
