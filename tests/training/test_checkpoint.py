import errno

import pytest
import torch

from unveil.errors import TrainingError, UsageError
from unveil.training import checkpoint


def test_full_disk_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    checkpoint.save(path, {"step": 1})

    def full(state, file):
        with open(file, "wb") as partial:
            partial.write(b"half a check")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match=r"last\.ckpt.*No space left.*; the one before it"):
        checkpoint.save(path, {"step": 2})
    assert checkpoint.load(path)["step"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_what_torch_says_of_a_full_disk_is_told_in_words(tmp_path, monkeypatch):
    def full(state, file):
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 3 vs 2")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError) as told:
        checkpoint.save(tmp_path / "last.ckpt", {"step": 2})
    place = tmp_path / "last.ckpt"
    words = f"cannot write the checkpoint {place}: the disk is full, or cannot be written"
    assert str(told.value) == words  # and no word of one before it


@pytest.mark.parametrize("data", [b"", b"not a checkpoint", None])
def test_damaged_checkpoint_is_named(tmp_path, data):
    path = tmp_path / "last.ckpt"
    if data is None:
        checkpoint.save(path, {"weights": torch.zeros(10_000)})
        data = path.read_bytes()[:5000]
    path.write_bytes(data)
    with pytest.raises(TrainingError, match=r"last\.ckpt: damaged"):
        checkpoint.load(path)


def test_checkpoint_of_another_kind(tmp_path):
    torch.save({"weights": 1}, tmp_path / "x.pt")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        checkpoint.load(tmp_path / "x.pt")


def test_a_compact_one_says_nothing_of_where_files_lay(tmp_path):
    config = {"features": "/home/me/secret/weights.pkl", "prior": "", "width": 1.0}
    config["examples"] = "/home/me/secret/real"
    checkpoint.save(tmp_path / "last.ckpt", {"config": config, "step": 3})
    checkpoint.compact(tmp_path / "last.ckpt", tmp_path / "small.ckpt")
    kept = checkpoint.load(tmp_path / "small.ckpt")["config"]
    assert kept == {"features": "weights.pkl", "prior": "", "width": 1.0, "examples": "real"}


def learner(level, faces=8):
    """A checkpoint of one network, whose running average is what counts."""
    network = {"layer.weight": torch.full((3,), level), "layer.count": torch.tensor(4)}
    state = {"network": {k: v * 0 for k, v in network.items()}, "ema": {"model": network}}
    seen = {"faces_seen": faces, "minutes": faces / 4}
    return {"config": {"width": 1.0}, "step": 3, "segmenter": state, **seen}


@pytest.mark.parametrize(("share", "level"), [(0.0, 1.0), (0.25, 2.0), (1.0, 5.0)])
def test_mixed_weights_lie_between_those_of_two_checkpoints(tmp_path, share, level):
    new, old, mixed = (tmp_path / name for name in ("new.ckpt", "old.ckpt", "mixed.ckpt"))
    checkpoint.save(new, learner(1.0))
    checkpoint.save(old, learner(5.0))
    checkpoint.compact(new, mixed, old, share)
    network = checkpoint.load(mixed)["segmenter"]["network"]
    assert network["layer.weight"].tolist() == [level] * 3
    assert network["layer.weight"].dtype == torch.float16
    assert network["layer.count"] == 4
    # And with what is compact already.
    checkpoint.compact(new, mixed, mixed, 0.5)
    weight = checkpoint.load(mixed)["segmenter"]["network"]["layer.weight"]
    assert weight.tolist() == [(1.0 + level) / 2] * 3


@pytest.mark.parametrize(("ours", "theirs"), [(8, 20), (20, 8)])
def test_mixed_weights_have_seen_what_the_longer_trained_ones_have(tmp_path, ours, theirs):
    checkpoint.save(tmp_path / "ours.ckpt", learner(1.0, ours))
    checkpoint.save(tmp_path / "theirs.ckpt", learner(2.0, theirs))
    checkpoint.compact(tmp_path / "ours.ckpt", tmp_path / "x.ckpt", tmp_path / "theirs.ckpt")
    mixed = checkpoint.load(tmp_path / "x.ckpt")
    assert (mixed["faces_seen"], mixed["minutes"]) == (20, 5.0)


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"layer.weight": torch.ones(3)},
        {"layer.weight": torch.ones(2), "layer.count": torch.tensor(4)},
    ],
)
def test_other_networks_are_not_mixed(tmp_path, network):
    checkpoint.save(tmp_path / "new.ckpt", learner(1.0))
    checkpoint.save(tmp_path / "other.ckpt", {"segmenter": {"network": network}} if network else {})
    with pytest.raises(UsageError, match="other networks"):
        checkpoint.compact(tmp_path / "new.ckpt", tmp_path / "x.ckpt", tmp_path / "other.ckpt")
    assert not (tmp_path / "x.ckpt").exists()
