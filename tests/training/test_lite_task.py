"""`lite` and the segmenter: what they learn, and that a stopped run goes on as if unbroken."""

import csv
import dataclasses
import shutil

import numpy as np
import pytest
import torch
from drawn import draw_face
from lightning_fabric import Fabric
from squeeze import write_weights
from test_loop import flat
from tiny import faces, options, task

from unveil.data.faces import FaceSet
from unveil.errors import TrainingError, UsageError
from unveil.models.prior_fit import fit
from unveil.occlusion.seeded import Seeded
from unveil.training import checkpoint
from unveil.training.config import LiteConfig, SegmenterConfig
from unveil.training.lite_model import make_lite
from unveil.training.lite_task import _corner
from unveil.training.loop import make_task, train

SMALL = {"size": 64, "width": 0.17, "batch_size": 4, "micro_batch_size": 2, "epochs": 2}
TINY = SMALL | {"window": 32}


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    path = tmp_path_factory.mktemp("prior") / "prior.npz"
    fit(faces(40).faces, 32, 8, 2).save(path)  # too small for them: something is left to learn
    return str(path)


@pytest.mark.parametrize("kind", ["lite", "adversarial", "segmenter"])
def test_n_resume_n_equals_2n(tmp_path, prior, kind):
    features = str(write_weights(tmp_path))
    if kind == "segmenter":
        config = SegmenterConfig(**SMALL)
    else:
        weight = 0.1 if kind == "adversarial" else 0.0
        config = LiteConfig(**TINY, prior=prior, adversarial_weight=weight, features=features)
    whole = train(faces(), faces(4, 1), config, options(), tmp_path / "whole")
    half = dataclasses.replace(config, epochs=1)
    train(faces(), faces(4, 1), half, options(), tmp_path / "halves")
    second = train(faces(), faces(4, 1), config, options(resume=True), tmp_path / "halves")
    ours, theirs = checkpoint.load(whole.checkpoint), checkpoint.load(second.checkpoint)
    pairs = list(zip(flat(ours), flat(theirs), strict=True))
    assert len(pairs) > 100
    assert all(torch.equal(x, y) for x, y in pairs)


def test_lite_starts_as_the_prior_is(prior):
    fresh = task(LiteConfig(**TINY, prior=prior)).validate(faces(6, 1), 6)
    for name in ("likely_20_30", "psnr_20_30"):
        assert fresh[name] == pytest.approx(fresh["prior_20_30"], abs=0.01)


def test_a_run_goes_on_with_the_prior_of_its_checkpoint(tmp_path, prior):
    first = train(faces(), faces(4, 1), LiteConfig(**TINY, prior=prior), options(), tmp_path / "a")
    second = task(LiteConfig(**TINY))
    second.load_networks(checkpoint.load(first.checkpoint))
    mask = np.zeros((64, 64), bool)
    mask[30:50, 20:40] = True
    face = faces(1).faces[0]
    expected = task(LiteConfig(**TINY, prior=prior)).fill(face, mask)
    assert np.array_equal(second.fill(face, mask), expected)
    assert torch.equal(second.state()["prior"], checkpoint.load(first.checkpoint)["prior"])
    other = tmp_path / "other.npz"
    fit(faces(40).faces, 32, 8, 3).save(other)
    # Another one must be asked for by name; it is then what the network goes on with.
    third = task(LiteConfig(**TINY, prior=str(other)))
    third.load_networks(checkpoint.load(first.checkpoint))
    assert third.prior_file == other.read_bytes()
    with pytest.raises(UsageError, match="leave it out"):
        third.load(checkpoint.load(first.checkpoint))


def test_the_sharp_output_alone_is_moved_by_features(tmp_path, prior):
    features = str(write_weights(tmp_path))
    plain = LiteConfig(**TINY, prior=prior, ema=0.0)
    sharp = dataclasses.replace(plain, features=features, perceptual_weight=5.0)
    heads = []
    for config in (plain, sharp):
        torch.manual_seed(0)
        learner = task(config)
        learner.step([learner.batch(faces(), [(0, i) for i in range(4)])], 0)
        # The head starts at zero, so nothing else has moved, and its gradients are the losses'.
        heads.append(learner.generator.network.module.trunk.head.bias.detach().clone())
    moments = [h.chunk(2) for h in heads]
    assert torch.equal(moments[0][0], moments[1][0])
    assert not torch.equal(moments[0][1], moments[1][1])


