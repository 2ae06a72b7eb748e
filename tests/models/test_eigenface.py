"""The closed-form prior against exact PCA, the dense formula, and faces that it must solve."""

import dataclasses

import numpy as np
import pytest

from unveil.errors import ImageError, MaskError, UsageError, WeightsError
from unveil.faces.blend import extrapolate
from unveil.models import eigenface
from unveil.models.eigenface import Eigenface
from unveil.models.eigenface_fit import fit, misalign
from unveil.models.face_vector import Known, entries, pack, unpack
from unveil.occlusion.shapes import box_mask

SIZE = 16
CHROMA = 8
RANK = 3


def low_rank_faces(n: int, seed: int, side: int = SIZE) -> np.ndarray:
    """Sums of three smooth patterns; with their mirror images they span six dimensions."""
    y, x = np.mgrid[0:side, 0:side] / side
    patterns = np.stack([np.cos(3 * x + y), np.sin(4 * y - x), np.cos(5 * x * y)])
    colours = np.array([[1, 0.6, 0.2], [0.3, 1, 0.5], [0.7, -0.4, 1]])
    basis = patterns[..., None] * colours[:, None, None]  # (3, side, side, 3)
    amounts = np.random.default_rng(seed).uniform(-35, 35, (n, RANK))
    return np.rint(127 + np.tensordot(amounts, basis, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def prior() -> Eigenface:
    return fit(low_rank_faces(200, seed=1), SIZE, CHROMA, 2 * RANK)


def test_recovers_the_hidden_part_of_low_rank_faces(prior):
    mask = box_mask(4, 5, 8, 7, SIZE)
    for face in low_rank_faces(5, seed=2):
        hidden = np.where(mask[..., None], np.uint8(0), face)
        error = prior.fill(hidden, mask).astype(int) - face
        # Rounding to whole grey levels is all that stands between the faces and exactness.
        assert np.abs(error).max() <= 2
        assert np.abs(hidden.astype(int) - face)[mask].mean() > 50


def test_recovers_at_a_larger_size_than_its_own(prior):
    face = low_rank_faces(1, seed=3, side=4 * SIZE)[0]
    mask = box_mask(15, 21, 30, 26, 4 * SIZE)
    error = prior.fill(np.where(mask[..., None], np.uint8(0), face), mask).astype(int) - face
    assert np.abs(error).max() <= 5


def test_equals_exact_pca_of_faces_and_mirror_images():
    faces = np.random.default_rng(4).integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    both = np.concatenate([faces, faces[:, :, ::-1]])
    packed = np.stack([pack(np.ascontiguousarray(face), 4, 2) for face in both]).astype(float)
    centred = packed - packed.mean(axis=0)
    exact, vectors = np.linalg.eigh(centred.T @ centred / 120)
    prior = fit(faces, 4, 2, 5)
    np.testing.assert_allclose(prior.mean, packed.mean(axis=0), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(prior.variances, exact[::-1][:5], rtol=1e-4)
    np.testing.assert_allclose(prior.residual, exact[:-5].sum() / (24 - 5), rtol=1e-4)
    overlap = np.abs((prior.components * vectors[:, ::-1][:, :5]).sum(axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-4)


def test_packing_keeps_smooth_faces_and_squared_lengths():
    face = low_rank_faces(1, seed=11, side=64)[0]
    entries = pack(face, 64, 16)
    assert entries.shape == (64 * 64 + 2 * 16 * 16,)
    assert np.abs(unpack(entries, 64, 16) - face).max() < 4
    grey = np.full((16, 16, 3), 100, np.uint8)
    assert np.square(pack(grey, 16, 8)).sum() == pytest.approx(16 * 16 * 3 * 100**2)


def test_components_are_orthonormal(prior):
    product = prior.components.T @ prior.components
    np.testing.assert_allclose(product, np.eye(2 * RANK), atol=1e-5)


@pytest.mark.parametrize("hidden_share", [0.2, 0.8])  # each takes another side of the Gram matrix
def test_posterior_equals_the_dense_formula(prior, hidden_share):
    rng = np.random.default_rng(5)
    weight = (rng.random((SIZE, SIZE)) > hidden_share) * rng.uniform(0.5, 1, (SIZE, SIZE))
    weight = weight.astype(np.float32)
    colour = rng.uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    values, w = entries(Known(colour, weight), CHROMA)
    w = w.astype(float)
    basis = prior.components.astype(float)
    ridge = eigenface.RESIDUAL_CORRELATION * prior.residual / prior.variances
    system = basis.T @ (w[:, None] * basis) + np.diag(ridge)
    z = np.linalg.solve(system, basis.T @ (w * (values - prior.mean)))
    posterior = prior.posterior(eigenface.Known(colour, weight))
    np.testing.assert_allclose(basis @ posterior.mean, basis @ z, atol=0.05)
    covariance = eigenface.RESIDUAL_CORRELATION * prior.residual * np.linalg.inv(system)
    variance = np.einsum("dk,kl,dl->d", basis, covariance, basis)
    np.testing.assert_allclose(posterior.variance(prior.components), variance, rtol=1e-2)


def test_samples_scatter_as_the_posterior_says(prior):
    face, mask = low_rank_faces(1, seed=12)[0], box_mask(3, 3, 9, 8, SIZE)
    posterior = prior.posterior(prior.look(face, mask))
    drawn = np.stack([prior.components @ posterior.draw(seed) for seed in range(4000)])
    np.testing.assert_allclose(drawn.mean(axis=0), prior.components @ posterior.mean, atol=0.2)
    np.testing.assert_allclose(
        drawn.var(axis=0), posterior.variance(prior.components), rtol=0.15, atol=1e-4
    )


def test_a_prior_of_misaligned_faces_too_explains_them_better():
    faces = low_rank_faces(150, seed=13, side=32)
    rng = np.random.default_rng(1)
    moved = [misalign(face, 0.03, rng) for face in low_rank_faces(20, seed=14, side=32)]
    mask = box_mask(9, 10, 14, 12, 32)

    def error(prior: Eigenface) -> float:
        filled = [prior.fill(face, mask).astype(float) for face in moved]
        return float(
            np.mean([np.abs(f - m)[mask].mean() for f, m in zip(filled, moved, strict=True)])
        )

    assert error(fit(faces, SIZE, CHROMA, 20, jitter=0.03)) < 0.9 * error(
        fit(faces, SIZE, CHROMA, 20)
    )


def test_known_pixels_stay_and_hidden_values_do_not_matter(prior):
    rng = np.random.default_rng(6)
    face = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    mask = rng.random((40, 40)) < 0.3
    filled = prior.fill(face, mask)
    assert (filled[~mask] == face[~mask]).all()
    other = face.copy()
    other[mask] = rng.integers(0, 256, (int(mask.sum()), 3))
    assert (prior.fill(other, mask) == filled).all()
    assert (filled[mask] != face[mask]).any()


def test_nothing_hidden_and_all_hidden(prior):
    face = low_rank_faces(1, seed=7)[0]
    assert (prior.fill(face, np.zeros((SIZE, SIZE), bool)) == face).all()
    everything = np.ones((SIZE, SIZE), bool)
    assert (prior.fill(face, everything) == prior.mean_face).all()


def test_extrapolation_of_an_even_edge_is_even_and_stays_between_extremes():
    known = ~box_mask(20, 24, 20, 16, 64)
    even = extrapolate(np.float32(10) * known[..., None] * np.ones(3, np.float32), known)
    assert (even[known] == 10).all()
    np.testing.assert_allclose(even, 10, atol=1e-3)
    ramp = np.mgrid[0:64, 0:64][1][..., None] * np.ones(3, np.float32)  # linear: harmonic
    filled = extrapolate((ramp * known[..., None]).astype(np.float32), known)
    np.testing.assert_allclose(filled, ramp, atol=0.5)
    noise = np.random.default_rng(8).normal(size=(64, 64, 3)).astype(np.float32) * known[..., None]
    filled = extrapolate(noise.copy(), known)
    assert np.abs(filled[~known]).max() < np.abs(noise).max()
    np.testing.assert_array_equal(filled[known], noise[known])


def test_the_same_seed_gives_the_same_prior():
    faces = low_rank_faces(50, seed=9)
    first, second, third = (fit(faces, SIZE, CHROMA, 4, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.components, second.components)
    np.testing.assert_allclose(first.variances, third.variances, rtol=1e-3)


def test_save_and_load(prior, tmp_path):
    path = tmp_path / "prior.npz"
    prior.save(path)
    loaded = Eigenface.load(path)
    for name in ("mean", "variances", "residual", "size", "chroma", "texture", "calibration"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(prior, name))
    np.testing.assert_allclose(loaded.components, prior.components, rtol=1e-3, atol=1e-6)
    assert loaded.components.dtype == np.float32
    face, mask = low_rank_faces(1, seed=10)[0], box_mask(3, 3, 9, 8, SIZE)
    assert np.abs(loaded.fill(face, mask).astype(int) - prior.fill(face, mask)).max() <= 1
    assert [p.name for p in tmp_path.iterdir()] == ["prior.npz"]


def test_damaged_files_are_named(prior, tmp_path):
    path = tmp_path / "prior.npz"
    prior.save(path)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    for data in (b"", b"PK", whole[:100], whole[: len(whole) // 2], whole[:-10], bytes(flipped)):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=r"prior\.npz"):
            Eigenface.load(path)
    with pytest.raises(WeightsError, match="fit-prior"):
        Eigenface.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variances": np.ones(3, np.float32)}, "do not fit"),
        ({"mean": np.full(SIZE * SIZE + 2 * CHROMA**2, np.nan, np.float32)}, "do not fit"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(prior, tmp_path, change, message):
    path = tmp_path / "prior.npz"
    dataclasses.replace(prior, **change).save(path)
    with pytest.raises(WeightsError, match=message):
        Eigenface.load(path)


def test_wrong_calls(prior):
    faces = low_rank_faces(10, seed=0)
    for r, c, k in ((15, 8, 2), (32, 8, 2), (16, 8, 10), (16, 8, 0), (0, 0, 1), (8, 16, 2)):
        with pytest.raises(UsageError):
            fit(faces, r, c, k)
    with pytest.raises(ImageError):
        prior.fill(faces[0, :8], np.zeros((8, 16), bool))
    with pytest.raises(ImageError):
        prior.fill(faces[0, :8, :8], np.ones((8, 8), bool))
    with pytest.raises(MaskError):
        prior.fill(faces[0], np.zeros((8, 8), bool))
