"""What gradients a step takes: those of the whole batch, and none that are another network's."""

import dataclasses

import pytest
import torch
from squeeze import write_weights
from test_peer_tasks import CONFIGS, people
from tiny import CONFIG, faces, task

from unveil.training.config import AlignerConfig, LiteConfig, SegmenterConfig
from unveil.training.lite_task import LiteTask
from unveil.training.paper_task import PaperTask
from unveil.training.peer_task import PeerTask

SMALL = {"size": 64, "width": 0.17, "batch_size": 4, "micro_batch_size": 4}


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    features = str(write_weights(tmp_path_factory.mktemp("features")))
    judged = {"features": features, "adversarial_weight": 0.1, "perceptual_weight": 0.5}
    return {
        "paper": dataclasses.replace(CONFIG, hidden_weight=5.0),
        "lite": LiteConfig(**SMALL, window=32, **judged),
        "segmenter": SegmenterConfig(**SMALL),
        "aligner": AlignerConfig(**SMALL | {"size": 128}),
        "unet": CONFIGS["unet"],
        "shiftnet": CONFIGS["shiftnet"],
    }


def learners(ours):
    """All networks of a task, with their optimisers."""
    if isinstance(ours, PaperTask):
        return [x for b in ours.branches.values() for x in (b.generator, b.discriminator)]
    if isinstance(ours, PeerTask):
        return [ours.generator, *ours.critics.values()]
    return [ours.generator, ours.critic] if isinstance(ours, LiteTask) else [ours.learner]


def awake(config):
    """A task whose output layers do not start at zero, and whose norms do not see a batch."""
    torch.manual_seed(0)
    ours = task(config)
    for learner in learners(ours):
        learner.network.eval()
        for parameter in learner.network.parameters():
            if parameter.ndim > 1 and not parameter.any():
                torch.nn.init.normal_(parameter, std=0.1)
    return ours


def batch_of(ours, config):
    """Four faces with one mask: some losses are means over the hidden pixels of a micro-batch."""
    four = people(config, 4) if config.size == 128 else faces(4)
    batch = ours.batch(four, [(0, i) for i in range(4)])
    changes = {}
    if isinstance(ours, (PeerTask, LiteTask)):
        edge = config.size // 4
        changes["mask"] = torch.zeros_like(batch.mask)
        changes["mask"][..., edge:-edge, edge:-edge] = 1
    if isinstance(ours, LiteTask):
        changes["corners"] = ((16, 16),) * 4
    return dataclasses.replace(batch, **changes)


def cut(batch, parts):
    size = 4 // parts
    values = vars(batch).values()
    return [type(batch)(*(v[i : i + size] for v in values)) for i in range(0, 4, size)]


def gradients(ours):
    """Adam's first moments of each network: after one step, its gradients times 1 - beta1."""
    states = [learner.optimizer.state_dict()["state"].values() for learner in learners(ours)]
    return [torch.cat([s["exp_avg"].flatten() for s in each]) for each in states]


@pytest.mark.parametrize("name", ["paper", "lite", "segmenter", "aligner", "unet", "shiftnet"])
def test_gradients_of_micro_batches_add_up_to_those_of_a_batch(configs, name):
    found = []
    for parts in (1, 4):
        ours = awake(configs[name])
        losses = ours.step(cut(batch_of(ours, configs[name]), parts), 0)
        found.append((losses, gradients(ours)))
    (whole_losses, whole), (cut_losses, parts) = found
    assert cut_losses == pytest.approx(whole_losses, rel=1e-5)
    for network, other in zip(whole, parts, strict=True):
        assert network.norm() > 0
        assert (network - other).norm() < 1e-4 * network.norm()


@pytest.mark.parametrize("name", ["paper", "lite", "unet"])
def test_discriminators_stand_still_in_the_generators_step(configs, name):
    ours = awake(configs[name])
    batches = [batch_of(ours, configs[name])]
    if name == "paper":
        ours, batches = ours.branches["clean"], (batches, True)
        ours._generator_step(*batches)
        critic = ours.discriminator
    else:
        ours._generator_step(*((batches,) if name == "lite" else (batches, True)))
        critic = ours.critic if name == "lite" else ours.critics["pair"]
    assert all(p.grad is None for p in critic.network.parameters())
    assert all(p.requires_grad for p in critic.network.parameters())


@pytest.mark.parametrize(("target", "weight"), [("clean", 5.0), ("mask", 1.0)])
def test_hidden_pixels_weigh_more_in_the_face_branch_alone(configs, target, weight):
    config = dataclasses.replace(configs["paper"], adversarial_from=10**6)
    ours = awake(config)
    batch, branch = batch_of(ours, config), ours.branches[target]
    network = branch.generator.network.module
    truth = batch.clean if target == "clean" else batch.mask
    weights = torch.where(batch.mask > 0, weight, 1.0)
    loss = config.pixel_weight * (weights * (network(batch.occluded) - truth).abs()).mean()
    expected = torch.autograd.grad(loss, list(network.parameters()))
    ours.step([batch], 0)
    moments = branch.generator.optimizer.state_dict()["state"].values()
    for gradient, state in zip(expected, moments, strict=True):
        torch.testing.assert_close(state["exp_avg"], gradient * (1 - config.beta1))


def test_the_mask_branch_is_trained_when_it_is_its_turn():
    ours = task(dataclasses.replace(CONFIG, mask_every=3))
    batch = [ours.batch(faces(4), [(0, i) for i in range(4)])]
    turns = [any(name.startswith("mask_") for name in ours.step(batch, i)) for i in range(7)]
    assert turns == [True, False, False] * 2 + [True]
    adam = ours.branches["mask"].state()["optimizers"]["g"]["state"]
    assert {int(each["step"]) for each in adam.values()} == {3}
