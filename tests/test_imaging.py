import numpy as np
import pytest
from drawn import draw_face
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from unveil.errors import ImageError, MaskError
from unveil.imaging import (
    check_mask,
    check_photo,
    crop_celeba,
    from_network,
    grow,
    occlude,
    resize,
    resize_mask,
    to_network,
)


def test_check_photo_gives_the_photo_back():
    face = draw_face(0, 16)
    assert check_photo(face) is face


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8 array .* not float32"),
        ([[1, 2, 3]], "not list"),
        (np.zeros((4, 4), np.uint8), r"height x width x 3 \(RGB\), not \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"not \(4, 4, 4\)"),
        (np.zeros((3, 4, 4), np.uint8), r"not \(3, 4, 4\)"),  # channels first
        (np.zeros((0, 4, 3), np.uint8), r"not \(0, 4, 3\)"),
    ],
)
def test_check_photo_refuses(photo, message):
    with pytest.raises(ImageError, match=message):
        check_photo(photo)


@pytest.mark.parametrize("high", [True, 1, 255, 1.0, 255.0])
def test_check_mask_reads_every_usual_form(high):
    expected = np.eye(4, dtype=bool)
    mask = check_mask(expected * np.array(high), (4, 4))
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("value", [0, 1, 255])
def test_check_mask_reads_a_mask_of_one_value(value):
    assert check_mask(np.full((2, 2), value, np.uint8), (2, 2)).all() == (value > 0)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((4, 4, 3), bool), "height x width"),
        (np.zeros((4, 5), bool), "the mask is 5x4, the photo 4x4"),
        (np.array([[0, 1], [2, 0]]), "two values"),
        (np.array([[0, 128], [255, 0]]), "two values"),  # a blurred or JPEG mask
        (np.array([[0.0, 0.5], [0.5, 0.0]]), "two values"),
        (np.array([[0.0, np.nan], [1.0, 0.0]]), "two values"),
        (np.array([[0, -1], [0, 1]]), "two values"),
        (np.array([["a", "b"], ["c", "d"]]), "two values"),
    ],
)
def test_check_mask_refuses(mask, message):
    with pytest.raises(MaskError, match=message):
        check_mask(mask, mask.shape[:2] if message == "two values" else (4, 4))


@given(
    arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(1, 20)
)
def test_resized_mask_hides_what_touches_a_hidden_pixel_and_nothing_else(mask, size):
    height, width = mask.shape
    expected = np.zeros((size, size), dtype=bool)
    for y, x in np.argwhere(mask):
        for v in range(size):
            for u in range(size):
                # [y, y+1) of the old and [v, v+1) of the new overlap, in units of 1 / (old * new)
                down = y * size < (v + 1) * height and v * height < (y + 1) * size
                across = x * size < (u + 1) * width and u * width < (x + 1) * size
                expected[v, u] |= down and across
    np.testing.assert_array_equal(resize_mask(mask, size), expected)


def test_single_hidden_pixel_of_a_large_photo_is_not_lost():
    mask = np.zeros((5000, 5000), dtype=bool)
    mask[2500, 10] = True
    assert np.argwhere(resize_mask(mask, 256)).tolist() == [[128, 0]]


def test_resize_keeps_means_and_size():
    face = draw_face(1)
    small = resize(face, 64)
    assert small.shape == (64, 64, 3)
    assert np.abs(small.mean(axis=(0, 1)) - face.mean(axis=(0, 1))).max() < 0.5
    assert resize(face, 256) is face


def test_crop_celeba_takes_the_square_rows():
    image = np.zeros((218, 178, 3), np.uint8)
    image[20:198] = 200
    assert (crop_celeba(image) == 200).all()
    assert crop_celeba(image, 64).shape == (64, 64, 3)
    with pytest.raises(ImageError, match=r"178x218\): 178x178"):
        crop_celeba(image[:178])


def test_network_range_and_round_trip():
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    tensor = to_network(values)
    assert tensor.shape == (1, 3, 16, 16)
    assert tensor.dtype == np.float32
    assert tensor.min() == -1.0
    assert tensor.max() == 1.0
    np.testing.assert_array_equal(from_network(tensor), values)


def test_from_network_clips_and_rounds():
    tensor = np.array([-2.0, -1.0, 0.0, 0.003, 1.0, 9.0], np.float32).reshape(1, 1, 1, 6)
    # 0.0 is 127.5: halves go to the even neighbour.
    assert from_network(tensor).ravel().tolist() == [0, 0, 128, 128, 255, 255]


def test_to_network_keeps_the_colour_order():
    red = np.zeros((1, 2, 2, 3), np.uint8)
    red[..., 0] = 255
    assert to_network(red)[0, :, 0, 0].tolist() == [1.0, -1.0, -1.0]


def test_occlude_changes_hidden_pixels_only():
    face, mask = draw_face(2, 32), np.zeros((32, 32), bool)
    mask[4:9, 3:20] = True
    hidden = occlude(face, mask)
    assert (hidden[mask] == 0).all()
    np.testing.assert_array_equal(hidden[~mask], face[~mask])
    assert (occlude(face[None], mask[None], colour=128)[0][mask] == 128).all()


def test_grow_widens_by_so_many_pixels():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert grow(mask, 2).sum() == 25
    assert grow(mask, 0) is mask
