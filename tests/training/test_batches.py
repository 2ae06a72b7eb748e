import dataclasses

import numpy as np
import torch
from tiny import CONFIG, faces

from unveil.training.batches import make_batch


def test_triplet_is_occluded_clean_and_mask():
    batch = make_batch(faces(), [(0, 0), (0, 1)], CONFIG, torch.device("cpu"))
    hidden = batch.mask > 0
    assert set(batch.mask.unique().tolist()) == {-1.0, 1.0}
    assert (batch.occluded[hidden.expand(-1, 3, -1, -1)] == -1).all()
    known = ~hidden.expand(-1, 3, -1, -1)
    assert torch.equal(batch.occluded[known], batch.clean[known])
    assert batch.clean.is_contiguous(memory_format=torch.channels_last)
    expected = faces().faces[0].astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(batch.clean[0].permute(1, 2, 0).numpy(), expected, atol=1e-6)


def test_occluders_change_each_epoch_unless_static():
    def masks(config):
        return [make_batch(faces(), [(e, 3)], config, torch.device("cpu")).mask for e in (0, 1)]

    moving = masks(CONFIG)
    assert not torch.equal(moving[0], moving[1])
    still = masks(dataclasses.replace(CONFIG, static_occluders=True))
    assert torch.equal(still[0], still[1])


def test_flip_mirrors_face_and_mask_together():
    config = dataclasses.replace(CONFIG, flip=True)
    batch = make_batch(faces(), [(0, i) for i in range(12)], config, torch.device("cpu"))
    plain = make_batch(faces(), [(0, i) for i in range(12)], CONFIG, torch.device("cpu"))
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(batch.mask, plain.mask, strict=True)]
    assert 0 < sum(mirrored) < 12
    for i, is_mirrored in enumerate(mirrored):
        face = plain.clean[i].flip(-1) if is_mirrored else plain.clean[i]
        assert torch.equal(batch.clean[i], face)


def test_mixed_occluders_reach_thirty_percent():
    config = dataclasses.replace(CONFIG, occluders="mixed")
    items = [(0, i % 12) for i in range(12)] + [(1, i) for i in range(12)]
    cpu = torch.device("cpu")
    coverage = make_batch(faces(), items, config, cpu).mask.gt(0).float().mean((1, 2, 3))
    plain = make_batch(faces(), items, CONFIG, cpu).mask.gt(0).float().mean((1, 2, 3))
    assert plain.max() <= 0.16
    assert 0.2 < coverage.max() <= 0.30
    assert coverage.min() < 0.10
