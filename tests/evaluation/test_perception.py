import numpy as np
import pytest
import torch
from drawn import draw_face

from unveil.evaluation.perception import Eye
from unveil.imaging import to_network
from unveil.losses.perceptual import perceptual_distance
from unveil.occlusion.shapes import box_mask

MASK = box_mask(16, 16, 32, 16, 64)


class Blocks:
    """Stands for SqueezeNet: mean colours of blocks of 2, 4, 8 and 16 pixels."""

    def __call__(self, image):
        return [torch.nn.functional.avg_pool2d(image, n) for n in (2, 4, 8, 16)]


def test_whole_hidden_and_pooled():
    clean = draw_face(1, 64)
    output = clean.copy()
    output[MASK] = 255 - output[MASK]
    truth, same, seen = Eye(Blocks()).compare(clean, [clean, output], MASK)
    assert (truth.whole, truth.hidden, same.hidden) == (0, 0, 0)
    layers = [Blocks()(torch.from_numpy(to_network(face[None]))) for face in (output, clean)]
    assert seen.whole == pytest.approx(float(perceptual_distance(*layers)[0]))
    # Blocks lie wholly inside the mask or outside, so all of the distance is in the hidden part.
    assert seen.hidden == pytest.approx(seen.whole / MASK.mean(), rel=1e-5)
    values = to_network(output[None])[0]
    assert seen.pooled_whole == pytest.approx(values.mean((1, 2)), abs=1e-5)
    assert seen.pooled_hidden == pytest.approx(values[:, MASK].mean(1), abs=1e-5)


def test_what_is_wrong_outside_does_not_count_for_the_hidden_part():
    clean = draw_face(2, 64)
    output = np.where(MASK[..., None], clean, 255 - clean).astype(np.uint8)
    _, seen = Eye(Blocks()).compare(clean, [output], MASK)
    assert seen.hidden == 0
    assert seen.whole > 0
