import errno

import pytest
import torch

from unveil.errors import TrainingError
from unveil.training import checkpoint


def test_full_disk_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    checkpoint.save(path, {"step": 1})

    def full(state, file):
        with open(file, "wb") as partial:
            partial.write(b"half a check")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match=r"last\.ckpt.*No space left"):
        checkpoint.save(path, {"step": 2})
    assert checkpoint.load(path)["step"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize("data", [b"", b"not a checkpoint", None])
def test_damaged_checkpoint_is_named(tmp_path, data):
    path = tmp_path / "last.ckpt"
    if data is None:
        checkpoint.save(path, {"weights": torch.zeros(10_000)})
        data = path.read_bytes()[:5000]
    path.write_bytes(data)
    with pytest.raises(TrainingError, match=r"last\.ckpt"):
        checkpoint.load(path)


def test_checkpoint_of_another_kind(tmp_path):
    torch.save({"weights": 1}, tmp_path / "x.pt")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        checkpoint.load(tmp_path / "x.pt")


def test_a_compact_one_says_nothing_of_where_files_lay(tmp_path):
    config = {"features": "/home/me/secret/weights.pkl", "prior": "", "width": 1.0}
    checkpoint.save(tmp_path / "last.ckpt", {"config": config, "step": 3})
    checkpoint.compact(tmp_path / "last.ckpt", tmp_path / "small.ckpt")
    kept = checkpoint.load(tmp_path / "small.ckpt")["config"]
    assert kept == {"features": "weights.pkl", "prior": "", "width": 1.0}
