import cv2
import numpy as np
import pytest
from drawn import draw_face
from hypothesis import given, settings
from hypothesis import strategies as st

from unveil.faces.align import cut, invert
from unveil.faces.given import mask_of_face
from unveil.faces.paste import Patch, _back, _reaches, confidence_map, paste

RED = np.broadcast_to(np.array([200, 30, 30], np.uint8), (256, 256, 3))
BLUE = np.broadcast_to(np.array([30, 30, 200], np.uint8), (256, 256, 3))


def placed(x, y, scale=1.0, degrees=0.0):
    """A map whose face has its middle at (x, y) of the photo, `scale` times its frame's size."""
    matrix = cv2.getRotationMatrix2D((x, y), degrees, 1 / scale)
    matrix[:, 2] += np.array([128, 162]) - (x, y)
    return matrix


def hidden(rows=slice(100, 180), columns=slice(80, 170)):
    mask = np.zeros((256, 256), bool)
    mask[rows, columns] = True
    return mask


PHOTO = np.full((700, 900, 3), 120, np.uint8)


@settings(max_examples=25)
@given(
    st.floats(0.2, 4), st.floats(-180, 180), st.integers(-50, 950), st.integers(-50, 750),
    st.booleans(),
)  # fmt: skip
def test_only_invented_pixels_change(scale, degrees, x, y, with_mask):
    rng = np.random.default_rng(1)
    photo = rng.integers(0, 255, (700, 900, 3), dtype=np.uint8)
    mask = rng.random((700, 900)) > 0.5 if with_mask else None
    restored, invented = paste(photo, [Patch(placed(x, y, scale, degrees), RED, hidden())], mask)
    assert np.array_equal(restored[~invented], photo[~invented])
    if mask is not None:
        assert not (invented & ~mask).any()


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.7])
@pytest.mark.parametrize("degrees", [0, 33, 180])
def test_the_hidden_part_comes_back_where_it_was(scale, degrees):
    matrix = placed(450, 350, scale, degrees)
    restored, invented = paste(PHOTO, [Patch(matrix, RED, hidden())])
    assert invented.sum() == pytest.approx(80 * 90 * scale**2, rel=0.06)
    x, y = invert(matrix)[:, :2] @ (125, 140) + invert(matrix)[:, 2]
    assert np.abs(restored[round(y), round(x)].astype(int) - (200, 30, 30)).max() <= 2
    again = cut(restored, matrix)
    assert np.abs(again[110:170, 90:160].astype(int) - (200, 30, 30)).max() <= 3


def test_a_face_that_is_its_frame_comes_back_exactly():
    face, matrix = draw_face(1), np.array([[1.0, 0, 0], [0, 1, 0]])
    restored, invented = paste(np.full((256, 256, 3), 9, np.uint8), [Patch(matrix, face, hidden())])
    assert np.array_equal(invented, hidden())
    assert np.array_equal(restored[invented], face[invented])


def test_with_a_mask_all_of_it_that_lies_in_a_face_is_invented_and_no_more():
    mask = np.zeros((700, 900), bool)
    mask[300:340, 400:500] = mask[5:20, 5:20] = True
    matrix = placed(450, 350, 1.3)
    restored, invented = paste(PHOTO, [Patch(matrix, RED, mask_of_face(mask, matrix))], mask)
    assert invented[300:340, 400:500].all()
    assert invented.sum() == 40 * 100
    assert (restored[invented] == (200, 30, 30)).all()


def test_a_single_masked_pixel_of_a_large_face_is_invented():
    mask = np.zeros((700, 900), bool)
    mask[333, 444] = True
    matrix = placed(450, 350, 2.5)
    face_mask = mask_of_face(mask, matrix)
    assert face_mask.any()
    assert paste(PHOTO, [Patch(matrix, RED, face_mask)], mask)[1].sum() == 1


