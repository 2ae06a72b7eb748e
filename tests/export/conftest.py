import numpy as np
import pytest
import torch
from drawn import draw_face

from unveil.models.prior_fit import fit
from unveil.training import checkpoint
from unveil.training.config import LiteConfig
from unveil.training.lite_model import make_lite


@pytest.fixture(scope="module")
def lite_checkpoint(tmp_path_factory):
    """A tiny `lite` on a tiny prior, with a correction that is not zero."""
    folder = tmp_path_factory.mktemp("lite")
    faces = np.stack([draw_face(seed) for seed in range(30)])
    prior = folder / "prior.npz"
    fit(faces, 32, 8, 12).save(prior)
    config = LiteConfig(prior=str(prior), width=0.17)
    torch.manual_seed(0)
    network = make_lite(config)
    torch.nn.init.normal_(network.trunk.head.weight, std=0.05)
    data = torch.from_numpy(np.frombuffer(prior.read_bytes(), np.uint8).copy())
    state = {"generator": {"network": network.state_dict()}, "prior": data}
    path = folder / "last.ckpt"
    checkpoint.save(path, {**state, "config": config.to_dict(), "faces_seen": 9})
    return path, network, faces
