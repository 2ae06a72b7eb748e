import pytest
import torch
from drawn import draw_face
from squeeze import write_weights

from unveil.imaging import to_network
from unveil.losses.perceptual import SqueezeFeatures, perceptual_distance


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("features"))


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
    assert not any(p.requires_grad for p in network.parameters())  # frozen
