import numpy as np
from drawn import draw_face

from unveil.training.augment import (
    _shrunk,
    at_edge,
    cut_off,
    dye,
    elsewhere,
    misalign,
    printed,
    rough_up,
)

FACE = draw_face(1)
MASK = np.zeros((256, 256), np.float32)
MASK[100:200, 60:190] = 1


def test_dye_colours_the_occluder_alone_and_keeps_its_shading():
    for seed in range(10):
        photo = dye(FACE, MASK, np.random.default_rng(seed))
        assert np.array_equal(photo[MASK == 0], FACE[MASK == 0])
        inside = photo[MASK == 1].astype(float)
        assert np.abs(inside - FACE[MASK == 1]).mean() > 3
        grey = FACE[MASK == 1].mean(axis=1)
        assert np.corrcoef(inside.max(axis=1), grey)[0, 1] > 0.5


def test_a_print_covers_the_occluder_alone_and_keeps_its_shading():
    squares = np.indices((256, 256)).sum(axis=0) // 12 % 2 * 255
    squares = np.repeat(squares[..., None], 3, axis=2).astype(np.uint8)
    ramp = FACE.copy()
    ramp[100:200] = np.linspace(60, 180, 100).astype(np.uint8)[:, None, None]
    for seed in range(10):
        photo = printed(ramp, MASK, squares, np.random.default_rng(seed))
        assert np.array_equal(photo[MASK == 0], ramp[MASK == 0])
        inside = photo[100:200, 60:190].astype(float)
        assert np.ptp(inside, axis=1).min() > 50  # squares in each row
        assert np.corrcoef(inside.max(axis=(1, 2)), np.arange(100))[0, 1] > 0.8


def test_roughness_moves_photo_and_mask_together():
    white = np.where(MASK[..., None] > 0, np.uint8(255), np.uint8(0)) * np.ones(3, np.uint8)
    moved = 0
    for seed in range(20):
        photo, mask = rough_up(white, MASK, np.random.default_rng(seed))
        assert photo.shape == FACE.shape
        assert photo.dtype == np.uint8
        bright = photo.max(axis=2) > 0.5 * photo.max()
        both, either = (bright & (mask > 0.5)).sum(), (bright | (mask > 0.5)).sum()
        assert both / either > 0.9
        moved += not np.array_equal(mask, MASK)
    assert 5 < moved < 20


def test_a_face_of_fewer_pixels_stays_where_it_is():
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (256, 256, 3))
    for share in (0.252, 0.3, 0.4316, 0.77):
        for image in (ramp, ramp.transpose(1, 0, 2)):
            moved = _shrunk(np.ascontiguousarray(image), share).astype(float) - image
            assert np.abs(moved[8:-8, 8:-8]).max() <= 1
            assert abs(moved[8:-8, 8:-8].mean()) < 0.3


def test_the_same_seed_gives_the_same_photo():
    first, second, third = (rough_up(FACE, MASK, np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_misaligned_images_move_alike_and_no_further_than_asked():
    ramp = np.mgrid[:256, :256].astype(np.float32)  # each pixel holds its own place
    rows, columns = ramp
    for seed in range(10):
        parts = [rows, columns, FACE]
        down, right, face = misalign(parts, np.random.default_rng(seed), 0.5)
        assert face.dtype == np.uint8
        # The face's middle has moved with the places, and little.
        row, column = down[128, 128], right[128, 128]
        assert abs(row - 128) < 20
        assert abs(column - 128) < 20
        assert abs(face[128, 128].astype(int) - FACE[round(row), round(column)]).max() < 40
        step = np.hypot(down[129, 128] - row, right[129, 128] - column)
        assert 0.9 < step < 1.1
    assert np.array_equal(misalign([FACE], np.random.default_rng(0), 0.0)[0], FACE)


def test_a_face_elsewhere_is_the_same_face_in_another_light():
    seen = []
    for seed in range(40):
        photo = elsewhere(FACE, np.random.default_rng(seed))
        assert photo.shape == FACE.shape
        inside = (slice(90, 180), slice(80, 176))
        light = [x[inside].astype(float).mean(axis=2).ravel() for x in (photo, FACE)]
        seen.append(light[0].mean() / light[1].mean())
        assert np.corrcoef(*light)[0, 1] > 0.8
    assert min(seen) < 0.75
    assert max(seen) > 1.15
    assert 5 < np.isclose(seen, 1, atol=0.02).sum() < 30  # many stay as they are


def test_some_faces_lie_at_an_edge_in_all_images_alike():
    ramp, cut = np.mgrid[:64, :64].sum(axis=0), 0
    for seed in range(200):
        image, again = at_edge([ramp, ramp], np.random.default_rng(seed))
        assert np.array_equal(image, again)
        cut += not np.array_equal(image, ramp)
    assert 15 < cut < 50


def test_cut_off_faces_are_drawn_out_from_a_line_and_whole_elsewhere():
    noise = np.random.default_rng(0).integers(0, 256, FACE.shape, np.uint8)
    sides = set()
    for seed in range(20):
        mask, face = cut_off([MASK, noise], np.random.default_rng(seed))
        same = (face == noise).all(2)
        assert same[64:-64, 64:-64].all()
        assert 0.4 < same.mean() < 1
        assert np.array_equal(mask[same], MASK[same])
        for turns in range(4):
            turned, kept = np.rot90(face, turns), np.rot90(same, turns)
            if kept[0].mean() < 0.1:
                sides.add(turns)
                depth = int(np.argmax(kept.mean(1) > 0.5))
                assert 0 < depth < 64
                assert (turned[:depth, 64:-64] == turned[depth, 64:-64]).all()
    assert sides == {0, 1, 2, 3}
