"""Fitting the prior: what it is fitted to, and what it refuses."""

import numpy as np
import pytest
from lowrank import CHROMA, SIZE, low_rank_faces, turned_heads

from unveil.errors import ImageError, MaskError, UsageError
from unveil.models.prior import FacePrior
from unveil.models.prior_fit import fit, jittered
from unveil.occlusion.shapes import box_mask


def test_a_prior_of_misaligned_faces_too_explains_them_better():
    faces = low_rank_faces(150, seed=13, side=32)
    rng = np.random.default_rng(1)
    moved = [jittered(face, 0.03, rng) for face in low_rank_faces(20, seed=14, side=32)]
    mask = box_mask(9, 10, 14, 12, 32)

    def error(prior: FacePrior) -> float:
        filled = [prior.fill(face, mask).astype(float) for face in moved]
        return float(
            np.mean([np.abs(f - m)[mask].mean() for f, m in zip(filled, moved, strict=True)])
        )

    assert error(fit(faces, SIZE, CHROMA, 20, jitter=0.03)) < 0.9 * error(
        fit(faces, SIZE, CHROMA, 20)
    )


def test_the_same_seed_gives_the_same_prior():
    faces = low_rank_faces(50, seed=9)
    first, second, third = (fit(faces, SIZE, CHROMA, 4, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.front.components, second.front.components)
    np.testing.assert_allclose(first.front.variances, third.front.variances, rtol=1e-3)


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


def test_turned_heads_are_fitted_mirrored_to_one_side():
    heads, turns = turned_heads(300, 1)
    prior = fit(heads, 32, CHROMA, 8, turns=turns, turned=10)
    mean = prior.turned.mean[: 32 * 32].reshape(32, 32)
    assert np.argmax(mean.mean(axis=0)) > 20  # the ridge stands to the right
    assert prior.turned.components.shape[1] == 10
    other = fit(np.ascontiguousarray(heads[:, :, ::-1]), 32, CHROMA, 8, turns=-turns, turned=10)
    np.testing.assert_allclose(other.turned.mean, prior.turned.mean, atol=1e-2)
    odd = prior.front.odd
    assert odd.any()
    assert not odd.all()
    assert (prior.direction[~odd] == 0).all()


def test_heads_nobody_could_tell_the_turn_of_count_as_frontal():
    heads, turns = turned_heads(300, 1)
    unknown = np.where(np.arange(300) % 3 == 0, np.nan, turns)
    prior = fit(heads, 32, CHROMA, 8, turns=unknown, turned=8)
    assert np.isfinite(prior.direction).all()
    without = fit(heads, 32, CHROMA, 8, turns=turns, turned=8)
    assert prior.front.residual > without.front.residual  # it has more to explain


def test_too_few_turned_heads_are_refused():
    heads, turns = turned_heads(60, 1)
    for number, which in ((60, turns), (8, turns / 100), (0, turns)):
        with pytest.raises(UsageError, match="turned heads"):
            fit(heads, 32, CHROMA, 8, turns=which, turned=number)
