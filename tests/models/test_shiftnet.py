from itertools import pairwise

import pytest
import torch
from counting import count, multiply_adds

from unveil.models.patchgan import PatchGan
from unveil.models.shiftnet import ShiftNet, guidance_loss, hidden_places, shift

DOWN = [4, 64, 128, 256, 512, 512, 512, 512]
UP_IN = [512, 1024, 1024, 1024, 768, 256, 128]  # the fifth has the shifted features, too
UP_OUT = [512, 512, 512, 256, 128, 64, 3]


def test_a_hidden_place_gets_the_known_feature_nearest_in_cosine():
    generator = torch.Generator().manual_seed(0)
    decoder, encoder = (torch.randn(2, 5, 6, 7, generator=generator) for _ in range(2))
    encoder *= torch.rand(2, 1, 6, 7, generator=generator) * 10  # a cosine is blind to lengths
    hidden = torch.zeros(2, 1, 6, 7)
    hidden[0, :, 2:5, 1:4] = 1
    hidden[1, :, :, 3] = 1
    shifted = shift(decoder, encoder, hidden)
    for n in range(2):
        known = [(y, x) for y in range(6) for x in range(7) if not hidden[n, 0, y, x]]
        for y in range(6):
            for x in range(7):
                if (y, x) in known:
                    assert not shifted[n, :, y, x].any()
                    continue
                asked = decoder[n, :, y, x]
                nearest = max(
                    known, key=lambda p: torch.cosine_similarity(asked, encoder[n, :, *p], dim=0)
                )
                assert torch.equal(shifted[n, :, y, x], encoder[n, :, *nearest])


def test_a_hidden_feature_is_never_copied_however_near():
    encoder = torch.zeros(1, 2, 1, 3)
    encoder[0, :, 0] = torch.tensor([[1.0, 0.0, 3.0], [0.0, -1.0, 3.0]])
    hidden = torch.tensor([0.0, 0.0, 1.0]).reshape(1, 1, 1, 3)
    decoder = encoder.clone()  # each place would like itself best
    assert shift(decoder, encoder, hidden)[0, :, 0, 2].tolist() == [1.0, 0.0]


def test_what_is_copied_has_a_gradient():
    encoder = torch.randn(1, 3, 4, 4, requires_grad=True)
    hidden = torch.zeros(1, 1, 4, 4)
    hidden[..., :2] = 1
    shift(torch.randn(1, 3, 4, 4), encoder, hidden).sum().backward()
    assert encoder.grad is not None
    copies = encoder.grad[0, 0]  # how often each place was copied
    assert copies.sum() == hidden.sum()
    assert not copies[:, :2].any()


def test_guidance_is_zero_for_equal_features_and_blind_to_known_places():
    feature = torch.randn(2, 3, 4, 4)
    hidden = torch.zeros(2, 1, 4, 4)
    hidden[..., 1] = 1
    assert guidance_loss(feature, feature.clone(), hidden) == 0
    elsewhere = feature + 5 * (1 - hidden)
    assert guidance_loss(elsewhere, feature, hidden) == 0
    assert guidance_loss(feature + 2 * hidden, feature, hidden) == pytest.approx(4)


def test_a_place_is_hidden_if_any_of_its_pixels_is():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 7, 8] = 1
    assert hidden_places(mask, 8)[0, 0].tolist() == [[0, 1], [0, 0]]


def test_shape_range_and_blindness_to_hidden_pixels():
    torch.manual_seed(0)
    network = ShiftNet(0.05)
    face, mask = torch.rand(2, 3, 128, 128) * 2 - 1, torch.zeros(2, 1, 128, 128)
    mask[..., 40:80, 30:90] = 1
    with torch.no_grad():
        out = network(face, mask)
        other = network(torch.where(mask > 0, torch.full_like(face, 0.7), face), mask)
    assert out.shape == (2, 3, 128, 128)
    assert out.abs().max() <= 1
    torch.testing.assert_close(other, out)
    assert network(face[:1].expand(1, -1, -1, -1), mask[:1]).shape == (1, 3, 128, 128)


def test_guidance_reaches_the_decoder():
    torch.manual_seed(0)
    network = ShiftNet(0.05)
    face, mask = torch.rand(1, 3, 128, 128) * 2 - 1, torch.zeros(1, 1, 128, 128)
    mask[..., 40:80, 30:90] = 1
    out, guidance = network.guided(face, mask, face)
    torch.testing.assert_close(out, network(face, mask))
    guidance.backward()
    assert network.ups[3][0].weight.grad.abs().max() > 0  # makes the features that are guided
    assert network.ups[4][0].weight.grad is None  # comes after them


def test_parameters_and_multiply_adds_by_hand():
    downs = sum(16 * a * b for a, b in pairwise(DOWN))
    ups = sum(16 * a * b for a, b in zip(UP_IN, UP_OUT, strict=True))
    assert count(ShiftNet()) == downs + ups + 3 == 42_346_499
    # A down makes (128 >> i)^2 places from 4x4 pixels; an up spreads (2 << i)^2 over 4x4 each.
    total = sum((128 >> i) ** 2 * 16 * a * b for i, (a, b) in enumerate(pairwise(DOWN)))
    total += sum(
        (2 << i) ** 2 * 16 * a * b for i, (a, b) in enumerate(zip(UP_IN, UP_OUT, strict=True))
    )
    total += 1024 * 1024 * 256  # each of 32x32 places against each
    face, mask = torch.zeros(1, 3, 256, 256), torch.zeros(1, 1, 256, 256)
    assert multiply_adds(ShiftNet(), face, mask) == total


def test_the_patch_discriminator_sees_70_by_70():
    image = torch.randn(1, 3, 128, 128, requires_grad=True)
    network = PatchGan(3, 0.1)
    for layer in network.model:
        if isinstance(layer, torch.nn.InstanceNorm2d):
            layer.forward = lambda x: x  # a norm sees the whole image
    scores = network(image)
    assert scores.shape == (1, 1, 14, 14)
    scores[0, 0, 7, 7].backward()
    seen = image.grad.abs().sum((0, 1)).nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [70, 70]
    assert count(PatchGan()) == 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 961
