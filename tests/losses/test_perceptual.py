import os
import pickle

import numpy as np
import pytest
import torch
from drawn import draw_face

from unveil.errors import WeightsError
from unveil.imaging import to_network
from unveil.losses.perceptual import SqueezeFeatures, perceptual_distance

LAYERS = {"conv1": (3, 3, 3, 64)}
for number, (inputs, squeezed, wide) in enumerate(
    [(64, 16, 64), (128, 16, 64), (128, 32, 128), (256, 32, 128), (256, 48, 192), (384, 48, 192)], 2
):
    LAYERS[f"fire{number}/squeeze1x1"] = (1, 1, inputs, squeezed)
    LAYERS[f"fire{number}/expand1x1"] = (1, 1, squeezed, wide)
    LAYERS[f"fire{number}/expand3x3"] = (3, 3, squeezed, wide)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights in the file format of the package that carries the real ones."""
    rng = np.random.default_rng(0)
    table = {
        name: [
            rng.normal(0, (shape[0] * shape[1] * shape[2]) ** -0.5, shape).astype(np.float32),
            np.zeros(shape[-1], np.float32),
        ]
        for name, shape in LAYERS.items()
    }
    path = tmp_path_factory.mktemp("features") / "squeezenet_weights.pkl"
    path.write_bytes(pickle.dumps(table))
    return path


def face(size: int = 64) -> torch.Tensor:
    return torch.from_numpy(to_network(draw_face(1, size)[None]))


def test_distance_is_zero_for_equal_images_and_grows_with_damage(weights):
    network = SqueezeFeatures.load(weights)
    clean = face()
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    distances = [
        perceptual_distance(network(clean + amount * noise), network(clean)).item()
        for amount in (0, 0.05, 0.3)
    ]
    assert distances[0] == 0
    assert 0 < distances[1] < distances[2]


def test_features_are_about_unit_length_and_gradients_reach_the_image(weights):
    network = SqueezeFeatures.load(weights)
    image = face().requires_grad_()
    layers = network(image)
    assert [layer.shape[1] for layer in layers] == [64, 128, 256, 384]
    assert all(0.3 < layer.norm(dim=1).mean() < 1 for layer in layers)
    perceptual_distance(layers, [layer.detach() * 0 for layer in layers]).sum().backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().max() > 0
    assert not list(network.parameters())  # frozen


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.pkl"
    for data in (b"", b"no pickle", pickle.dumps({"conv1": 1}), pickle.dumps(Evil())):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=r"x\.pkl: not the SqueezeNet"):
            SqueezeFeatures.load(path)
    with pytest.raises(WeightsError, match=r"none\.pkl"):
        SqueezeFeatures.load(tmp_path / "none.pkl")
