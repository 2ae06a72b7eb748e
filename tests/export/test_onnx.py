import numpy as np
import pytest
import torch
from trained import FACES, trained

from unveil.errors import WeightsError
from unveil.evaluation.cost import says_reimplementation
from unveil.export.check import TOLERANCE, check, largest_difference, round_to_half
from unveil.export.manifest import export_model
from unveil.export.onnx import HALF_FROM, Exported, export, fold, networks_of
from unveil.imaging import from_network, to_network
from unveil.models.aligner import ALIGNER, Aligner
from unveil.models.paper import PaperGenerator
from unveil.models.picnet import PicNet
from unveil.models.segmenter import SEGMENTER, Segmenter
from unveil.models.shiftnet import ShiftNet
from unveil.models.unet import make_unet
from unveil.occlusion.shapes import box_mask
from unveil.runtime import aligner
from unveil.runtime.model import FaceModel, Manner
from unveil.runtime.onnx import open_session
from unveil.runtime.ort import ort
from unveil.runtime.session import CONTRACT, FaceNetwork
from unveil.runtime.weights import find_weights
from unveil.training import checkpoint
from unveil.training.config import AlignerConfig, LiteConfig, PaperConfig, SegmenterConfig
from unveil.training.lite_model import make_lite
from unveil.training.peer_config import PicNetConfig, ShiftNetConfig, UnetConfig


@pytest.mark.parametrize("plain", [False, True])
def test_folding_changes_nothing(plain):
    network = trained() if not plain else PaperGenerator(width=0.05, plain=True).eval()
    x = torch.from_numpy(to_network(FACES))
    with torch.no_grad():
        torch.testing.assert_close(fold(network)(x), network(x), atol=1e-5, rtol=0)
    kinds = {type(m).__name__ for m in fold(network).modules()}
    assert "BatchNorm2d" not in kinds


def exported(role: str) -> Exported:
    return Exported(role, fold(trained(3 if role == "face" else 1)))


