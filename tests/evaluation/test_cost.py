import numpy as np
import onnx
import pytest
import torch
from drawn import draw_face
from lowrank import turned_heads
from torch import nn

from unveil.bench import sample_mask
from unveil.errors import WeightsError
from unveil.evaluation.cost import Cost, cost_of_network, cost_of_prior, says_reimplementation
from unveil.models.prior_fit import fit


class Mixed(nn.Module):
    """A layer of each kind that counts, with a reshape that depends on the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 4, stride=2, padding=1, groups=3)
        self.up = nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1, bias=False)
        self.linear = nn.Linear(5, 7)

    def forward(self, x):
        y = self.up(self.conv(x))  # (1, 4, 8, 8)
        n, c, h, w = y.shape
        flat = y.reshape(n, c, h * w)
        match = flat.transpose(1, 2) @ flat  # (1, 64, 64)
        return self.linear(match[:, 0, :5])


def write(path):
    torch.onnx.export(
        Mixed(),
        (torch.zeros(1, 3, 8, 8),),
        str(path),
        input_names=["face"],
        dynamic_axes={"face": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


@pytest.mark.filterwarnings("ignore")
def test_a_network_by_hand(tmp_path):
    write(tmp_path / "mixed.onnx")
    cost = cost_of_network(tmp_path / "mixed.onnx", sample_mask())
    conv, up = 6 * 16 + 6, 6 * 4 * 16
    assert cost.parameters == conv + up + 5 * 7 + 7
    # The convolution makes 4x4 places from 4x4 pixels of one channel each; each of its 4x4x6
    # values spreads over 4x4 places of 4 channels; 64x64 products of 4; 7 of 5.
    expected = 4 * 4 * 6 * 16 + 4 * 4 * 6 * 4 * 16 + 64 * 64 * 4 + 7 * 5
    assert cost.multiply_adds == expected
    assert cost.file_bytes == (tmp_path / "mixed.onnx").stat().st_size


class Cut(nn.Module):
    """A layer at the hidden rows alone."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, face, mask):
        hidden = mask[0, 0].amax(1)
        first, last = hidden.argmax(0), 256 - hidden.flip(0).argmax(0)
        return self.conv(face[:, :, first:last])


@pytest.mark.filterwarnings("ignore")
def test_work_is_that_of_what_is_hidden(tmp_path):
    torch.onnx.export(
        Cut(),
        (torch.zeros(1, 3, 256, 256), torch.zeros(1, 1, 256, 256)),
        str(tmp_path / "cut.onnx"),
        input_names=["face", "mask"],
        dynamic_axes={"face": {0: "batch"}, "mask": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    rows = int(sample_mask().any(axis=1).sum())
    assert 0 < rows < 256
    assert cost_of_network(tmp_path / "cut.onnx", sample_mask()).multiply_adds == rows * 256 * 3 * 2


@pytest.mark.filterwarnings("ignore")
def test_a_file_says_whose_network_it_is(tmp_path):
    path = tmp_path / "mixed.onnx"
    write(path)
    assert not says_reimplementation(path)
    model = onnx.load(path)
    model.metadata_props.add(key="unveil.reimplementation", value="true")
    onnx.save(model, path)
    assert says_reimplementation(path)


def test_a_prior_by_hand(tmp_path):
    prior = fit(np.stack([draw_face(i, 32) for i in range(20)]), 16, 8, 6)
    prior.save(tmp_path / "prior.npz")
    cost = cost_of_prior(prior, tmp_path / "prior.npz", sample_mask())
    entries, kept = 16 * 16 + 2 * 8 * 8, 6
    assert cost.parameters == entries + entries // 2 * kept + kept + 16 * 16
    hidden = round(float(sample_mask().mean()) * entries)
    assert cost.multiply_adds == hidden * kept * kept + 72 + 2 * entries * kept


def test_a_prior_of_two_gaussians_by_hand(tmp_path):
    heads, turns = turned_heads(60, 1)
    prior = fit(heads, 16, 8, 6, turns=turns, turned=5)
    prior.save(tmp_path / "prior.npz")
    cost = cost_of_prior(prior, tmp_path / "prior.npz", sample_mask())
    entries, texture = 16 * 16 + 2 * 8 * 8, 16 * 16
    front, turned = entries + entries // 2 * 6 + 6 + texture, entries + entries * 5 + 5 + texture
    assert cost.parameters == front + turned + 6  # and the direction of the turn
    hidden = round(float(sample_mask().mean()) * entries)
    works = [hidden * k * k + k**3 // 3 + 2 * entries * k for k in (6, 5)]
    assert cost.multiply_adds == sum(works)


def test_costs_add_up():
    assert Cost(1, 2, 3) + Cost(10, None, 30) == Cost(11, 2, 33)
    assert (Cost() + Cost()).multiply_adds is None


def test_no_network(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"x\.onnx"):
        cost_of_network(tmp_path / "x.onnx", sample_mask())