def test_varied_faces_are_wanted_as_they_are_seen(prior):
    config = LiteConfig(**TINY, prior=prior, occluders="mixed", misaligned=0, varied=0.999)
    truth = faces(8)
    made = task(config).batch(truth, [(0, i) for i in range(8)])
    differ = 0
    for face, filled, clean, mask in zip(
        truth.faces, made.filled, made.clean, made.mask, strict=True
    ):
        known = mask[0] == 0
        assert torch.equal(filled[:, known], clean[:, known])
        as_it_was = torch.from_numpy(np.asarray(face)).permute(2, 0, 1) / 127.5 - 1
        differ += min(float((x - clean).abs().max()) for x in (as_it_was, as_it_was.flip(2))) > 0.01
    assert differ > 3


def test_the_overview_sees_what_no_window_shows():
    torch.manual_seed(0)
    network = make_lite(LiteConfig(**TINY))
    torch.nn.init.normal_(network.trunk.head.weight, std=0.5)
    face, mask = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    other = face.clone()
    other[..., 48:, :32] = 0  # outside of the window, and not in its mirror image
    corner = [(0, 32)]

    def restored() -> list[torch.Tensor]:
        with torch.no_grad():
            return [network(f, mask, corner, 16)[0] for f in (face, other)]

    before = restored()
    assert torch.equal(*before)  # nothing comes from there before it has learned
    torch.nn.init.normal_(network.overview.head.weight, std=0.5)
    after = restored()
    assert (after[0] - after[1]).abs().max() > 1e-3


def test_the_sharp_output_learns_on_every_nth_step_alone(tmp_path, prior):
    features = str(write_weights(tmp_path))
    config = LiteConfig(
        **TINY, prior=prior, ema=0.0, sharp_every=3, adversarial_weight=0.1, features=features
    )
    learner = task(config)
    losses = [
        set(learner.step([learner.batch(faces(), [(0, i) for i in range(4)])], step))
        for step in range(4)
    ]
    assert losses[0] == losses[3] == {"likely", "border", "l1_sharp", "gan", "d"}
    assert losses[1] == losses[2] == {"likely", "border"}


def test_features_and_discriminator_run_in_the_precision_of_the_run(tmp_path, prior):
    features = str(write_weights(tmp_path))
    config = LiteConfig(**TINY, prior=prior, features=features, perceptual_weight=1.0)
    config = dataclasses.replace(config, adversarial_weight=0.1)
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    lite = make_task(fabric, config, None)
    seen = {name: [] for name in ("generator", "critic", "features")}
    networks = (lite.generator.network, lite.critic.network, lite.features)
    for dtypes, network in zip(seen.values(), networks, strict=True):
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.register_forward_hook(lambda _, __, y, to=dtypes: to.append(y.dtype))
    windows, _ = lite._generator_step([lite.batch(faces(), [(0, i) for i in range(2)])])
    judged = len(seen["critic"])
    lite._critic_step(lite.critic, windows)
    assert len(seen["critic"]) == 2 * judged > 0
    assert [set(dtypes) for dtypes in seen.values()] == [{torch.bfloat16}] * 3
    assert {x.dtype for x in (*windows[0].fake, *windows[0].clean)} == {torch.float32}