@pytest.mark.parametrize("role", ["face", "mask"])
def test_onnxruntime_equals_torch(tmp_path, role):
    network = exported(role)
    full, half = tmp_path / "full.onnx", tmp_path / "half.onnx"
    export(network, full, half=False)
    export(network, half)
    inputs = {"face": to_network(FACES)}
    assert largest_difference(network.network, full, inputs) < TOLERANCE
    rounded = round_to_half(network.network, HALF_FROM)
    assert largest_difference(rounded, half, inputs) < TOLERANCE
    assert half.stat().st_size < 0.7 * full.stat().st_size
    session = ort.InferenceSession(str(half), providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta().custom_metadata_map
    assert meta["unveil.contract"] == CONTRACT
    assert meta["unveil.role"] == role
    assert session.get_inputs()[0].shape[0] == "batch"


def test_check_refuses_another_network(tmp_path):
    network = exported("face")
    export(network, tmp_path / "x.onnx")
    with torch.no_grad():
        network.network.output.conv.bias += 0.01
    with pytest.raises(Exception, match="differs from its network"):
        check(network.network, tmp_path / "x.onnx", {"face": to_network(FACES)})


def test_check_refuses_what_is_no_number(tmp_path):
    network = exported("face")
    export(network, tmp_path / "x.onnx")
    with torch.no_grad():
        network.network.output.conv.bias += float("nan")
    with pytest.raises(Exception, match="differs from its network"):
        check(network.network, tmp_path / "x.onnx", {"face": to_network(FACES)})


def test_lite_with_its_prior_equals_torch_in_the_runtime(lite_checkpoint, tmp_path):
    path, network, faces = lite_checkpoint
    words = {"licence": "any", "training_data": "drawn", "tell": lambda line: None}
    export_model(path, tmp_path, "tiny", faces, **words)
    model = FaceNetwork.load(f"{tmp_path}/tiny")
    masks = np.stack([box_mask(60 + 9 * i, 80, 70, 90, 256) for i in range(3)])
    ours = model.restore(FACES, masks, detail=0.25)
    assert np.array_equal(ours[~masks], FACES[~masks])
    filled = np.stack([model.prior.fill(f, m) for f, m in zip(FACES, masks, strict=True)])
    with torch.no_grad():
        mask = torch.from_numpy(masks[:, None].astype(np.float32))
        likely, sharp = network.eval()(torch.from_numpy(to_network(filled)), mask)
    expected = 0.75 * likely + 0.25 * sharp
    assert np.abs(ours.astype(int) - from_network(expected.numpy()))[masks].max() <= 2
    assert np.abs(ours.astype(int) - filled)[masks].mean() > 1
    assert model.prior.calibration != (1.0, 1.0)
    with pytest.raises(ValueError, match="what is hidden"):
        model.restore(FACES)


def test_segmenter_in_the_runtime_has_the_mean_odds_of_a_face_and_its_mirror_image(tmp_path):
    config = SegmenterConfig(width=0.25)
    torch.manual_seed(0)
    network = Segmenter(SEGMENTER.scaled(0.25))
    torch.nn.init.normal_(network.head.weight, std=0.5)
    state = {"segmenter": {"network": network.state_dict()}, "config": config.to_dict()}
    checkpoint.save(tmp_path / "last.ckpt", {**state, "faces_seen": 3})
    words = {"licence": "any", "training_data": "drawn", "tell": lambda line: None}
    export_model(tmp_path / "last.ckpt", tmp_path, "tiny", FACES, **words)
    with torch.no_grad():
        face = torch.from_numpy(to_network(FACES))
        one, other = (network(x).double().exp()[:, 0] for x in (face, face.flip(-1)))
    odds = ((one + other.flip(-1)) / 2).numpy()
    segmenter = FaceNetwork.load(f"{tmp_path}/tiny")
    found = segmenter.find_mask(FACES)
    np.testing.assert_allclose(found, odds / (1 + odds), atol=5e-3)
    assert found.std() > 0.05
    # So what it finds does not hang on which way round a face is.
    mirrored = segmenter.find_mask(np.ascontiguousarray(FACES[:, :, ::-1]))
    np.testing.assert_allclose(mirrored[:, :, ::-1], found, atol=1e-4)


def test_aligner_in_the_runtime_says_the_mean_of_a_face_and_its_mirror_image(tmp_path):
    config = AlignerConfig(width=0.2)
    torch.manual_seed(0)
    network = Aligner(ALIGNER.scaled(0.2))
    torch.nn.init.normal_(network.answer.weight, std=10)
    state = {"aligner": {"network": network.state_dict()}, "config": config.to_dict()}
    checkpoint.save(tmp_path / "last.ckpt", {**state, "faces_seen": 3})
    words = {"licence": "any", "training_data": "drawn", "tell": lambda line: None}
    export_model(tmp_path / "last.ckpt", tmp_path, "tiny", FACES, **words)
    weights = find_weights(tmp_path / "tiny")
    assert weights.input_contract == aligner.CONTRACT
    session = open_session(weights.file("align"), 1, contract=aligner.CONTRACT)
    mask = np.zeros((3, 1, 256, 256), np.float32)
    mask[:, :, 90:150, 80:170] = 1
    face = to_network(FACES)
    with torch.no_grad():
        images = torch.from_numpy(face), torch.from_numpy(mask)
        one, other = network(*images), network(*(image.flip(-1) for image in images))
    signs = np.array([1, -1, -1, 1])  # a mirror turns turns and shifts to the side round
    found = session.run(["moved"], {"face": face, "mask": mask})[0]
    np.testing.assert_allclose(found, (one.numpy() + signs * other.numpy()) / 2, atol=5e-3)
    assert np.abs(found).max() > 0.2
    mirrored = {"face": face[..., ::-1].copy(), "mask": mask[..., ::-1].copy()}
    np.testing.assert_allclose(session.run(["moved"], mirrored)[0], signs * found, atol=1e-3)
    with pytest.raises(WeightsError, match="another input contract"):
        open_session(weights.file("align"), 1, contract=CONTRACT)


def test_a_compact_lite_checkpoint_exports_the_same(lite_checkpoint, tmp_path):
    path, _, _ = lite_checkpoint
    checkpoint.compact(path, tmp_path / "small.ckpt")
    (whole,), (small,) = (networks_of(checkpoint.load(p)) for p in (path, tmp_path / "small.ckpt"))
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(small.network.state_dict()[name], value, atol=1e-3, rtol=1e-3)


def pair(make, main="network"):
    """A part of a checkpoint with a running average, and that average."""
    own, average = make().eval(), make().eval()
    return {
        main: own.state_dict(),
        "ema": {"model": average.state_dict(), "steps": 9},
    }, average


@pytest.mark.parametrize(
    ("key", "make", "config"),
    [
        ("segmenter", lambda: Segmenter(SEGMENTER.scaled(0.25)), SegmenterConfig(width=0.25)),
        ("aligner", lambda: Aligner(ALIGNER.scaled(0.2)), AlignerConfig(width=0.2)),
        ("generator", lambda: make_lite(LiteConfig(width=0.17)), LiteConfig(width=0.17)),
        ("shiftnet", lambda: ShiftNet(0.05), ShiftNetConfig(width=0.05)),
    ],
)
def test_what_is_exported_is_the_average(key, make, config):
    part, average = pair(make)
    (exported,) = networks_of({key: part, "config": config.to_dict()})
    weights = exported.network.state_dict().values()
    assert all(map(torch.equal, weights, average.state_dict().values()))
    assert not all(map(torch.equal, weights, part["network"].values()))


def test_what_is_exported_of_the_papers_branches_is_the_average():
    (clean, face), (mask, found) = (
        pair(lambda n=n: PaperGenerator(n, width=0.05), "generator") for n in (3, 1)
    )
    state = {"clean": clean, "mask": mask, "config": PaperConfig(width=0.05).to_dict()}
    for exported, average in zip(networks_of(state), (face, found), strict=True):
        expected = fold(average).state_dict().values()
        assert all(map(torch.equal, exported.network.state_dict().values(), expected))


def peer(name: str) -> Exported:
    """An untrained network of others whose attention is awake."""
    torch.manual_seed(0)
    if name == "unet":
        return Exported("face", make_unet(0.05).eval(), reimplementation=True)
    if name == "shiftnet":
        return Exported("face", ShiftNet(0.05).eval(), masked=True, reimplementation=True)
    network = PicNet(0.125).eval()
    torch.nn.init.constant_(network.attention.short, 0.5)
    torch.nn.init.constant_(network.attention.long, 0.5)
    noise = network.noise_shape(256)
    return Exported("face", network, masked=True, noise=noise, reimplementation=True)


CONFIGS = {
    "unet": UnetConfig(width=0.05),
    "shiftnet": ShiftNetConfig(width=0.05),
    "picnet": PicNetConfig(width=0.125),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_peer_runs_as_any_model_does(name, tmp_path):
    original = peer(name)
    state = {name: {"network": original.network.state_dict()}, "faces_seen": 5}
    checkpoint.save(tmp_path / "last.ckpt", {**state, "config": CONFIGS[name].to_dict()})
    words = {"licence": "any", "training_data": "drawn", "tell": lambda line: None}
    export_model(tmp_path / "last.ckpt", tmp_path, name, FACES, **words)
    model = FaceNetwork.load(f"{tmp_path}/{name}")
    assert model.weights.reimplementation
    assert says_reimplementation(tmp_path / f"{name}-face.onnx")
    masks = np.stack([box_mask(60 + 9 * i, 80, 70, 90, 256) for i in range(3)])
    ours = model.restore(FACES, masks)
    hidden_black = to_network(np.where(masks[..., None], 0, FACES).astype(np.uint8))
    inputs = [hidden_black, masks[:, None].astype(np.float32), np.zeros((3, *original.noise))]
    taken = inputs[: len(original.inputs)]
    with torch.no_grad():
        expected = original.network(*(torch.from_numpy(i.astype(np.float32)) for i in taken))
    assert np.abs(ours.astype(int) - from_network(expected.numpy())).max() <= 2
    if original.masked:
        with pytest.raises(ValueError, match="what is hidden"):
            model.restore(FACES)


def test_picnet_gives_many_faces_in_the_runtime(tmp_path):
    original = peer("picnet")
    state = {"picnet": {"network": original.network.state_dict()}, "faces_seen": 5}
    checkpoint.save(tmp_path / "last.ckpt", {**state, "config": CONFIGS["picnet"].to_dict()})
    words = {"licence": "any", "training_data": "drawn", "tell": lambda line: None}
    export_model(tmp_path / "last.ckpt", tmp_path, "picnet", FACES, **words)
    model = FaceModel.load(f"{tmp_path}/picnet")
    mask = box_mask(80, 80, 70, 90, 256)
    fills = [model.fill(FACES[:1], mask[None], Manner(seed=seed))[0] for seed in (1, 1, 2)]
    assert np.array_equal(fills[0], fills[1])
    assert np.abs(fills[0].astype(int) - fills[2])[mask].mean() > 1
    assert all(np.array_equal(fill[~mask], FACES[0][~mask]) for fill in fills)
