import pytest
import torch

from unveil.models.aligner import ALIGNER, Aligner


def fire(inputs, squeezed, wide):
    return inputs * squeezed + squeezed + squeezed * wide * (1 + 9) + 2 * wide


def block(channels):
    return 25 * channels + channels + 2 * 2 * channels * channels + 3 * channels


def awake(shape=ALIGNER):
    torch.manual_seed(0)
    network = Aligner(shape).eval()
    torch.nn.init.normal_(network.answer.weight)
    return network


def test_parameters_are_those_counted_by_hand_and_few_enough():
    trunk = 3 * 9 * 64 + 64
    trunk += fire(64, 16, 64) + fire(128, 16, 64) + fire(128, 32, 128) + fire(256, 32, 128)
    first, second = ALIGNER.widths
    seen = 257 * first + 65 * first + (4 * first + 1) * second
    answer = (second + 1) * 24 + (24 * 6 * 6 + 1) * 96 + 97 * 4
    expected = trunk + seen + 2 * block(first) + 3 * block(second) + answer
    assert sum(p.numel() for p in Aligner().parameters()) == expected
    assert expected < 750_000


def test_an_untrained_one_moves_nothing():
    moved = Aligner(ALIGNER.scaled(0.2))(torch.rand(2, 3, 256, 256), torch.zeros(2, 1, 256, 256))
    assert moved.shape == (2, 4)
    assert (moved == 0).all()


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        (slice(100, 140), False),  # hidden
        (slice(0, 40), False),  # above what it looks at
        (slice(200, 220), True),
    ],
)
def test_what_is_hidden_or_at_the_edge_is_not_looked_at(rows, seen):
    network = awake()
    face, mask = torch.rand(1, 3, 256, 256), torch.zeros(1, 1, 256, 256)
    mask[:, :, 100:140, 60:200] = 1
    other = face.clone()
    other[:, :, rows, 60:200] = -1
    with torch.no_grad():
        change = (network(face, mask) - network(other, mask)).abs().max()
    assert bool(change > 0) == seen


def test_the_mask_itself_counts():
    network, face = awake(), torch.zeros(1, 3, 256, 256)
    mask = torch.zeros(1, 1, 256, 256)
    mask[:, :, 100:140, 60:200] = 1
    with torch.no_grad():
        assert (network(face, mask) - network(face, mask * 0)).abs().max() > 0