def test_lite_learns_to_fill_without_a_prior_too(tmp_path):
    config = LiteConfig(**TINY | {"epochs": 25}, occluders="mixed", learning_rate=3e-3, ema=0.9)
    train(faces(16), faces(6, 1), config, options(checkpoint_every=50), tmp_path)
    with open(tmp_path / "log.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    last = {r["name"]: float(r["value"]) for r in rows if r["step"] == rows[-1]["step"]}
    assert last["psnr_20_30"] > last["prior_20_30"] + 3  # "prior" is plain grey here


@pytest.mark.parametrize("side", [16, 32, 64])
def test_a_window_holds_the_hidden_pixel_that_it_is_drawn_around(side):
    rng = np.random.default_rng(side)
    for i in range(300):
        hidden = np.zeros((64, 64), bool)
        hidden[tuple(rng.integers(0, 64, 2))] = True
        top, left = _corner(hidden, side, Seeded(1, i))
        assert top % 16 == left % 16 == 0
        assert hidden[top : top + side, left : left + side].shape == (side, side)
        assert hidden[top : top + side, left : left + side].any()


def test_known_pixels_come_through_and_hidden_ones_are_filled(prior):
    batch = task(LiteConfig(**TINY, prior=prior)).batch(faces(), [(0, i) for i in range(8)])
    known = (batch.mask == 0).expand(-1, 3, -1, -1)
    assert (batch.filled - batch.clean)[known].abs().mean() < 0.02  # nothing but cast shadows
    assert 0.02 < batch.mask.mean() < 0.6
    assert (batch.filled != batch.clean).any()
    grey = task(LiteConfig(**TINY)).batch(faces(), [(0, 0)])
    assert grey.filled[(grey.mask > 0).expand(-1, 3, -1, -1)].unique().numel() == 1


def test_a_window_is_restored_as_the_whole_face_is():
    # With windows as large as the receptive field or at the border there would be no difference at
    # all; here the fill, the mask and the code must come from the right place.
    torch.manual_seed(0)
    network = make_lite(LiteConfig(**TINY))
    torch.nn.init.normal_(network.trunk.head.weight, std=0.5)
    torch.nn.init.normal_(network.trunk.code, std=3)
    torch.nn.init.normal_(network.overview.head.weight, std=3)
    face, mask = torch.rand(2, 3, 64, 64), torch.ones(2, 1, 64, 64)
    with torch.no_grad():
        kinds = zip(
            network(face, mask),
            network(face, mask, [(16, 32), (32, 0)], 32),
            network(face, mask, [(32, 32), (32, 0)], 32),
            strict=True,
        )
        for whole, part, shifted in kinds:
            expected = torch.stack([whole[0, :, 16:48, 32:64], whole[1, :, 32:64, 0:32]])
            right, wrong = (((p - expected)[0] ** 2).mean() for p in (part, shifted))
            assert right < 0.5 * wrong
    torch.testing.assert_close(network(face, mask, [(0, 0)] * 2, 64), network(face, mask))


def test_segmenter_finds_black_rectangles_after_a_few_steps(tmp_path):
    people = FaceSet(
        tuple(f"{i}" for i in range(16)), np.stack([draw_face(i, 64) for i in range(16)])
    )
    config = SegmenterConfig(
        **SMALL | {"epochs": 60}, occluders="mixed", learning_rate=3e-3, ema=0.9, clean=0.1
    )
    train(people, people, config, options(checkpoint_every=120, sample_every=10**6), tmp_path)
    with open(tmp_path / "log.csv", encoding="utf-8") as file:
        iou = [float(r["value"]) for r in csv.DictReader(file) if r["name"] == "mask_iou"]
    assert iou[-1] > 0.6
    assert iou[-1] > iou[0]


def test_segmenter_keeps_the_first_features_and_moves_the_others_slowly(tmp_path):
    features = str(write_weights(tmp_path))
    config = SegmenterConfig(**SMALL, features=features, ema=0.0, learning_rate=1e-3)
    learner = task(config).learner
    before = {n: p.detach().clone() for n, p in learner.network.named_parameters()}
    for parameter in learner.network.parameters():  # Adam's first step: the rate, up or down
        if parameter.requires_grad:
            parameter.grad = torch.ones_like(parameter)
    learner.update()
    moved = {n: (p.detach() - before[n]).abs().max() for n, p in learner.network.named_parameters()}
    for name, step in moved.items():
        fixed = any(part in name for part in ("conv1", "fire2", "fire3"))
        rate = 0 if fixed else 3e-4 if "trunk" in name else 1e-3
        assert step == pytest.approx(rate, rel=1e-2, abs=1e-9), name


def test_segmenter_sees_clean_faces_too():
    batch = task(SegmenterConfig(**SMALL, clean=0.5)).batch(faces(), [(0, i) for i in range(12)])
    empty = (batch.mask.flatten(1).sum(1) == 0).sum().item()
    assert 2 <= empty <= 10


def test_another_prior_is_refused_on_resume_and_taken_at_a_new_start(tmp_path, prior):
    config = LiteConfig(**TINY | {"epochs": 1}, prior=prior)
    result = train(faces(), faces(4, 1), config, options(), tmp_path / "a")
    other = tmp_path / "other.npz"
    fit(faces(40, 5).faces, 32, 8, 6).save(other)
    changed = dataclasses.replace(config, prior=str(other))
    with pytest.raises(UsageError, match=r"other\.npz is not the one of the checkpoint: leave it"):
        train(faces(), faces(4, 1), changed, options(resume=True), tmp_path / "a")
    start = options(init_from=result.checkpoint)
    goes_on = train(faces(), faces(4, 1), changed, start, tmp_path / "b")
    kept = checkpoint.load(goes_on.checkpoint)["prior"].numpy().tobytes()
    assert kept == other.read_bytes()


def test_a_run_goes_on_where_its_files_have_moved(tmp_path, prior):
    features = write_weights(tmp_path)
    config = LiteConfig(**TINY, prior=prior, features=str(features), perceptual_weight=0.5)
    half = dataclasses.replace(config, epochs=1)
    whole = train(faces(), faces(4, 1), config, options(), tmp_path / "whole")
    train(faces(), faces(4, 1), half, options(), tmp_path / "halves")
    moved = features.rename(tmp_path / "moved.pkl")
    # Without the prior's path, as the refusal of another one advises.
    changed = dataclasses.replace(config, prior="", features=str(moved))
    second = train(faces(), faces(4, 1), changed, options(resume=True), tmp_path / "halves")
    ours, theirs = checkpoint.load(whole.checkpoint), checkpoint.load(second.checkpoint)
    assert all(torch.equal(x, y) for x, y in zip(flat(ours), flat(theirs), strict=True))
    more = dataclasses.replace(config, epochs=3)
    with pytest.raises(TrainingError, match=rf"--features {features}: No such file"):
        train(faces(), faces(4, 1), more, options(resume=True), tmp_path / "halves")
    features.write_bytes(moved.read_bytes() + b"another")
    with pytest.raises(UsageError, match="started with other --features; give the same"):
        train(faces(), faces(4, 1), more, options(resume=True), tmp_path / "halves")
    copied = shutil.copy(prior, tmp_path / "copied.npz")
    again = dataclasses.replace(more, prior=str(copied), features=str(moved))
    assert train(faces(), faces(4, 1), again, options(resume=True), tmp_path / "halves").finished


def test_no_prior_is_put_under_a_network_that_had_none(tmp_path, prior):
    config = LiteConfig(**TINY | {"epochs": 1})
    train(faces(), faces(4, 1), config, options(), tmp_path)
    changed = dataclasses.replace(config, epochs=2, prior=prior)
    with pytest.raises(UsageError, match=r"--prior .*: the run has none; leave it out"):
        train(faces(), faces(4, 1), changed, options(resume=True), tmp_path)


def test_what_started_from_features_goes_on_without_their_file(tmp_path):
    features = write_weights(tmp_path)
    config = SegmenterConfig(**SMALL, features=str(features))
    whole = train(faces(), faces(4, 1), config, options(), tmp_path / "whole")
    half = dataclasses.replace(config, epochs=1)
    train(faces(), faces(4, 1), half, options(), tmp_path / "halves")
    features.unlink()
    without = dataclasses.replace(config, features="")
    with pytest.raises(UsageError, match=f"started with --features {features}; give the same"):
        train(faces(), faces(4, 1), without, options(resume=True), tmp_path / "halves")
    second = train(faces(), faces(4, 1), config, options(resume=True), tmp_path / "halves")
    ours, theirs = checkpoint.load(whole.checkpoint), checkpoint.load(second.checkpoint)
    assert all(torch.equal(x, y) for x, y in zip(flat(ours), flat(theirs), strict=True))


def test_an_ablation_without_any_part_still_trains(tmp_path):
    config = LiteConfig(
        **TINY | {"epochs": 1}, code=False, mirror=False, attention=False, overview=False
    )
    result = train(faces(), faces(4, 1), config, options(), tmp_path)
    names = checkpoint.load(result.checkpoint)["generator"]["network"]
    parts = ("code", "ask", "mix", "overview")
    assert not any(part in name for name in names for part in parts)
