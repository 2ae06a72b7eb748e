"""The page's own image code against the library and OpenCV, whose arithmetic it follows."""

import cv2
import numpy as np
import photos
import pytest
from browser import EXAMPLE
from drawn import draw_face
from port import ESBUILD, NODE, Port, off_by

from unveil.faces.afar import FAR, agreed, below
from unveil.faces.align import (
    corner_shift,
    correction,
    cut,
    fit,
    invert,
    seen_from_side,
    shown,
)
from unveil.faces.blend import finish, seamless
from unveil.faces.contour import sharpen_contour
from unveil.faces.detect import Detection
from unveil.faces.given import cut_known, mask_of_face
from unveil.faces.grain import grain
from unveil.faces.hidden import SURE, hidden_part, out_of_focus
from unveil.faces.paste import Patch, paste
from unveil.files import read_image
from unveil.imaging import resize_mask
from unveil.models.face_vector import average_known
from unveil.noise import normal

pytestmark = pytest.mark.skipif(
    not NODE or not ESBUILD.exists(), reason="no node, or nothing built: cd web && npm ci"
)
FILES = (
    "resize",
    "warp",
    "filter",
    "afar",
    "align",
    "blend",
    "contour",
    "detect",
    "eigenface",
    "paste",
    "given",
    "grain",
    "hidden",
    "noise",
    "restorer",
    "trial",
)


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Port:
    return Port(tmp_path_factory.mktemp("port"), *FILES)


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return cv2.GaussianBlur(values, (0, 0), 1)


def blurred(sigma: float) -> np.ndarray:
    """The example's face, the less in focus the larger sigma is."""
    face = read_image(EXAMPLE.with_name("astronaut.png")).photo
    return np.ascontiguousarray(cv2.GaussianBlur(face, (0, 0), sigma) if sigma else face)


SIZES = [
    (123, 90),  # any ratio
    (200, 150),  # halves
    (100, 75),  # quarters
    (400, 150),  # one side only
    (399, 299),  # hardly smaller
]


@pytest.mark.parametrize("channels", [1, 3])
def test_shrinking_is_exact(port, channels):
    image = picture(300, 400, channels)
    ours = port.call(*[["resizeArea", image, w, h] for w, h in SIZES])
    for made, size in zip(ours, SIZES, strict=True):
        assert np.array_equal(made, cv2.resize(image, size, interpolation=cv2.INTER_AREA)), size


def test_enlarging(port):
    image, sizes = picture(90, 120), [(640, 480), (121, 91), (333, 200)]
    ours = port.call(*[["resizeLinear", image, w, h] for w, h in sizes])
    for made, size in zip(ours, sizes, strict=True):
        assert np.array_equal(made, cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))
    # Without Intel's library OpenCV rounds cubic weights to integers.
    ours = port.call(*[["resizeCubic", image, w, h] for w, h in sizes])
    for made, size in zip(ours, sizes, strict=True):
        most, share = off_by(made, cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))
        assert most <= 1
        assert share < 0.06
    plane = picture(64, 64).astype(np.float32)
    ours = port.call(["resizeCubic", plane, 256, 256], ["resizeLinear", plane, 128, 128])
    assert off_by(ours[0], cv2.resize(plane, (256, 256), interpolation=cv2.INTER_CUBIC))[0] < 1e-3
    assert off_by(ours[1], cv2.resize(plane, (128, 128)))[0] < 1e-3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("border", ["replicate", [123, 117, 104]])
