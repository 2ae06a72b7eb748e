import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from drawn import draw_face
from stand_in import COLOUR

from unveil.errors import ModelError, UsageError, WeightsError
from unveil.evaluation import baselines
from unveil.evaluation.candidates import Spec, build, describe, expand, from_network, specify
from unveil.imaging import has_colours, occlude, without_colour
from unveil.models.prior_fit import fit
from unveil.occlusion.shapes import box_mask
from unveil.runtime.weights import find_weights

MASK = box_mask(60, 80, 100, 90)


@pytest.fixture(scope="module")
def prior_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("prior") / "prior.npz"
    fit(np.stack([draw_face(i, 32) for i in range(20)]), 16, 8, 8).save(path)
    return path


class Inverting:
    """A network that inverts, and takes for hidden whatever is dark."""

    def restore(self, faces, masks=None, *, detail=1.0):
        return 255 - faces

    def find_mask(self, faces):
        return (faces.max(axis=-1) < 10).astype(np.float32)


def test_a_network_over_batches_becomes_a_model_over_faces():
    face = draw_face(1)
    model = from_network("inverting", Inverting(), has_mask=True)
    np.testing.assert_array_equal(model.restore(face, MASK), 255 - face)
    assert model.find_mask is not None
    assert model.find_mask(occlude(face, MASK))[MASK].min() == 1
    assert from_network("inverting", Inverting(), has_mask=False).find_mask is None


def test_weights_by_name(model):
    spec = specify(model)
    assert spec.label == "stand-in"
    assert dict(spec.sha256).keys() == {"face", "mask"}
    candidate = build(spec)
    face = occlude(draw_face(2), MASK)
    assert (candidate.restore(face, MASK) == COLOUR).all()
    assert candidate.find_mask is not None
    assert (candidate.find_mask(face)[MASK] == 1).all()


def test_an_onnx_file(model, tmp_path):
    source = model + "-face.onnx"
    path = tmp_path / "mine.onnx"
    with open(source, "rb") as file:
        path.write_bytes(file.read())
    spec = specify(str(path))
    assert spec.label == "mine"
    assert spec.sha256 == (("face", hashlib.sha256(path.read_bytes()).hexdigest()),)
    candidate = build(spec)
    assert (candidate.restore(draw_face(2), MASK) == COLOUR).all()
    assert candidate.find_mask is None


@pytest.mark.parametrize(
    ("name", "role", "error", "message"),
    [
        ("segmenter", "mask", UsageError, "restores no face, but has mask"),
        ("lite", "face", WeightsError, "another input contract"),
    ],
)
def test_a_lone_file_that_restores_nothing_is_refused(name, role, error, message):
    """As does one that needs the prior of its model."""
    with pytest.raises(error, match=message):
        specify(str(find_weights(name).file(role).path))


def test_baselines(prior_file):
    face = draw_face(3)
    outputs = {
        name: build(specify(name, prior_file)).restore(occlude(face, MASK), MASK)
        for name in ("telea", "mean-face", "eigenface")
    }
    kept = {name: (output[~MASK] == face[~MASK]).all() for name, output in outputs.items()}
    assert kept == {"telea": True, "mean-face": False, "eigenface": True}
    assert (outputs["telea"] != outputs["eigenface"]).any()
    digest = hashlib.sha256(prior_file.read_bytes()).hexdigest()
    assert specify("eigenface", prior_file).sha256 == (("prior", digest),)
    assert specify("telea") == Spec("telea", "telea")


def test_detail_makes_another_candidate_of_the_same_weights():
    whole, soft, default = (specify(f"lite{at}") for at in ("@1", "@0", ""))
    assert (whole.label, soft.label, default.label) == ("lite@1", "lite@0", "lite")
    assert whole.sha256 == soft.sha256 == default.sha256
    face = draw_face(3)
    sharp, half, likely = (
        build(specify(f"lite@{d}")).restore(face, MASK).astype(int) for d in ("1", "0.5", "0")
    )
    assert np.abs(sharp - likely)[MASK].mean() > 0.5
    whole = MASK & ((np.minimum(likely, sharp) > 0) & (np.maximum(likely, sharp) < 255)).all(-1)
    assert np.abs(half - (sharp + likely) / 2)[whole].max() <= 1


