import numpy as np
import pytest
from drawn import draw_face

from unveil.errors import UsageError
from unveil.evaluation import baselines
from unveil.evaluation.baselines import (
    CLASSICAL,
    EigenfaceFill,
    Gmic,
    MeanFace,
    PatchMatch,
    Telea,
)
from unveil.imaging import occlude, resize
from unveil.models.prior import FacePrior
from unveil.models.prior_fit import fit
from unveil.occlusion.shapes import box_mask

SIDE = 64
MASK = box_mask(18, 30, 26, 20, SIDE)


@pytest.fixture(scope="module")
def prior() -> FacePrior:
    return fit(np.stack([draw_face(i, SIDE) for i in range(40)]), 32, 32, 20)


def error(output: np.ndarray, face: np.ndarray) -> float:
    return float(np.square(output.astype(float) - face)[MASK].mean())


PACKAGES = {"patchmatch": "patchmatch", "gmic-matchpatch": "gmic", "gmic-pde": "gmic"}


def classical(name: str) -> baselines.Fill:
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name], reason="needs the extra `peers`")
    return CLASSICAL[name]()


@pytest.mark.parametrize("name", CLASSICAL)
def test_an_even_colour_goes_on_into_the_hole(name):
    face = np.full((SIDE, SIDE, 3), (200, 120, 40), np.uint8)
    output = classical(name)(occlude(face, MASK), MASK)
    assert output.dtype == np.uint8
    assert np.abs(output.astype(int) - face).max() <= 3  # OpenCV's own rounding adds up inwards


@pytest.mark.parametrize("name", ["patchmatch", "gmic-matchpatch"])
def test_patches_go_on_with_a_pattern_where_diffusion_blurs_it(name):
    fill = classical(name)
    x = np.arange(SIDE)
    stripes = np.where((x // 4) % 2, 220, 30).astype(np.uint8)
    face = np.broadcast_to(stripes[None, :, None], (SIDE, SIDE, 3)).copy()
    occluded = occlude(face, MASK)
    patched = fill(occluded, MASK)
    assert error(patched, face) < 0.4 * error(Telea()(occluded, MASK), face)
    np.testing.assert_array_equal(fill(occluded, MASK), patched)  # its search has a seed


def test_gmic_keeps_quiet(capfd):
    face = draw_face(1, SIDE)
    classical("gmic-matchpatch")(occlude(face, MASK), MASK)
    assert capfd.readouterr() == ("", "")


def test_a_package_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(baselines, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"PyPatchMatch is not installed: .*unveil\[peers\]"):
        PatchMatch()
    with pytest.raises(UsageError, match="package gmic"):
        Gmic("inpaint_pde")


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