@pytest.mark.parametrize("cubic", [False, True])
def test_warps(port, channels, border, cubic):
    image = picture(300, 400, channels)
    flags = (cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    kept = cv2.BORDER_REPLICATE if border == "replicate" else cv2.BORDER_CONSTANT
    colour = (0, 0, 0) if border == "replicate" else border
    maps = []
    for turn, scale, shift in ((13, 1.4, -20), (-71, 0.7, 31), (0, 2.3, 5), (180, 1, 0)):
        matrix = cv2.getRotationMatrix2D((200, 150), turn, scale)
        matrix[:, 2] += shift
        maps.append(invert(matrix))
    how = {"cubic": cubic, "border": border}
    ours = port.call(*[["warp", image, m.ravel().tolist(), 251, 173, how] for m in maps])
    for made, matrix in zip(ours, maps, strict=True):
        theirs = cv2.warpAffine(
            image, matrix, (251, 173), flags=flags, borderMode=kept, borderValue=colour
        )
        most, share = off_by(made, theirs)
        assert most <= 1
        assert share < 2e-3


def test_masks_and_pyramids(port):
    rng = np.random.default_rng(1)
    mask = rng.random((90, 120)) < 0.02
    ours = port.call(["grow", mask, 1], ["grow", mask, 4], ["resizeMask", mask, 256])
    for made, reach in zip(ours[:2], (1, 4), strict=True):
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        assert np.array_equal(made, cv2.dilate(mask.astype(np.uint8), kernel))
    assert np.array_equal(ours[2], resize_mask(mask, 256))
    spots = rng.random((60, 70)) < 0.3
    ((labels, parts),) = port.call(["components", spots])
    count, expected = cv2.connectedComponents(spots.astype(np.uint8))
    assert parts == count - 1 > 10
    ((_, fewer),) = port.call(["components", spots, 4])
    assert fewer == cv2.connectedComponents(spots.astype(np.uint8), connectivity=4)[0] - 1 > parts
    pairs = {*zip(labels.tolist(), expected.ravel().tolist(), strict=True)}
    assert len(pairs) == count  # the same parts, whatever their numbers
    for shape in ((100, 130), (101, 131), (2, 3), (1, 1)):
        plane = rng.normal(0, 50, (*shape, 3)).astype(np.float32)
        small = cv2.pyrDown(plane)
        down, up = port.call(["pyrDown", plane], ["pyrUp", small, shape[1], shape[0]])
        assert off_by(down, small)[0] < 1e-3
        assert off_by(up, cv2.pyrUp(small, dstsize=shape[::-1]))[0] < 1e-3


def test_what_of_a_found_mask_counts(port):
    rng = np.random.default_rng(2)
    blobs = cv2.GaussianBlur(rng.normal(0, 1, (256, 256)).astype(np.float32), (0, 0), 9)
    occluder = np.clip(0.3 + 0.36 * blobs / blobs.std(), 0, 1).astype(np.float32)
    (ours,) = port.call(["hiddenPart", occluder])
    expected = hidden_part(occluder)
    assert 0.05 < expected.mean() < 0.95
    assert not np.array_equal(expected, hidden_part(np.minimum(occluder, np.float32(SURE - 0.01))))
    assert np.array_equal(ours, expected)
    faint = cv2.GaussianBlur(rng.normal(0, 1, (256, 256)).astype(np.float32), (0, 0), 2)
    corded = np.maximum(occluder, np.clip(0.1 + 0.15 * faint / faint.std(), 0, 0.45))
    corded = corded.astype(np.float32)
    assert (hidden_part(corded) & ~expected).sum() > 1000
    assert np.array_equal(port.call(["hiddenPart", corded])[0], hidden_part(corded))
    aside = np.where(np.arange(256) < 40, occluder, np.float32(0))
    assert not hidden_part(aside).any()
    assert not port.call(["hiddenPart", aside])[0].any()


def test_how_a_face_is_turned(port):
    points = np.float32([[99, 132], [155, 131], [127, 166], [103, 190], [151, 189]])
    faces = []
    for degrees in range(0, 360, 20):
        turn = np.radians(degrees)
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        faces.append(Detection((0.0, 0.0, 256.0, 256.0), np.float32(points @ matrix.T), 1.0))
    ours = port.call(*[["quartersOf", {"points": f.points.tolist()}] for f in faces])
    assert ours == [face.quarters for face in faces]
    assert set(ours) == {0, 1, 2, 3}


def test_what_is_known_of_a_face_enlarged_and_reduced(port):
    for side, size in ((100, 256), (300, 64)):
        hidden = np.zeros((side, side), bool)
        hidden[side // 2 :, : side // 3] = True
        face = draw_face(2, side)
        theirs = average_known(face, hidden, size)
        (ours,) = port.call(["averageKnown", face, hidden, size])
        assert off_by(ours["weight"], theirs.weight)[0] < 1e-5
        some = theirs.weight > 0.01
        assert off_by(ours["colour"][some], theirs.colour[some])[0] < 0.01


def test_aligned_faces(port):
    photo = photos.scene(*photos.TWO)[0]
    hidden = photos.scene(*photos.TWO)[1]
    rng = np.random.default_rng(3)
    calls, expected = [], []
    for size in (0.3, 1.0, 2.7):
        base = np.array([[99, 132], [155, 131], [127, 166], [103, 190], [151, 189]]) * size
        points = (base + rng.normal(0, 4 * size, (5, 2)) + 40).astype(np.float32)
        matrix = fit(points)
        flat = matrix.ravel().tolist()
        calls += [["fit", points.tolist()], ["cut", photo, flat], ["maskOfFace", hidden, flat]]
        expected += [matrix.ravel(), cut(photo, matrix), mask_of_face(hidden, matrix)]
        face, of_face = cut_known(photo, hidden, matrix)
        ((made, found),) = port.call(["cutKnown", photo, hidden, flat])
        assert np.array_equal(found, of_face)
        most, share = off_by(made[~of_face], face[~of_face])  # twice as many, where half is known
        assert most <= 2
        assert share < 5e-3
    for size in (1.1, 2.3, 6.1):
        matrix = fit(np.float32([[99, 131], [155, 133], [127, 166], [103, 190], [151, 189]]) * size)
        dust = rng.random((round(280 * size), round(250 * size))) < 1e-4
        (made,) = port.call(["maskOfFace", dust, matrix.ravel().tolist()])
        assert mask_of_face(dust, matrix).sum() > 3
        assert np.array_equal(made, mask_of_face(dust, matrix))
    for i, (made, theirs) in enumerate(zip(port.call(*calls), expected, strict=True)):
        if i % 3 == 0:
            assert made == pytest.approx(theirs.tolist(), abs=1e-6)
        else:
            most, share = off_by(made, theirs)
            assert most <= 1
            assert share < 2e-3


def test_how_much_of_a_frame_lies_in_the_photo(port):
    """To the level: a pixel of which any does is in it, at the photo's edge as well."""
    calls, expected = [], []
    for size, turn, where in ((0.6, 0, 120.3), (1.3, 8, 20), (2.7, -31, -10), (1, 0, 900)):
        matrix = cv2.getRotationMatrix2D((128, 128), turn, 1 / size)
        matrix[:, 2] += where
        calls.append(["shown", matrix.ravel().tolist(), 300, 200])
        expected.append(shown(matrix, (200, 300)))
    assert [((each > 0) & (each < 128)).any() for each in expected] == [True, True, True, False]
    for made, theirs in zip(port.call(*calls), expected, strict=True):
        assert off_by(made, theirs)[0] <= 1
        assert np.array_equal(made > 0, theirs > 0)


def test_corrections(port):
    numbers = [[0, 0, 0, 0], [3.5, -20.25, 8, -11.125], [-30, 6, 0, 40]]
    ours = port.call(*[["correction", each] for each in numbers])
    for made, each in zip(ours, numbers, strict=True):
        expected = correction(np.array(each))
        assert made == pytest.approx(expected.ravel().tolist(), abs=1e-9)
        (shift,) = port.call(["cornerShift", made])
        assert shift == pytest.approx(corner_shift(expected), abs=1e-9)


def test_profiles(port):
    faces = [[[0, 0], [wide, 4], [20, 30], [2, 60], [wide - 5, 58]] for wide in range(10, 60, 3)]
    ours = port.call(*[["seenFromSide", points] for points in faces])
    expected = [seen_from_side(np.array(points, np.float32)) for points in faces]
    assert ours == expected
    assert len({*expected}) == 2


def test_noise_and_blending(port):
    ours = port.call(*[["normal", seed, 1000] for seed in (0, 5, 2**31 - 1)])
    for made, seed in zip(ours, (0, 5, 2**31 - 1), strict=True):
        assert made == pytest.approx(normal(seed, 1000), abs=1e-6)
    face, output = picture(256, 256), picture(256, 256, seed=1)
    hidden = np.zeros((256, 256), bool)
    hidden[81:201, 33:180] = True
    hidden[20:26, 5:] = True
    hidden[:40, 100:130] = True
    own = np.where(hidden[..., None], output, face)  # of a network that keeps the known pixels
    calls = [["seamless", face, each, hidden] for each in (output, own)]
    for made, each in zip(port.call(*calls), (output, own), strict=True):
        most, share = off_by(made, seamless(face, each, hidden))
        assert most <= 1
        assert share < 1e-3


def test_contours(port):
    """Drawn faces with a haze in what is hidden, over their edges and up to the frame's."""
    y, x = np.indices((256, 256))
    shapes = [
        (y > 90) & (x < 126),
        np.hypot((x - 190) / 60, (y - 160) / 70) < 1,
        (x > 150) | (y > 200),
        (x > 60) & (x < 77) & (y > 120) & (y < 151),
        (x + y) // 24 % 3 > 0,
        np.zeros((256, 256), bool),
    ]
    faces, expected = [], []
    for seed, hidden in enumerate(shapes):
        for grey in (False, True):
            whole = draw_face(seed)
            if grey:
                whole = np.ascontiguousarray(np.broadcast_to(whole[..., 1:2], whole.shape))
            hazy = cv2.GaussianBlur(whole, (0, 0), 6)
            faces.append((np.where(hidden[..., None], hazy, whole), hidden))
            expected.append(sharpen_contour(*faces[-1]))
    ours = port.call(*[["sharpenContour", *each] for each in faces])
    changed = [
        int((out != face).any(2).sum()) for (face, _), out in zip(faces, expected, strict=True)
    ]
    assert sum(pixels > 100 for pixels in changed) >= 6, changed
    for made, out, (face, hidden) in zip(ours, expected, faces, strict=True):
        most, share = off_by(made, out)
        assert most <= 1
        assert share < 1e-3
        assert np.array_equal(made[~hidden], face[~hidden])
    face, hidden = draw_face(0), shapes[0]
    output = cv2.GaussianBlur(face, (0, 0), 6) + np.uint8(3)
    (made,) = port.call(["finish", face, output, hidden])
    out = finish(face, output, hidden)
    assert (out != seamless(face, output, hidden)).any(2).sum() > 100
    assert off_by(made, out)[0] <= 1


def test_what_a_look_from_afar_says(port):
    rng = np.random.default_rng(6)
    blobs = cv2.GaussianBlur(rng.normal(0, 1, (256, 256, 2)).astype(np.float32), (0, 0), 12)
    hidden = blobs[..., 0] > -0.01
    hidden[:90] = False
    other = cv2.warpAffine(hidden.astype(np.uint8), FAR, (256, 256)) > 0
    other[180:230] = True
    other &= blobs[..., 1] > -0.01
    inside = np.broadcast_to(np.arange(256)[:, None] < 240, (256, 256)).copy()
    kept, hanging = port.call(["agreed", hidden, other], ["below", hidden, other, inside])
    expected = agreed(hidden, other)
    assert 0 < (hidden & ~expected).sum() < hidden.sum() / 2
    np.testing.assert_array_equal(kept > 0, expected)
    expected = below(hidden, other, inside)
    assert expected is not None
    assert expected.any()
    np.testing.assert_array_equal(hanging > 0, expected)


def test_out_of_focus(port):
    faces = [blurred(sigma) for sigma in (0, 6, 10, 14, 20, 40)]
    ours = port.call(*[["outOfFocus", face] for face in faces])
    assert ours == [out_of_focus(face) for face in faces]
    assert len({*ours}) == 2


@pytest.mark.parametrize("scale", [0.11, 0.4, 0.9, 1.5, 2.5])
def test_grain(port, scale):
    rng = np.random.default_rng(4)
    noisy = np.clip(120 + rng.normal(0, 8, (320, 384, 3)), 0, 255).astype(np.uint8)
    fill = np.full((128, 160, 3), 120, np.uint8)
    new = np.zeros((128, 160), bool)
    new[10:110, 20:140] = True
    skin = np.ones((320, 384), bool)
    (made,) = port.call(["grain", noisy, skin, fill, new, scale, 96, 64])
    most, share = off_by(made, grain(noisy, skin, fill, new, scale, (64, 96)))
    assert most <= 1
    assert share < 1e-2


@pytest.mark.parametrize("with_mask", [False, True])
def test_pasting_faces_that_overlap(port, with_mask):
    photo = picture(420, 700, seed=5)
    patches = []
    apart = np.zeros((256, 256), bool)
    apart[60:80, 236:252] = True  # near an edge at which something else meets more of the photo
    for i, (x, y, size) in enumerate(((20, 30, 1.0), (150, 60, 1.4), (330, 10, 0.6))):
        points = np.array([[99, 132], [155, 131], [127, 166], [103, 190], [151, 189]], np.float32)
        hidden = np.zeros((256, 256), bool)
        # The second one's frame cuts what is hidden at the right and, for another patch, below.
        hidden[120 : (240, 256, 240)[i], 20 : (236, 256, 236)[i]] = True
        hidden |= apart
        face = picture(256, 256, seed=i + 6)
        patches.append(Patch(fit(points * size + (x, y)), face, hidden, goes_on=i == 1))
    mask = np.zeros(photo.shape[:2], bool)
    mask[100:380, 60:600] = True
    expected, invented = paste(photo, patches, mask if with_mask else None)
    given = [
        {
            "matrix": p.matrix.ravel().tolist(),
            "filled": p.filled,
            "hidden": p.hidden,
            "goesOn": p.goes_on,
        }
        for p in patches
    ]
    ((made, where),) = port.call(["paste", photo, given, mask if with_mask else None])
    assert (where != invented).mean() < 1e-4
    both = invented & where.astype(bool)
    assert np.array_equal(made[where == 0], photo[where == 0])
    most = np.abs(made.astype(int) - expected)[both]
    assert most.mean() < 0.02
    assert np.percentile(most, 99.9) <= 1


NEAR = np.float32([1, -50, 0])
TRIALS = [
    ([1.0001, -50.009, 0.0001], 5, True, None),  # as far as rounding goes
    ([1.0001, -50.009, 0.0003], 5, True, "differ by 3e-4"),
    ([1, -50.02, 0], 5, True, "differ by 4e-4"),  # of what is large, a share
    ([1, np.nan, 0], 5, True, "differ by Infinity"),
    ([1, -50], 5, True, "differ by Infinity"),
    ([1, -50, 0], 20, True, "not faster"),
    ([1, -50, 0], 20, False, None),  # forced
    ([0, -50, 0], 5, False, "differ by 1e+0"),  # forced, but wrong is wrong
]


@pytest.mark.parametrize(("given", "milliseconds", "hurry", "words"), TRIALS)
def test_a_graphics_card_is_used_only_where_it_is_right_and_faster(
    port, given, milliseconds, hurry, words
):
    same = {"outputs": {"mask": NEAR}, "milliseconds": 3}
    cpu = [same, {"outputs": {"loc": NEAR}, "milliseconds": 10}]
    gpu = [same, {"outputs": {"loc": np.float32(given)}, "milliseconds": milliseconds}]
    (said,) = port.call(["objection", cpu, gpu, hurry])
    assert said is None if words is None else words in said
