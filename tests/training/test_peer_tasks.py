"""The peers: what they learn from, that they learn, and that a stopped run goes on."""

import csv
import dataclasses

import numpy as np
import pytest
import torch
from drawn import draw_face
from lightning_fabric import Fabric
from test_loop import flat
from tiny import options, task

from unveil.data.faces import FaceSet
from unveil.errors import UsageError
from unveil.training import checkpoint
from unveil.training.loop import make_task, train
from unveil.training.peer_config import PicNetConfig, ShiftNetConfig, UnetConfig

# Seven downs need 128 pixels.
SMALL = {"width": 0.04, "batch_size": 4, "micro_batch_size": 2, "epochs": 2, "ema": 0.9}
CONFIGS = {
    "unet": UnetConfig(**SMALL, size=128),
    "shiftnet": ShiftNetConfig(**SMALL, size=128),
    "picnet": PicNetConfig(**SMALL | {"width": 0.125}, size=64),
}


def people(config, n=8, first=0):
    drawn = [draw_face(first + i, config.size) for i in range(n)]
    return FaceSet(tuple(f"{i}" for i in range(n)), np.stack(drawn))


def logged(folder):
    with open(folder / "log.csv", encoding="utf-8") as file:
        return [(int(r["step"]), r["name"], float(r["value"])) for r in csv.DictReader(file)]


@pytest.mark.parametrize("name", CONFIGS)
def test_n_resume_n_equals_2n(tmp_path, name):
    config = dataclasses.replace(CONFIGS[name], adversarial_from=8)
    faces, held_out = people(config), people(config, 2, 50)
    whole = train(faces, held_out, config, options(), tmp_path / "whole")
    half = dataclasses.replace(config, epochs=1)
    train(faces, held_out, half, options(), tmp_path / "halves")
    second = train(faces, held_out, config, options(resume=True), tmp_path / "halves")
    ours, theirs = checkpoint.load(whole.checkpoint), checkpoint.load(second.checkpoint)
    pairs = list(zip(flat(ours), flat(theirs), strict=True))
    assert len(pairs) > 100
    assert all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_generator_runs_in_the_precision_of_the_run(name):
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    peer = make_task(fabric, CONFIGS[name], None)
    seen = set()
    for layer in peer.generator.network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(lambda _, __, output: seen.add(output.dtype))
    faces = people(CONFIGS[name])
    judged = peer.judge(peer.batch(faces, [(i, i) for i in range(2)]), adversarial=False)
    assert seen == {torch.bfloat16}
    assert {loss.dtype for _, loss in judged.losses.values()} == {torch.float32}


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_learns(tmp_path, name):
    changes = {"epochs": 12, "learning_rate": 2e-3, "adversarial_from": 64}
    config = dataclasses.replace(CONFIGS[name], **changes)
    faces = people(config)
    train(faces, faces, config, options(checkpoint_every=8, sample_every=24), tmp_path)
    rows = logged(tmp_path)
    psnr = [value for _, key, value in rows if key == "psnr_20_30"]
    assert psnr[-1] > psnr[0] + 1, psnr
    at_10, at_20 = ({key for step, key, _ in rows if step == n} for n in (10, 20))
    assert not {key for key in at_10 if key.startswith("d_") or "gan" in key}
    assert {key for key in at_20 if key.startswith("d_") and "gan" not in key}
    assert "gan" in at_20


@pytest.mark.parametrize("name", CONFIGS)
def test_the_hidden_part_goes_in_black_and_the_clean_one_does_not_leak(name):
    config = CONFIGS[name]
    peer, faces = task(config), people(config)
    batch = peer.batch(faces, [(0, i) for i in range(4)])
    hidden = batch.mask.expand(-1, 3, -1, -1) > 0
    assert (batch.occluded[hidden] == -1).all()
    assert torch.equal(batch.occluded[~hidden], batch.clean[~hidden])
    assert 0.02 < batch.mask.mean() < 0.6
    with torch.no_grad():
        network = peer.generator.inference_network()
        ours = peer.restore(network, batch)
        blank = dataclasses.replace(batch, clean=torch.zeros_like(batch.clean))
        assert torch.equal(peer.restore(network, blank), ours)


