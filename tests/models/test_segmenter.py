import torch

from unveil.models.folded import shares
from unveil.models.segmenter import SEGMENTER, Segmenter


def fire(inputs, squeezed, wide):
    return inputs * squeezed + squeezed + squeezed * wide * (1 + 9) + 2 * wide


def block(channels):
    return 25 * channels + channels + 2 * 2 * channels * channels + 3 * channels


def test_parameters_are_those_counted_by_hand_and_few_enough():
    trunk = 3 * 9 * 64 + 64
    trunk += fire(64, 16, 64) + fire(128, 16, 64)
    trunk += fire(128, 32, 128) + fire(256, 32, 128) + fire(256, 48, 192)
    first, second, third = SEGMENTER.widths
    seen = 385 * third + 257 * second + 129 * first + 49 * first
    code = third * 16 * 16
    coarse = 2 * block(third) + (2 * third + 1) * third + (third + 1) * 4 * third
    ups = (third + 1) * 4 * second + (second + 1) * 4 * first + (first + 1) * 16
    expected = trunk + seen + code + coarse + 2 * block(second) + 2 * block(first) + ups
    assert sum(p.numel() for p in Segmenter().parameters()) == expected
    assert expected < 600_000


def test_an_untrained_one_is_undecided_and_keeps_the_faces_size():
    logits = Segmenter(SEGMENTER.scaled(0.25))(torch.rand(2, 3, 256, 256) * 2 - 1)
    assert logits.shape == (2, 1, 256, 256)
    assert (logits == 0).all()


def test_a_trained_one_answers_place_by_place():
    torch.manual_seed(0)
    network = Segmenter(SEGMENTER.scaled(0.25)).eval()
    torch.nn.init.normal_(network.head.weight)
    face = torch.rand(1, 3, 256, 256) * 2 - 1
    changed = face.clone()
    changed[..., :32, :32] = 0
    with torch.no_grad():
        step = (network(face) - network(changed)).abs()[0, 0]
    assert step[:32, :32].mean() > 10 * step[128:, 64:192].mean()


def test_shares_of_attention_are_a_softmax_without_subnormal_numbers():
    match = torch.tensor([[0.0, -2.0, -60.0, -95.0, -200.0]])
    exact = match.double().softmax(-1)
    assert exact[0, 3] < torch.finfo(torch.float32).tiny
    assert exact[0, 2] < 1e-20
    assert shares(match).min() * 1e-6 > torch.finfo(torch.float32).tiny
    torch.testing.assert_close(shares(match).double(), exact, rtol=1e-6, atol=2e-30)
