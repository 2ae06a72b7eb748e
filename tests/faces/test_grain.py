import numpy as np
import pytest
from photos import high_pass

from unveil.faces.grain import _covariance, _middle, grain

FLAT = np.full((200, 300, 3), 120, np.uint8)
EVERYWHERE = np.ones((200, 300), bool)


def noisy(deviation, alike=False, side=500):
    rng = np.random.default_rng(5)
    noise = rng.normal(0, deviation, (side, side, 1 if alike else 3)) * np.ones(3)
    return np.clip(np.rint(120 + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("deviation", [2, 6, 15])
@pytest.mark.parametrize("alike", [False, True], ids=["colour noise", "grey noise"])
def test_a_flat_fill_gets_the_noise_of_the_skin(deviation, alike):
    photo = noisy(deviation, alike)
    out = grain(photo, np.ones(photo.shape[:2], bool), FLAT, EVERYWHERE, 0.25)
    assert high_pass(out).std() == pytest.approx(high_pass(photo).std(), rel=0.15)
    together = np.corrcoef(high_pass(out).reshape(-1, 3).T)[0, 1]
    assert together == pytest.approx(1.0 if alike else 0.0, abs=0.1)
    assert out.mean() == pytest.approx(120, abs=0.5)


@pytest.mark.filterwarnings("error")
def test_a_channel_that_is_the_same_everywhere_goes_with_no_other():
    band = np.random.default_rng(0).normal(0, 2, (3, 400)).astype(np.float32)
    band[1] = 3
    deviations = np.median(np.abs(band), axis=1).astype(np.float64) * 1.4826
    np.testing.assert_allclose(_covariance(band), np.diag(deviations**2))


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_the_middle_of_values_is_counted(count):
    values = np.random.default_rng(count).integers(0, 256, count).astype(np.uint8)
    assert _middle(values) == np.sort(values)[(count - 1) // 2]


def test_what_is_as_grainy_already_stays():
    photo = noisy(6)
    fill = photo[:200, :300]
    out = grain(photo, np.ones(photo.shape[:2], bool), fill, EVERYWHERE, 0.25)
    assert np.abs(out.astype(int) - fill).mean() < 1.5


def test_edges_and_eyes_are_no_grain():
    photo = np.full((500, 500, 3), 120, np.uint8)
    photo[::160], photo[:, ::160] = 0, 255
    out = grain(photo, np.ones((500, 500), bool), FLAT, EVERYWHERE, 0.25)
    assert np.abs(out.astype(int) - 120).max() <= 1


def test_a_hat_is_not_skin():
    """Half of what is known is rough and dark, the rest is smooth and like the fill."""
    photo = np.clip(noisy(12).astype(int) - 70, 0, 255).astype(np.uint8)
    photo[:240] = noisy(2)[:240]
    out = grain(photo, np.ones((500, 500), bool), FLAT, EVERYWHERE, 0.25)
    smooth = high_pass(photo[:150]).std()
    assert high_pass(out).std() == pytest.approx(smooth, rel=0.35)
    assert smooth < 0.25 * high_pass(photo[200:]).std()


def test_hair_of_the_colour_of_skin_is_no_grain():
    photo = noisy(14)
    photo[:240] = noisy(2)[:240]
    out = grain(photo, np.ones((500, 500), bool), FLAT, EVERYWHERE, 0.25)
    assert high_pass(out).std() == pytest.approx(high_pass(photo[:150]).std(), rel=0.35)


@pytest.mark.parametrize("known", [0, 5])
def test_without_enough_skin_nothing_is_added(known):
    skin = np.zeros((500, 500), bool)
    skin[:known, :known] = True
    assert np.array_equal(grain(noisy(9), skin, FLAT, EVERYWHERE, 0.25), FLAT)


def test_the_grain_lies_on_the_photo():
    """Another box around the same pixels, the same grain in them."""
    photo, skin = noisy(6), np.ones((500, 500), bool)
    fill = np.full((256, 320, 3), 120, np.uint8)
    whole = grain(photo, skin, fill, np.ones((256, 320), bool), 0.25, (64, 32))
    inner = np.ones((160, 192), bool)
    part = grain(photo, skin, fill[:160, :192], inner, 0.25, (96, 96))
    assert np.array_equal(part[24:-24, 24:-24], whole[56:168, 88:232])


def test_the_same_photo_gives_the_same_grain():
    photo, skin = noisy(6), np.ones((500, 500), bool)
    first = grain(photo, skin, FLAT, EVERYWHERE, 0.5)
    assert np.array_equal(first, grain(photo, skin, FLAT, EVERYWHERE, 0.5))


@pytest.mark.parametrize("scale", [1.0, 1.3, 2.0])
def test_a_small_face_gets_noise_too(scale):
    """Of the finest octave, for a network makes none."""
    photo, skin = noisy(8), np.ones((500, 500), bool)
    out = grain(photo, skin, FLAT, EVERYWHERE, scale)
    assert high_pass(out).std() == pytest.approx(high_pass(photo).std(), rel=0.25)


def test_a_clean_small_face_and_one_of_a_few_pixels_get_none():
    skin = np.ones((500, 500), bool)
    assert np.array_equal(
        grain(np.full((500, 500, 3), 120, np.uint8), skin, FLAT, EVERYWHERE, 1.3), FLAT
    )
    assert grain(noisy(8), skin, FLAT, EVERYWHERE, 2.1) is FLAT
