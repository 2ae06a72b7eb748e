"""Things held before a face, and the hands that hold them."""

from __future__ import annotations

import numpy as np
import pytest

from unveil.occlusion.objects.grips import Place
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.held import FAMILIES
from unveil.occlusion.objects.layer import POINTS
from unveil.occlusion.objects.props import PROPS
from unveil.occlusion.objects.raster import Canvas

SIZE = 128


@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_layer_keeps_its_contract(family: str) -> None:
    covered = []
    for seed in range(12):
        layer = FAMILIES[family](np.random.default_rng(seed), Head(SIZE))
        again = FAMILIES[family](np.random.default_rng(seed), Head(SIZE))
        assert layer.colour.shape == (SIZE, SIZE, 3)
        assert layer.colour.dtype == layer.alpha.dtype == np.float32
        assert 0 <= layer.alpha.min() <= layer.alpha.max() <= 1.0001
        assert 0 <= layer.colour.min() <= layer.colour.max() <= 255
        assert 0.03 <= layer.lift <= 0.06
        assert layer.colour.tobytes() == again.colour.tobytes()
        assert layer.alpha.tobytes() == again.alpha.tobytes()
        covered.append(layer.alpha.mean())
    assert min(covered) > 0.02
    assert max(covered) < 0.65


def test_every_point_of_the_face_is_hidden_by_something_sometimes() -> None:
    hidden = np.zeros(len(POINTS))
    x, y = np.rint(POINTS.T * SIZE).astype(int)
    n = 20
    for family in FAMILIES.values():
        for seed in range(n):
            hidden += family(np.random.default_rng(seed), Head(SIZE)).alpha[y, x] > 0.5
    assert (hidden > 0.04 * n * len(FAMILIES)).all()


@pytest.mark.parametrize("what", list(PROPS))
def test_fingers_grip_the_edge_of_the_thing(what: str) -> None:
    for seed in range(10):
        canvas, place = Canvas(SIZE), Place(64, 50, 0.5, 0.2)
        how = PROPS[what](np.random.default_rng(seed), canvas, place)
        for grip in how.grips:
            steps = np.array([[-8.0], [8.0]]) * np.array(grip.inward) + np.array(grip.at)
            (out_x, out_y), (in_x, in_y) = np.rint(place.points(steps)).astype(int)
            within = canvas.alpha[in_y - 2 : in_y + 3, in_x - 2 : in_x + 3].max()
            assert within > 0.8  # a glass lets something through
            if what not in ("flowers", "cup"):  # stems and handles stand out of their edge
                assert canvas.alpha[out_y, out_x] < 0.1
