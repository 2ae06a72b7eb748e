"""The network that users get is the whole one, made only where something is hidden."""

from __future__ import annotations

import pytest
import torch

from unveil.models.folded import CELL, FoldedShape, Places
from unveil.models.lite import Detailed, Lite

SIDE = 256
MASKS = {
    "in the middle": (slice(100, 140), slice(90, 150)),
    "a corner": (slice(0, 30), slice(0, 20)),
    "the other corner": (slice(250, 256), slice(200, 256)),
    "a pixel at a place's edge": (slice(127, 128), slice(128, 129)),
    "a row": (slice(60, 61), slice(0, 256)),
    "nothing": (slice(0, 0), slice(0, 0)),
    "everything": (slice(0, 256), slice(0, 256)),
}


def make(blocks=(2, 2, 1), side=SIDE):
    """A small network whose every layer says something."""
    torch.manual_seed(0)
    lite = Lite(FoldedShape((8, 8, 16), blocks, side=side)).eval()
    with torch.no_grad():
        for weights in lite.parameters():
            fan = weights[0].numel() if weights.ndim == 4 and weights.shape[0] > 1 else 16
            weights.copy_(torch.randn_like(weights) * (2 / fan) ** 0.5)
    return lite.double()  # sums in another order differ by nothing that counts


def shades(n):
    return torch.rand(n, 3, SIDE, SIDE, dtype=torch.float64) * 2 - 1


def hide(rows, columns, side=SIDE):
    mask = torch.zeros(1, 1, side, side, dtype=torch.float64)
    mask[:, :, rows, columns] = 1
    return mask


def whole(lite, face, mask, detail):
    likely, sharp = lite(face, mask)
    return likely + detail * (sharp - likely)


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("blocks", [(2, 2, 1), (1, 0, 2), (3, 1, 0)])
def test_what_is_made_around_the_hidden_part_is_what_the_whole_network_makes(name, blocks):
    lite, mask = make(blocks), hide(*MASKS[name])
    face, detail = shades(1), torch.full((1, 1, 1, 1), 0.7).double()
    with torch.no_grad():
        made, expected = Detailed(lite)(face, mask, detail), whole(lite, face, mask, detail)
    assert torch.allclose(made, expected, atol=1e-9)
    if name != "nothing":
        assert (expected - face).abs().max() > 0.1  # it does say something
    assert torch.equal(made * (1 - mask), face * (1 - mask))


def test_faces_of_a_batch_with_different_parts_hidden_are_made_as_each_alone():
    lite = make()
    mask = torch.cat([hide(*MASKS["a corner"]), hide(*MASKS["in the middle"])])
    face, detail = (
        shades(2),
        torch.tensor([0.0, 1.0]).double().reshape(2, 1, 1, 1),
    )
    with torch.no_grad():
        together = Detailed(lite)(face, mask, detail)
        for i in range(2):
            alone = Detailed(lite)(face[i : i + 1], mask[i : i + 1], detail[i : i + 1])
            assert torch.allclose(together[i], alone[0], atol=1e-9)


def test_the_way_up_is_gone_only_around_what_is_hidden():
    lite, seen = make(), []
    lite.trunk.head.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[-2:]))
    face, detail = shades(1), torch.zeros(1, 1, 1, 1).double()
    with torch.no_grad():
        Detailed(lite)(face, hide(slice(64, 80), slice(96, 128)), detail)
    # One place high and two wide at 1/16, with one more on each side, at 1/4.
    assert seen == [torch.Size([4 * 3, 4 * 4])]


def test_places_are_put_back_where_they_were_cut():
    mask = hide(slice(40, 50), slice(30, 70), 96)
    places = Places.around(mask)
    image = torch.rand(1, 2, 96, 96).double()
    expected = torch.zeros_like(image)
    expected[:, :, 32:64, 16:80] = image[:, :, 32:64, 16:80]
    assert torch.equal(places.put(places.of(image, CELL), 96), expected)
    assert torch.equal(places.grown(9, 6).of(image, CELL), image)
