import numpy as np
import onnxruntime as ort
import pytest
import torch
from drawn import draw_face

from unveil.export.check import TOLERANCE, check, largest_difference, round_to_half
from unveil.export.manifest import export_model
from unveil.export.onnx import HALF_FROM, export, fold
from unveil.imaging import to_network
from unveil.models.paper import PaperGenerator, init_normal
from unveil.runtime.session import CONTRACT, FaceNetwork
from unveil.training import checkpoint
from unveil.training.config import PaperConfig

FACES = np.stack([draw_face(seed) for seed in range(3)])


def trained(channels: int = 3) -> PaperGenerator:
    """A tiny generator whose norms have statistics of their own, as after training."""
    torch.manual_seed(0)
    network = PaperGenerator(channels, width=0.1)
    init_normal(network)
    for parameter in network.parameters():
        parameter.data *= 3
    with torch.no_grad():
        for _ in range(4):
            network.train()(torch.from_numpy(to_network(FACES)))
    return network.eval()


@pytest.mark.parametrize("plain", [False, True])
def test_folding_changes_nothing(plain):
    network = trained() if not plain else PaperGenerator(width=0.05, plain=True).eval()
    x = torch.from_numpy(to_network(FACES))
    with torch.no_grad():
        torch.testing.assert_close(fold(network)(x), network(x), atol=1e-5, rtol=0)
    kinds = {type(m).__name__ for m in fold(network).modules()}
    assert "BatchNorm2d" not in kinds


@pytest.mark.parametrize("role", ["face", "mask"])
def test_onnxruntime_equals_torch(tmp_path, role):
    network = trained(3 if role == "face" else 1)
    full, half = tmp_path / "full.onnx", tmp_path / "half.onnx"
    export(network, role, full, half=False)
    export(network, role, half)
    assert largest_difference(network, full, FACES) < TOLERANCE
    rounded = round_to_half(fold(network), HALF_FROM)
    assert largest_difference(rounded, half, FACES) < TOLERANCE
    assert half.stat().st_size < 0.7 * full.stat().st_size
    session = ort.InferenceSession(str(half), providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta().custom_metadata_map
    assert meta["unveil.contract"] == CONTRACT
    assert meta["unveil.role"] == role
    assert session.get_inputs()[0].shape[0] == "batch"


def test_check_refuses_another_network(tmp_path):
    network = trained()
    export(network, "face", tmp_path / "x.onnx")
    with torch.no_grad():
        network.output.pointwise.bias += 0.01
    with pytest.raises(Exception, match="differs from its network"):
        check(network, tmp_path / "x.onnx", FACES)


def test_export_model_lists_what_the_runtime_loads(tmp_path):
    config = PaperConfig(width=0.1)
    branches = {
        name: {"generator": trained(channels).state_dict()}
        for name, channels in (("clean", 3), ("mask", 1))
    }
    state = {**branches, "config": config.to_dict(), "faces_seen": 7}
    checkpoint.save(tmp_path / "last.ckpt", state)
    lines: list[str] = []
    export_model(
        tmp_path / "last.ckpt",
        tmp_path,
        "tiny",
        FACES,
        licence="any",
        training_data="drawn faces",
        tell=lines.append,
    )
    assert len(lines) == 2
    network = FaceNetwork.load(f"{tmp_path}/tiny")
    assert network.weights.faces_seen == 7
    with torch.no_grad():
        expected = trained()(torch.from_numpy(to_network(FACES))).permute(0, 2, 3, 1).numpy()
    ours = network.restore(FACES).astype(float) / 127.5 - 1
    assert np.abs(ours - expected).max() < 0.02
    assert network.find_mask(FACES).shape == (3, 256, 256)
