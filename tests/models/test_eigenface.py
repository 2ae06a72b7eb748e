"""A Gaussian of faces against exact PCA and the dense formula."""

import numpy as np
import pytest
from lowrank import CHROMA, RANK, SIZE, low_rank_faces

from unveil.models import eigenface
from unveil.models.eigenface import Eigenface
from unveil.models.face_vector import Known, average_known, entries, pack, unpack
from unveil.models.prior_fit import fit
from unveil.occlusion.shapes import box_mask


@pytest.fixture(scope="session")
def gaussian(prior) -> Eigenface:
    return prior.front


def test_equals_exact_pca_of_faces_and_mirror_images():
    faces = np.random.default_rng(4).integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    both = np.concatenate([faces, faces[:, :, ::-1]])
    packed = np.stack([pack(np.ascontiguousarray(face), 4, 2) for face in both]).astype(float)
    centred = packed - packed.mean(axis=0)
    exact, vectors = np.linalg.eigh(centred.T @ centred / 120)
    gaussian = fit(faces, 4, 2, 5).front
    np.testing.assert_allclose(gaussian.mean, packed.mean(axis=0), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(gaussian.variances, exact[::-1][:5], rtol=1e-4)
    np.testing.assert_allclose(gaussian.residual, exact[:-5].sum() / (24 - 5), rtol=1e-4)
    overlap = np.abs((gaussian.components * vectors[:, ::-1][:, :5]).sum(axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-4)


def test_components_are_orthonormal(gaussian):
    product = gaussian.components.T @ gaussian.components
    np.testing.assert_allclose(product, np.eye(2 * RANK), atol=1e-5)


@pytest.mark.parametrize("hidden_share", [0.2, 0.8])  # each takes another side of the Gram matrix
def test_posterior_equals_the_dense_formula(gaussian, hidden_share):
    rng = np.random.default_rng(5)
    weight = (rng.random((SIZE, SIZE)) > hidden_share) * rng.uniform(0.5, 1, (SIZE, SIZE))
    weight = weight.astype(np.float32)
    colour = rng.uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    values, w = entries(Known(colour, weight), CHROMA)
    w = w.astype(float)
    basis = gaussian.components.astype(float)
    ridge = eigenface.RESIDUAL_CORRELATION * gaussian.residual / gaussian.variances
    system = basis.T @ (w[:, None] * basis) + np.diag(ridge)
    z = np.linalg.solve(system, basis.T @ (w * (values - gaussian.mean)))
    posterior = gaussian.posterior(Known(colour, weight))
    np.testing.assert_allclose(basis @ posterior.mean, basis @ z, atol=0.05)
    covariance = eigenface.RESIDUAL_CORRELATION * gaussian.residual * np.linalg.inv(system)
    variance = np.einsum("dk,kl,dl->d", basis, covariance, basis)
    np.testing.assert_allclose(posterior.variance(gaussian.components), variance, rtol=1e-2)


def test_samples_scatter_as_the_posterior_says(gaussian):
    face, mask = low_rank_faces(1, seed=12)[0], box_mask(3, 3, 9, 8, SIZE)
    posterior = gaussian.posterior(average_known(face, mask, SIZE))
    drawn = np.stack([gaussian.components @ posterior.draw(seed) for seed in range(4000)])
    np.testing.assert_allclose(drawn.mean(axis=0), gaussian.components @ posterior.mean, atol=0.2)
    np.testing.assert_allclose(
        drawn.var(axis=0), posterior.variance(gaussian.components), rtol=0.15, atol=1e-4
    )


def test_packing_keeps_smooth_faces_and_squared_lengths():
    face = low_rank_faces(1, seed=11, side=64)[0]
    entries = pack(face, 64, 16)
    assert entries.shape == (64 * 64 + 2 * 16 * 16,)
    assert np.abs(unpack(entries, 64, 16) - face).max() < 4
    grey = np.full((16, 16, 3), 100, np.uint8)
    assert np.square(pack(grey, 16, 8)).sum() == pytest.approx(16 * 16 * 3 * 100**2)
