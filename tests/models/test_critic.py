import pytest
import torch

from unveil.models.critic import Critic

CHANNELS = (64, 128, 256, 384)
SIDES = (64, 32, 16, 8)


FEW = (6, 6, 6, 6)
FEW_SIDES = (16, 8, 4, 4)


def features(n, scale=1.0, channels=CHANNELS, sides=SIDES) -> list[torch.Tensor]:
    return [scale * torch.rand(n, c, s, s) for c, s in zip(channels, sides, strict=True)]


def test_each_place_of_each_scale_has_a_score():
    scores = Critic(CHANNELS)(features(2), torch.zeros(2, 1, 128, 128))
    assert [tuple(s.shape) for s in scores] == [(2, 1, n, n) for n in (32, 32, 16, 8)]
    narrow = Critic(CHANNELS, width=0.2)
    assert sum(p.numel() for p in narrow.parameters()) < 60_000
    with pytest.raises(ValueError, match="zip"):
        Critic(CHANNELS[:3])


def test_it_learns_what_is_blurred():
    torch.manual_seed(0)
    critic = Critic(FEW, width=0.1)
    adam = torch.optim.Adam(critic.parameters(), 5e-3)
    mask = torch.ones(8, 1, 32, 32)

    def judged():
        return [critic(features(8, strength, FEW, FEW_SIDES), mask) for strength in (1.0, 0.4)]

    for _ in range(80):
        real, fake = judged()
        loss = sum(((r - 1) ** 2).mean() + (f**2).mean() for r, f in zip(real, fake, strict=True))
        adam.zero_grad()
        loss.backward()
        adam.step()
    real, fake = judged()
    assert all(r.mean() > f.mean() + 0.3 for r, f in zip(real, fake, strict=True))
