import numpy as np
import pytest
from drawn import draw_face

from unveil.evaluation.baselines import EigenfaceFill, MeanFace, Telea
from unveil.imaging import occlude, resize
from unveil.models.eigenface import Eigenface
from unveil.models.eigenface_fit import fit
from unveil.occlusion.shapes import box_mask

SIDE = 64
MASK = box_mask(18, 30, 26, 20, SIDE)


@pytest.fixture(scope="module")
def prior() -> Eigenface:
    return fit(np.stack([draw_face(i, SIDE) for i in range(40)]), 32, 32, 20)


def error(output: np.ndarray, face: np.ndarray) -> float:
    return float(np.square(output.astype(float) - face)[MASK].mean())


def test_telea_carries_an_even_colour_into_the_hole():
    face = np.full((SIDE, SIDE, 3), (200, 120, 40), np.uint8)
    output = Telea()(occlude(face, MASK), MASK)
    assert np.abs(output.astype(int) - face).max() <= 3  # OpenCV's own rounding adds up inwards


def test_the_mean_face_ignores_the_face(prior):
    model = MeanFace(prior)
    first, second = (model(draw_face(i, SIDE), MASK) for i in (1, 2))
    np.testing.assert_array_equal(first, second)
    small = np.mean([resize(draw_face(i, SIDE), 32) for i in range(40)], axis=0)
    small = (small + small[:, ::-1]) / 2
    assert np.abs(resize(first, 32) - small).mean() < 1


def test_on_unseen_faces_the_prior_beats_the_mean(prior):
    faces = [draw_face(i, SIDE) for i in range(100, 110)]
    outputs = {
        name: [model(occlude(face, MASK), MASK) for face in faces]
        for name, model in (("mean", MeanFace(prior)), ("prior", EigenfaceFill(prior)))
    }
    errors = {
        n: np.mean([error(o, f) for o, f in zip(outs, faces, strict=True)])
        for n, outs in outputs.items()
    }
    assert errors["prior"] < 0.5 * errors["mean"]
    for output, face in zip(outputs["prior"], faces, strict=True):
        np.testing.assert_array_equal(output[~MASK], face[~MASK])