@pytest.mark.parametrize("name", ["telea@0.3", "paper@0.5", "eigenface@1", "mean-face@0"])
def test_a_detail_of_what_has_none_is_refused(name, prior_file):
    with pytest.raises(UsageError, match=f"{name.partition('@')[0]} has no detail to choose"):
        specify(name, prior_file)


def test_blending_is_of_the_same_weights():
    plain, blended = specify("lite"), specify("lite+blend@0")
    assert (blended.name, blended.label, blended.blend) == ("lite", "lite+blend@0", True)
    assert blended.sha256 == plain.sha256
    assert describe(blended, MASK) == describe(plain, MASK)
    face = draw_face(3)
    output = build(blended).restore(face, MASK)
    assert np.array_equal(output[~MASK], face[~MASK])
    assert not np.array_equal(output, build(specify("lite@0")).restore(face, MASK))


def test_what_is_blended_into_a_grey_face_is_grey():
    grey = without_colour(draw_face(3))
    assert not has_colours(build(specify("lite+blend")).restore(grey, MASK), np.ones_like(MASK))


def test_detail_and_blending_come_in_either_order():
    assert specify("lite@0+blend") == specify("lite+blend@0")
    for name in ("lite+blend@0+blend", "lite@0@1", "lite@+blend", "lite@0+found"):
        with pytest.raises((UsageError, ModelError)):
            specify(name)


def test_a_folder_or_a_file_may_be_called_anything(model, tmp_path):
    folder = tmp_path / "me@home+blend"
    shutil.copytree(Path(model).parent, folder)
    spec = specify(f"{folder}/stand-in")
    assert (spec.name, spec.label, spec.detail) == (f"{folder}/stand-in", "stand-in", 1.0)
    with pytest.raises(UsageError, match="stand-in has no detail to choose"):
        specify(f"{folder}/stand-in@0")
    lone = shutil.copy(f"{model}-face.onnx", folder / "mine@2.onnx")
    assert specify(str(lone)).label == "mine@2"


def test_groups_of_models_are_spelt_out(model, prior_file, monkeypatch):
    folder = model.removesuffix("/stand-in")
    assert expand(["telea", folder, "x.onnx"]) == ["telea", model, "x.onnx"]
    everything = expand(["all"], prior_file)
    assert everything[0] == "lite"
    assert {"paper", "telea", "navier-stokes", "eigenface", "mean-face"} <= set(everything)
    assert "segmenter" not in everything  # it restores nothing
    assert set(everything) - set(expand(["all"])) == {"eigenface", "mean-face"}
    monkeypatch.setattr(baselines, "find_spec", lambda name: None)
    assert not {"patchmatch", "gmic-pde"} & set(expand(["all"]))


def test_what_is_missing_is_named(model, tmp_path):
    with pytest.raises(UsageError, match="eigenface needs --prior"):
        specify("eigenface")
    with pytest.raises(WeightsError, match=r"none\.npz"):
        specify("mean-face", tmp_path / "none.npz")
    with pytest.raises(WeightsError, match=r"none\.onnx"):
        specify(str(tmp_path / "none.onnx"))
    for share, why in (("x", "after @ comes a detail"), ("2", "between 0 and 1")):
        with pytest.raises(UsageError, match=why):
            specify(f"{model}@{share}")
    with pytest.raises(WeightsError, match="no-such-model"):
        specify(model.replace("stand-in", "no-such-model"))


def test_what_a_model_is_and_costs(model, prior_file):
    telea = describe(specify("telea"), MASK)
    assert (telea.parameters, telea.multiply_adds, telea.learned) == (0, None, False)
    mean, prior = (describe(specify(n, prior_file), MASK) for n in ("mean-face", "eigenface"))
    assert mean.parameters == 16 * 16 + 2 * 8 * 8 < prior.parameters
    assert not prior.learned
    network = describe(specify(model), MASK)
    assert network.learned
    assert network.file_bytes > 0
    lite, alone = (describe(specify(name), MASK) for name in ("lite", "paper"))
    assert alone.reimplementation
    assert not lite.reimplementation
    assert lite.parameters > 1_056_000  # the network's, and the prior's
    face = find_weights("paper").file("face").path
    assert describe(specify(str(face)), MASK).parameters == alone.parameters
