import pytest
import torch
from counting import count, multiply_adds

from unveil.models.picnet import (
    Gaussian,
    PicDiscriminator,
    PicNet,
    ShortLongAttention,
    spread_of_hidden,
)

SIDE = 64


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = PicNet(0.125)
    for scale in (network.attention.short, network.attention.long):
        torch.nn.init.constant_(scale, 0.5)
    return network


@pytest.fixture(scope="module")
def inputs():
    generator = torch.Generator().manual_seed(0)
    face = torch.rand(2, 3, SIDE, SIDE, generator=generator) * 2 - 1
    mask = torch.zeros(2, 1, SIDE, SIDE)
    mask[..., 16:48, 20:50] = 1
    return face, mask


def noise(network, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, *network.noise_shape(SIDE), generator=generator)


@torch.no_grad()
def test_another_seed_gives_another_completion_and_the_same_seed_the_same(network, inputs):
    first, again, other = (network(*inputs, noise(network, seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    hidden = inputs[1].expand_as(first) > 0
    assert (first - other)[hidden].abs().mean() > 0.01
    assert first.shape == inputs[0].shape
    assert first.abs().max() <= 1


@torch.no_grad()
def test_hidden_pixels_do_not_matter_at_run_time(network, inputs):
    face, mask = inputs
    painted = torch.where(mask > 0, torch.full_like(face, 0.7), face)
    draw = noise(network, 1)
    torch.testing.assert_close(network(painted, mask, draw), network(face, mask, draw))


def test_training_sees_the_hidden_part_in_one_path_only(network, inputs):
    face, mask = inputs
    black = face.masked_fill(mask > 0, -1.0)

    def paths(clean):
        torch.manual_seed(0)
        with torch.no_grad():
            return network.both_paths(black, mask, clean)

    one, two = paths(face), paths(face * (1 - mask) - face * mask)
    assert [o.shape[-1] for o in one.generated] == [8, 16, 32, 64]
    assert not torch.equal(one.reconstructed[-1], two.reconstructed[-1])
    torch.testing.assert_close(one.generated[-1], two.generated[-1])
    assert not torch.equal(one.posterior.mean, two.posterior.mean)
    torch.testing.assert_close(one.conditional.mean, two.conditional.mean)


@torch.no_grad()
def test_attention_carries_known_features_into_the_hole():
    torch.manual_seed(0)
    layer = ShortLongAttention(8, 8)
    x, encoder = torch.randn(1, 8, 4, 4), torch.randn(1, 8, 4, 4)
    known = torch.ones(1, 1, 4, 4)
    known[..., 1, 2] = 0

    def change_at_the_hole():
        moved = encoder.clone()
        moved[..., 3, 0] += 5  # a known place, out of reach of the 3x3 convolutions
        return (layer(x, moved, known) - layer(x, encoder, known))[..., 1, 2].abs().max()

    layer.fuse.enter.weight[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = 0
    layer.fuse.leave.weight[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = 0
    assert change_at_the_hole() == 0  # it starts as if it were not there
    layer.long.fill_(1.0)
    assert change_at_the_hole() > 1e-3


def test_divergence_is_that_of_torch():
    torch.manual_seed(0)
    ours = [Gaussian(torch.randn(3, 4), torch.rand(3, 4) + 0.1) for _ in range(2)]
    p, q = (torch.distributions.Normal(g.mean, g.deviation) for g in ours)
    expected = torch.distributions.kl_divergence(p, q).mean()
    torch.testing.assert_close(ours[0].divergence(ours[1]), expected)
    assert ours[0].divergence(ours[0]) == pytest.approx(0, abs=1e-6)


def test_the_more_is_hidden_the_more_ways_there_are():
    mask = torch.zeros(3, 1, 10, 10)
    mask[1, :, :5] = 1
    mask[2] = 1
    spread = spread_of_hidden(mask).flatten()
    assert spread.tolist() == pytest.approx([0.168, 0.917, 0.998], abs=1e-3)


def block(a, b, hidden):
    """Weights and biases of a residual block."""
    return 9 * a * hidden + hidden + 9 * hidden * b + b + a * b + b


def up(a, b):
    return 9 * a * b + b + 9 * b * b + b + 9 * a * b + b


def test_parameters_by_hand():
    # Layers as the paper has them at 256x256: 32, 64, 128, 128, 128 channels, 128 of latents.
    encoder = block(4, 32, 32) + block(32, 64, 32) + block(64, 128, 64) + 2 * block(128, 128, 128)
    heads = 2 * block(128, 256, 128) + block(128, 128, 128)
    ups = up(128, 128) + up(128, 128) + up(131, 128) + up(131, 64) + up(67, 32)
    outputs = sum(9 * c * 3 + 3 for c in (128, 128, 64, 32))
    attention = 128 * 32 + 2 + block(256, 128, 128)
    assert count(PicNet()) == encoder + heads + ups + outputs + attention


def work(side, a, b, hidden):
    """Multiply-adds of a residual block that does not enlarge; a pool comes before its 1x1."""
    return side**2 * 9 * (a * hidden + hidden * b)


def test_multiply_adds_by_hand():
    total = work(256, 4, 32, 32) + 128**2 * 4 * 32
    total += work(128, 32, 64, 32) + 64**2 * 32 * 64
    total += work(64, 64, 128, 64) + 32**2 * 64 * 128
    total += work(32, 128, 128, 128) + 16**2 * 128**2
    total += work(16, 128, 128, 128) + 8**2 * 128**2
    total += work(8, 128, 256, 128) + 64 * 128 * 256  # what is likely, of the known part alone
    total += work(8, 128, 128, 128) + 64 * 128**2
    for side, a, b in [(8, 128, 128), (16, 128, 128), (32, 131, 128), (64, 131, 64), (128, 67, 32)]:
        # 3x3; transposed 3x3 of its output; transposed 3x3 of the input.
        total += side**2 * 9 * (a * b + b * b + a * b)
    total += sum(side**2 * 9 * c * 3 for side, c in [(32, 128), (64, 128), (128, 64), (256, 32)])
    places = 32**2
    total += places * 128 * 32 + places**2 * (32 + 128 + 128)
    total += work(32, 256, 128, 128) + places * 256 * 128
    network = PicNet()
    zeros = [torch.zeros(1, *s) for s in ((3, 256, 256), (1, 256, 256), network.noise_shape(256))]
    assert multiply_adds(network, *zeros) == total


def test_discriminator_scores_places_and_is_normed():
    torch.manual_seed(0)
    network = PicDiscriminator(0.25)
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, 1, 2, 2)
    for _ in range(30):  # its power iteration needs a few
        network(torch.randn(1, 3, 64, 64))
    kernel = network.eval().blocks[1].enter.weight.detach().flatten(1)
    assert torch.linalg.matrix_norm(kernel, 2) == pytest.approx(1, abs=0.02)
