import numpy as np
import pytest
from stand_in import COLOUR, make_stand_in

from unveil.errors import UsageError, WeightsError
from unveil.runtime.session import BATCHES, FaceNetwork


@pytest.mark.parametrize("size", [1, 8])
def test_batches_larger_than_one_run(model, monkeypatch, size):
    monkeypatch.setitem(BATCHES, "cpu", size)
    network = FaceNetwork.load(model)
    faces = np.full((11, 256, 256, 3), 120, np.uint8)
    faces[9] = 0
    out = network.restore(faces)
    assert out.shape == faces.shape
    usual = np.arange(11) != 9
    assert (out[usual] == COLOUR).all()
    assert (out[9] == np.rint(np.array(COLOUR) / 16)).all()  # black was shown 16 times as bright
    assert network.find_mask(faces).mean((1, 2)).tolist() == [0.0] * 9 + [1.0, 0.0]


def test_hidden_pixels_are_painted_black_for_the_network(model, monkeypatch):
    network = FaceNetwork.load(model)
    seen = []
    monkeypatch.setattr(network, "_run", lambda s, o, face, **_: seen.append(face) or [])
    masks = np.zeros((1, 256, 256), bool)
    masks[0, :10] = True
    faces = np.full((1, 256, 256, 3), 120, np.uint8)
    with pytest.raises(ValueError, match="concatenate"):
        network.restore(faces, masks)
    assert (seen[0][masks] == 0).all()
    assert (seen[0][~masks] == 120).all()
    assert (faces == 120).all()


def test_another_contract_is_refused(tmp_path):
    name = make_stand_in(tmp_path, contract="bgr 0..255")
    with pytest.raises(WeightsError, match="another input contract: 'bgr"):
        FaceNetwork.load(name).restore(np.zeros((1, 256, 256, 3), np.uint8))


@pytest.mark.parametrize("shape", [(256, 256, 3), (1, 128, 128, 3), (1, 3, 256, 256)])
def test_wrong_shapes(model, shape):
    with pytest.raises(ValueError, match="must be"):
        FaceNetwork.load(model).restore(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("device", "reason"),
    [("cuda", "cannot use cuda: it needs an NVIDIA"), ("abacus", "not 'abacus'")],
)
def test_a_device_that_is_not_there(model, device, reason):
    from unveil.runtime.ort import ort

    if device == "cuda" and "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("there is one")
    network = FaceNetwork.load(model, device=device)
    with pytest.raises(UsageError, match=reason):
        network.find_mask(np.zeros((1, 256, 256, 3), np.uint8))
