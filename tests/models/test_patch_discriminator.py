from itertools import pairwise

import torch

from unveil.models.patch_discriminator import PatchDiscriminator


def test_parameters_by_hand():
    channels = [6, 64, 128, 256, 512]
    blocks = sum(16 * a + 2 * a + a * b for a, b in pairwise(channels))
    assert sum(p.numel() for p in PatchDiscriminator().parameters()) == blocks + 512 * 16


def test_patch_map_and_condition():
    torch.manual_seed(0)
    network = PatchDiscriminator(1, width=0.1).eval()
    image, a, b = (
        torch.rand(2, 1, 256, 256),
        torch.rand(2, 3, 256, 256),
        torch.zeros(2, 3, 256, 256),
    )
    assert network(image, a).shape == (2, 1, 16, 16)
    assert not torch.allclose(network(image, a), network(image, b))


def test_a_score_sees_a_patch_only():
    network = PatchDiscriminator(width=0.1).eval()
    # InstanceNorm spreads a change over the image; without it the scores are local.
    for i, layer in enumerate(network.model):
        if isinstance(layer, torch.nn.InstanceNorm2d):
            network.model[i] = torch.nn.Identity()
    x, condition = torch.rand(1, 3, 256, 256), torch.rand(1, 3, 256, 256)
    changed = x.clone()
    changed[..., :16, :16] = 0
    moved = (network(x, condition) - network(changed, condition)).abs()[0, 0] > 1e-7
    assert moved[0, 0]
    assert not moved[8:, 8:].any()
