import numpy as np
import pytest
from drawn import draw_face

from unveil.data.triplets import (
    Triplet,
    make_triplet,
    read_triplet,
    stitch,
    take_apart,
)
from unveil.errors import ImageError, MaskError
from unveil.files import encode
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle

SIZE = 64


def triplet(seed=0):
    return make_triplet(draw_face(seed, SIZE), paper_rectangle(Seeded(seed), SIZE))


def write(path, image):
    path.write_bytes(encode(image, "PNG"))
    return path


def test_mask_stands_left_clean_in_the_middle_and_occluded_right():
    made = triplet()
    image = stitch(made)
    assert image.shape == (SIZE, 3 * SIZE, 3)
    assert image.dtype == np.uint8
    left, middle, right = (image[:, i * SIZE : (i + 1) * SIZE] for i in range(3))
    np.testing.assert_array_equal(left, np.where(made.mask[..., None], 255, 0) * np.ones(3))
    np.testing.assert_array_equal(middle, draw_face(0, SIZE))
    assert (right[made.mask] == 0).all()
    np.testing.assert_array_equal(right[~made.mask], middle[~made.mask])


def test_round_trip_loses_nothing(tmp_path):
    made = triplet(4)
    back = read_triplet(write(tmp_path / "t.png", stitch(made)))
    np.testing.assert_array_equal(back.occluded, made.occluded)
    np.testing.assert_array_equal(back.clean, made.clean)
    np.testing.assert_array_equal(back.mask, made.mask)
    assert back.mask.dtype == np.bool_


@pytest.mark.parametrize(
    "shape", [(SIZE, 3 * SIZE + 1), (SIZE, 3 * SIZE + 3), (SIZE, 2 * SIZE), (SIZE, SIZE)]
)
def test_other_widths_are_refused(tmp_path, shape):
    path = write(tmp_path / "t.png", np.zeros((*shape, 3), np.uint8))
    with pytest.raises(ImageError, match=rf"t\.png: not a triplet: {shape[1]}x{shape[0]} is not"):
        read_triplet(path)


def test_mask_that_is_not_black_and_white_is_refused(tmp_path):
    image = stitch(triplet())
    for spoil in ((1, 1, 1), (254, 254, 254), (255, 0, 0)):
        image[5, 5] = spoil
        path = write(tmp_path / "t.png", image)
        with pytest.raises(ImageError, match="purely black and white"):
            read_triplet(path)


def test_jpeg_triplet_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "t.jpg"
    path.write_bytes(encode(stitch(triplet()), "JPEG"))
    with pytest.raises(ImageError, match=r"t\.jpg: .*store triplets as PNG"):
        read_triplet(path)


def test_faces_and_occluder_in_the_wrong_order_are_refused():
    image = stitch(triplet())
    with pytest.raises(ImageError, match="left third must be a mask"):
        take_apart(np.roll(image, SIZE, axis=1))


def test_stitch_refuses_what_does_not_fit():
    made = triplet()
    with pytest.raises(MaskError, match="32x32, the photo 64x64"):
        stitch(Triplet(made.occluded, made.clean, made.mask[:32, :32]))
    with pytest.raises(ImageError, match="of one size"):
        stitch(Triplet(made.occluded[:32], made.clean, made.mask))
    with pytest.raises(ImageError, match="uint8"):
        stitch(Triplet(made.occluded / 255.0, made.clean, made.mask))


def test_bad_file_is_named(tmp_path):
    (tmp_path / "b.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"b\.png: not an image"):
        read_triplet(tmp_path / "b.png")
