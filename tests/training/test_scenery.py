import cv2
import numpy as np
from drawn import draw_face

from unveil.training.scenery import bordered, dressed, ears_out, from_afar, on_plain

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


def test_ears_stand_out_and_the_face_stays():
    """A disc where an ear is grows and moves outwards; eyes, nose and mouth are untouched."""
    grown = outwards = 0
    for seed in SEEDS:
        face = np.full((256, 256, 3), 200, np.uint8)
        for x in (60, 196):
            cv2.circle(face, (x, 146), 12, (150, 80, 60), -1)
        face[90:230, 90:166] = FACE[90:230, 90:166]
        photo = ears_out(face, np.random.default_rng(seed))
        assert np.array_equal(photo[:, 104:152], face[:, 104:152])
        ear, before = (np.flatnonzero((p[146] < 180).all(axis=1)) for p in (photo[:, :90], face))
        grown += len(ear) > (before < 90).sum()
        outwards += ear.min() < before.min()
    assert grown > len(SEEDS) * 0.8
    assert outwards > len(SEEDS) * 0.8


def test_a_plain_wall_gets_another_colour_and_the_head_stays():
    y, x = np.mgrid[:256, :256]
    head = ((x - 128) / 85) ** 2 + ((y - 136) / 115) ** 2 <= 1
    face = np.where(head[..., None], (190, 140, 120), (90, 110, 60)).astype(np.uint8)
    inside = cv2.erode(head.astype(np.uint8), np.ones((9, 9))) > 0
    outside = cv2.dilate(head.astype(np.uint8), np.ones((9, 9))) == 0
    for seed in SEEDS:
        photo = on_plain(face, np.random.default_rng(seed))
        assert np.array_equal(photo[inside], face[inside])
        assert (photo[outside] != (90, 110, 60)).any(axis=1).mean() > 0.95
    leaking = np.full_like(face, 120)
    assert np.array_equal(on_plain(leaking, np.random.default_rng(0)), leaking)
    noise = np.random.default_rng(1).integers(0, 256, face.shape, np.uint8)
    assert np.array_equal(on_plain(noise, np.random.default_rng(0)), noise)