def test_each_loss_is_there_with_its_weight():
    parts = {}
    for name, config in CONFIGS.items():
        peer = task(config)
        batch = peer.batch(people(config), [(0, 0), (0, 1)])
        judged = peer.judge(batch, adversarial=True)
        parts[name] = {key: weight for key, (weight, _) in judged.losses.items()}
        assert judged.fakes.keys() == peer.critics.keys()
    assert parts["unet"] == {"l1": 1.0, "hidden": 4.0, "gan": 0.01}
    assert parts["shiftnet"] == {"l1": 1.0, "hidden": 4.0, "guidance": 0.01, "gan": 0.002}
    assert parts["picnet"] == {
        "l1": 20.0, "l1_known": 20.0, "kl_reconstructed": 20.0, "kl_generated": 20.0,
        "gan": 1.0, "gan_match": 1.0,
    }  # fmt: skip


def test_picnet_never_looks_at_what_the_generative_path_should_have_found():
    # Its hidden part has no single truth, so nothing pulls it there but the KL terms and the
    # discriminator: the pixel losses' gradient is zero in the hidden pixels of that path.
    peer = task(CONFIGS["picnet"])
    batch = peer.batch(people(CONFIGS["picnet"]), [(0, 0), (0, 1)])
    judged = peer.judge(batch, adversarial=False)
    fake = judged.fakes["generated"]
    (gradient,) = torch.autograd.grad(judged.losses["l1_known"][1], fake)
    hidden = batch.mask.expand_as(gradient) > 0
    assert not gradient[hidden].any()
    assert gradient[~hidden].any()


def test_picnets_posterior_stands_still_while_the_other_is_drawn_to_it():
    peer = task(CONFIGS["picnet"])
    batch = peer.batch(people(CONFIGS["picnet"]), [(0, 0), (0, 1)])
    losses = peer.judge(batch, adversarial=False).losses
    network = peer.generator.network.module
    ours, theirs = ([*part.parameters()] for part in (network.posterior, network.conditional))

    def moved(name, parameters):
        found = torch.autograd.grad(
            losses[name][1], parameters, retain_graph=True, allow_unused=True
        )
        return [gradient is not None and bool(gradient.any()) for gradient in found]

    assert not any(moved("kl_generated", ours))
    assert any(moved("kl_generated", theirs))
    assert any(moved("kl_reconstructed", ours))


def test_samples_of_picnet_differ_from_row_to_row():
    config = CONFIGS["picnet"]
    grid = task(config).samples(people(config, 2))
    rows = grid.reshape(5, 64, 2, 64, 3)  # occluded, most likely, two draws, clean
    assert (rows[0] != rows[4]).any()
    assert (rows[2] != rows[3]).any()
    assert (rows[1] != rows[2]).any()


def test_what_the_networks_cannot_take_is_refused():
    with pytest.raises(UsageError, match="--size 64 must be a multiple of 128"):
        ShiftNetConfig(size=64)
    with pytest.raises(UsageError, match="--size 80 must be a multiple of 32"):
        PicNetConfig(size=80)
    with pytest.raises(UsageError, match="--size must be at least 64"):
        PicNetConfig(size=32)


def test_without_its_discriminator_nothing_of_it_is_made():
    peer = task(dataclasses.replace(CONFIGS["unet"], adversarial_weight=0.0))
    assert peer.critics == {}
    losses = peer.step([peer.batch(people(CONFIGS["unet"]), [(0, 0)])], 10**6)
    assert losses.keys() == {"l1", "hidden"}


def test_a_run_starts_from_the_networks_of_a_compact_checkpoint(tmp_path):
    config = dataclasses.replace(CONFIGS["shiftnet"], epochs=1)
    faces = people(config)
    first = train(faces, faces, config, options(), tmp_path / "a")
    checkpoint.compact(first.checkpoint, tmp_path / "small.ckpt")
    small = checkpoint.load(tmp_path / "small.ckpt")
    assert small["shiftnet"].keys() == small["critic_face"].keys() == {"network"}
    still = dataclasses.replace(config, learning_rate=1e-12, ema=0.0)
    start = options(init_from=tmp_path / "small.ckpt")
    second = train(faces, faces, still, start, tmp_path / "b")
    assert second.faces_seen == 2 * first.faces_seen
    for part in ("shiftnet", "critic_face"):
        kept = checkpoint.load(second.checkpoint)[part]["network"]
        for name, value in small[part]["network"].items():
            torch.testing.assert_close(kept[name], value.float(), atol=1e-4, rtol=1e-3)
