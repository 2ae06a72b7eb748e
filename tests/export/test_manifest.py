"""What `unveil export --name` writes, and what it leaves alone."""

import numpy as np
import pytest
import torch
from trained import FACES, trained

from unveil.errors import UnveilError, WeightsError
from unveil.export import manifest
from unveil.export.manifest import export_model
from unveil.imaging import to_network
from unveil.runtime.session import FaceNetwork
from unveil.training import checkpoint
from unveil.training.config import PaperConfig


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


@pytest.mark.parametrize("lacks", ["size", "prior"])
def test_what_the_runtime_could_not_use_is_refused_before_anything_is_written(
    lite_checkpoint, tmp_path, lacks
):
    state = checkpoint.load(lite_checkpoint[0])
    if lacks == "size":
        state["config"]["size"] = 192
    else:
        del state["prior"]
    checkpoint.save(tmp_path / "last.ckpt", state)
    words = {"licence": "any", "training_data": "drawn faces"}
    with pytest.raises(UnveilError, match="of 192 pixels" if lacks == "size" else "no prior"):
        export_model(tmp_path / "last.ckpt", tmp_path / "o", "x", FACES, tell=print, **words)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("fails", ["check", "_calibrate"])
def test_an_export_that_fails_leaves_the_model_of_its_name_as_it_is(
    lite_checkpoint, tmp_path, monkeypatch, fails
):
    path, _, faces = lite_checkpoint
    words = {"licence": "any", "training_data": "drawn", "tell": lambda line: None}
    export_model(path, tmp_path / "o", "tiny", faces, **words)
    before = {file.name: file.read_bytes() for file in (tmp_path / "o").iterdir()}
    assert before.keys() == {"tiny-face.onnx", "tiny-prior.npz", "manifest.json"}
    state = checkpoint.load(path)
    for value in state["generator"]["network"].values():
        value += 0.01
    checkpoint.save(tmp_path / "other.ckpt", state)

    def refuse(*_):
        raise WeightsError("refused")

    with monkeypatch.context() as patch:
        patch.setattr(manifest, fails, refuse)
        with pytest.raises(WeightsError, match="refused"):
            export_model(tmp_path / "other.ckpt", tmp_path / "o", "tiny", faces, **words)
    assert {file.name: file.read_bytes() for file in (tmp_path / "o").iterdir()} == before
    export_model(tmp_path / "other.ckpt", tmp_path / "o", "tiny", faces, **words)
    after = {file.name: file.read_bytes() for file in (tmp_path / "o").iterdir()}
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)


@pytest.mark.parametrize("text", ["[]", '{"models": 5}', '{"models": {"a": 1}}', "{}", "\xff"])
def test_a_damaged_manifest_is_told_before_the_work(lite_checkpoint, tmp_path, monkeypatch, text):
    (tmp_path / "manifest.json").write_bytes(text.encode("latin-1"))
    monkeypatch.setattr(manifest, "export", lambda *_: pytest.fail("exported"))
    words = {"licence": "any", "training_data": "drawn faces"}
    with pytest.raises(WeightsError, match=r"manifest\.json is damaged"):
        export_model(lite_checkpoint[0], tmp_path, "x", FACES, tell=print, **words)
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]
