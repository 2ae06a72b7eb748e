import numpy as np
import pytest

from unveil.occlusion.objects.bands import SEEN, THICK, VANISHED, loops
from unveil.occlusion.objects.drawing import jitter
from unveil.occlusion.objects.head import Head


def test_bands_are_cords_tapes_and_sometimes_ruffles():
    thick = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        thick.append(loops(rng, jitter(rng, Head(256)), 60, 165, 205).thick)
    shares = [np.mean([low <= t <= high for t in thick]) for low, high in THICK.values()]
    assert 0.5 < shares[0] < 0.8
    assert 0.15 < shares[1] < 0.4
    assert 0.02 < shares[2] < 0.16
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("turn", [None, 0.5, -0.5])
def test_bands_are_seen_all_the_way_to_the_ear(turn):
    ears = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        pose = jitter(rng, Head(256, turn))
        bands = loops(rng, pose, rng.uniform(50, 66), 165, 205)
        pose = pose.around(*bands.curves)
        x, y = pose.grid()
        alpha = bands.drawn(pose, x, y)
        assert alpha.min() >= 0
        assert alpha.max() <= 1
        away = np.min([np.hypot(x - a, y - b) for a, b in bands.ends], axis=0)
        assert alpha[away < VANISHED].max(initial=0) < 0.05
        for curve in bands.curves:
            # Of its middle each piece is there, however near to the ear the mask's corner lies.
            clear = [p for p in curve if np.hypot(*(np.array(bands.ends) - p).T).min() > SEEN + 1]
            for column, row in np.rint(pose.points(np.array(clear))).astype(int)[3:]:
                near = alpha[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
                assert near.max() > 0.5
        ears += len(bands.ends)
    # Of a head turned aside the far ear is out of sight.
    assert ears == 80 if turn is None else 40 <= ears < 80
