import numpy as np

from unveil.data.faces import FaceSet
from unveil.training.config import SegmenterConfig
from unveil.training.examples import draw_examples


def test_a_mirrored_head_is_turned_the_other_way():
    photos = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    turns = np.array([0.4, -0.2, np.nan, 0.1], np.float32)
    people = FaceSet(("a", "b", "c", "d"), photos, turns)
    items = [(epoch, face) for epoch in range(8) for face in range(4)]
    config = SegmenterConfig(size=64)
    drawn = draw_examples(people, items, config, lambda face, turn, rng: (face, turn))
    mirrored = 0
    for (_, index), (face, turn) in zip(items, drawn, strict=True):
        flipped = not np.array_equal(face, photos[index])
        assert np.array_equal(face, photos[index][:, ::-1] if flipped else photos[index])
        known = people.turn(index)
        assert turn == (-known if flipped and known is not None else known)
        mirrored += flipped
    assert 8 < mirrored < 24
