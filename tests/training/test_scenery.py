import numpy as np
from drawn import draw_face

from unveil.training.scenery import bordered, dressed, from_afar

FACE, OTHER = draw_face(1), draw_face(2)
MASK = np.zeros((256, 256), np.float32)
MASK[150:256, 60:190] = 1
SEEDS = range(20)


def test_clothes_leave_the_face():
    painted = 0
    for seed in SEEDS:
        photo = dressed(FACE, OTHER, np.random.default_rng(seed))
        assert photo.dtype == np.uint8
        assert np.array_equal(photo[80:210, 100:156], FACE[80:210, 100:156])
        painted += (photo != FACE).any(axis=2).mean() > 0.03
    assert painted > len(SEEDS) / 2


def test_clothes_hide_the_occluder_under_them():
    kept = [from_afar(FACE, np.ones_like(MASK), OTHER, np.random.default_rng(s))[1] for s in SEEDS]
    assert all(mask[:150, 100:156].min() > 0.99 for mask in kept)
    assert np.mean([mask[-1].min() < 0.01 for mask in kept]) > 0.9


def test_a_face_from_afar_is_smaller_and_keeps_its_occluder():
    for seed in SEEDS:
        photo, mask = from_afar(FACE, MASK, OTHER, np.random.default_rng(seed))
        assert photo.shape == FACE.shape
        # FAR: three quarters of the size, 32 to the right.
        near, small = FACE[112:168:4, 100:160:4], photo[84:126:3, 107:152:3]
        assert np.abs(near.astype(int) - small).mean() < 12
        assert mask[116:150, 100:156].min() > 0.99
        assert not mask[:108].any()


def test_a_border_is_of_one_colour_and_hides_nothing():
    for seed in SEEDS:
        photo, mask = bordered(FACE, MASK, np.random.default_rng(seed))
        changed = (photo != FACE).any(axis=2)
        assert 0 < changed.mean() < 0.26
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        strip = photo[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert len(np.unique(strip.reshape(-1, 3), axis=0)) == 1
        assert not mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].any()
        assert not np.shares_memory(photo, FACE)


def test_the_same_seed_gives_the_same_scene():
    first, again, other = (dressed(FACE, OTHER, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