@pytest.mark.parametrize("scale", [1.1, 2.0, 3.3, 7.5])
@pytest.mark.parametrize("degrees", [0, 33])
def test_dust_and_scratches_of_a_large_face_are_invented(scale, degrees):
    """All of them that lie in its frame, however large the photo."""
    size = round(300 * scale)
    matrix = placed(size // 2, size // 2, scale, degrees)
    mask = np.random.default_rng(3).random((size, size)) < 2e-4
    cv2.line(view := mask.view(np.uint8), (size // 9, size // 3), (size // 2, size // 2), 1)
    assert view.sum() > 20
    inside = cv2.warpAffine(
        np.full((256, 256), 255, np.uint8), matrix, (size, size), flags=cv2.WARP_INVERSE_MAP
    )
    photo = np.full((size, size, 3), 120, np.uint8)
    _, invented = paste(photo, [Patch(matrix, RED, mask_of_face(mask, matrix))], mask)
    assert np.array_equal(invented[inside == 255], mask[inside == 255])


def test_overlapping_faces_do_not_overwrite_each_other():
    hidden = np.zeros((256, 256), bool)
    hidden[1:-1, 1:-1] = True  # at its frame's edge it would end softly
    left, right = placed(400, 350), placed(500, 350)
    first = Patch(left, RED, hidden), Patch(right, BLUE, hidden)
    restored, invented = paste(PHOTO, first)
    assert (restored[350, 310:445] == (200, 30, 30)).all()
    assert (restored[350, 455:620] == (30, 30, 200)).all()
    assert np.array_equal(restored, paste(PHOTO, first[::-1])[0])
    assert invented.sum() == (restored != PHOTO).any(-1).sum()


def test_where_faces_overlap_askew_the_nearer_one_counts():
    hidden = np.zeros((256, 256), bool)
    hidden[1:-1, 1:-1] = True
    patches = [Patch(placed(400, 350), RED, hidden), Patch(placed(480, 430), BLUE, hidden)]
    restored, _ = paste(PHOTO, patches)
    # Nearer to the other's column, or to its row, all the same.
    for x, y in [(462, 352), (402, 412)]:
        assert (restored[y, x] == (200, 30, 30)).all()
    for x, y in [(418, 428), (478, 368)]:
        assert (restored[y, x] == (30, 30, 200)).all()


def test_what_one_face_lacks_its_neighbour_does_not_take():
    """A mask that one segmenter sees on the other's face is left to the other."""
    patches = [
        Patch(placed(400, 350), RED, np.ones((256, 256), bool)),
        Patch(placed(500, 350), BLUE, np.zeros((256, 256), bool)),
    ]
    restored, invented = paste(PHOTO, patches)
    assert not invented[350, 455:].any()
    assert not (restored == (30, 30, 200)).all(-1).any()


@pytest.mark.parametrize("scale", [0.15, 0.7, 1.0, 2.5])
def test_a_frame_that_is_said_not_to_reach_a_part_does_not(scale):
    rng, size = np.random.default_rng(3), (90, 60)
    frame = np.full((256, 256), 255, np.uint8)
    reaching = []
    for angle, x, y in zip(*rng.uniform(-1, 1, (3, 120)), strict=True):
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = np.array([45, 30]) + np.array([x, y]) * 300 / scale
        matrix = np.column_stack([turn, 128 - turn @ middle])
        reaching.append(_reaches(matrix, size))
        assert reaching[-1] or not _back(frame, matrix, size).any()
    assert any(reaching)
    assert not all(reaching)


def test_a_hidden_part_that_is_mostly_one_faces_gets_no_seam():
    """What both see hidden, each in its own frame, is the nearer one's to its last pixel."""
    mask = np.zeros((700, 900), bool)
    mask[400:440, 380:480] = True  # a fifth of it lies nearer to the right face
    left, right = placed(400, 350), placed(520, 350)
    patches = [
        Patch(left, RED, mask_of_face(mask, left)),
        Patch(right, BLUE, mask_of_face(mask, right)),
    ]
    for order in (patches, patches[::-1]):
        restored, invented = paste(PHOTO, order, mask)
        assert np.array_equal(invented, mask)
        head = np.abs(np.arange(380, 480) - 520) < 40
        assert (restored[438, 380:480][~head] == (200, 30, 30)).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("right", [620, 640, 680])
def test_where_ones_fill_ends_softly_the_others_is_taken(right):
    """One mask over two faces: what hides them is nowhere left where both see."""
    mask = np.zeros(PHOTO.shape[:2], bool)
    mask[340:380, 330:right] = True
    photo = PHOTO.copy()
    photo[mask] = (30, 250, 30)
    places = [placed(400, 350), placed(560, 350)]
    patches = [
        Patch(place, fill, mask_of_face(mask, place))
        for place, fill in zip(places, (RED, BLUE), strict=True)
    ]
    restored, invented = paste(photo, patches, mask)
    both = np.s_[340:380, 432:528]
    assert invented[both].all()
    assert restored[both][..., 1].max() < 60


def test_two_faces_of_a_photo_that_is_hidden_all_over():
    small = PHOTO[:40, :60]
    patches = [Patch(placed(x, 20), RED, np.ones((256, 256), bool)) for x in (20, 45)]
    _, invented = paste(small, patches, np.ones(small.shape[:2], bool))
    assert invented.all()


def test_a_face_beside_the_photo_changes_nothing():
    restored, invented = paste(PHOTO, [Patch(placed(-900, 350), RED, np.ones((256, 256), bool))])
    assert not invented.any()
    assert np.array_equal(restored, PHOTO)
    assert restored is not PHOTO


@pytest.mark.parametrize("middle", [(1300, 350), (-400, 350), (450, 1200), (450, -400)])
@pytest.mark.parametrize("masked", [False, True])
def test_a_face_beyond_the_photo_changes_nothing(middle, masked):
    everything = np.ones(PHOTO.shape[:2], bool) if masked else None
    restored, invented = paste(PHOTO, [Patch(placed(*middle), RED, hidden())], everything)
    assert np.array_equal(restored, PHOTO)
    assert not invented.any()


@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("scale", [0.4, 1.0, 2.3])
@pytest.mark.parametrize("degrees", [0, 20])
def test_what_is_invented_is_as_sure_at_the_frames_rim_as_inside(scale, degrees, with_mask):
    photo = np.full((300, 300, 3), 90, np.uint8)
    matrix = placed(150, 150, scale, degrees)
    patch = Patch(matrix, np.full((256, 256, 3), 200, np.uint8), np.ones((256, 256), bool))
    everything = np.ones((300, 300), bool) if with_mask else None
    _, invented = paste(photo, [patch], everything)
    assert invented.any()
    sure = np.full((256, 256), 0.6, np.float32)
    confidence = confidence_map([patch], [sure], invented)
    assert np.abs(confidence[invented] - 0.6).max() < 0.003
    assert (confidence[~invented] == 1).all()
