"""The closed-form prior: faces that it must solve, and heads that are turned."""

import dataclasses

import numpy as np
import pytest
from lowrank import CHROMA, SIZE, low_rank_faces, turned_heads

from unveil.models.prior import SAMPLE_SPREAD, FacePrior, likeliest, uncertainty
from unveil.models.prior_fit import fit
from unveil.occlusion.shapes import box_mask

SIDE = 32
LOWER = box_mask(0, 16, SIDE, 12, SIDE)


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


def fills(prior: FacePrior, heads: np.ndarray) -> np.ndarray:
    return np.stack([prior.fill(head, LOWER) for head in heads]).astype(float)


def test_turned_heads_are_better_filled_by_a_gaussian_of_their_own(posed):
    one = fit(turned_heads(600, 1)[0], SIDE, CHROMA, 8)
    heads, turns = turned_heads(60, 2)
    heads = heads[np.abs(turns) > 0.4]
    errors = [np.abs(fills(prior, heads) - heads)[:, LOWER].mean() for prior in (one, posed)]
    assert errors[1] < 0.7 * errors[0]


def test_how_far_a_head_is_turned_is_read_off_its_known_part(posed):
    heads, turns = turned_heads(60, 3)
    amounts = [posed.front.posterior(posed.look(head, LOWER)).mean for head in heads]
    read = np.stack(amounts) @ posed.direction
    assert np.corrcoef(read, turns)[0, 1] > 0.95


def test_a_mirrored_face_is_filled_as_the_mirror_image(posed):
    heads, turns = turned_heads(20, 4)
    assert (turns > 0.3).any()
    assert (turns < -0.3).any()
    mirrored = fills(posed, np.ascontiguousarray(heads[:, :, ::-1]))
    np.testing.assert_allclose(mirrored[:, :, ::-1], fills(posed, heads), atol=1)


def test_who_is_asked(posed):
    heads, turns = turned_heads(200, 5)
    seen = set()
    for head, turn in zip(heads, turns, strict=True):
        opinions = posed.ask(posed.look(head, LOWER))
        assert sum(opinion.share for opinion in opinions) == pytest.approx(1)
        of_turned = [opinion for opinion in opinions if opinion.gaussian is posed.turned]
        if of_turned and abs(turn) > 0.3:
            assert of_turned[0].mirrored == (turn < 0)
        seen.add((len(opinions), bool(of_turned)))
    assert seen == {(1, False), (2, True), (1, True)}


def between(posed: FacePrior):
    """A head that both have a say on, and what they say."""
    for head in turned_heads(200, 6)[0]:
        opinions = posed.ask(posed.look(head, LOWER))
        if len(opinions) == 2 and min(opinion.share for opinion in opinions) > 0.3:
            return head, opinions
    raise AssertionError("no head is turned by so little")


def test_two_opinions_are_as_unsure_as_samples_of_both(posed):
    _, opinions = between(posed)
    drawn = []
    for opinion in opinions:
        count = round(4000 * opinion.share)
        drawn += [opinion.face(opinion.posterior.draw(seed)) for seed in range(count)]
    drawn = np.stack(drawn)
    np.testing.assert_allclose(drawn.mean(axis=0), likeliest(opinions), atol=1)
    variance, _ = uncertainty(opinions)
    found = drawn.var(axis=0).mean(axis=2)
    # Chroma lies at another size, where neighbours' variances are averaged: so on the whole only.
    assert variance.mean() == pytest.approx(found.mean(), rel=0.1)
    where = box_mask(5, 18, 9, 6, SIDE)
    np.testing.assert_allclose(uncertainty(opinions, where)[0][where], variance[where], rtol=1e-5)


def test_a_sample_is_a_face_of_the_one_that_counts_more(posed):
    head, opinions = between(posed)
    most = max(opinions, key=lambda opinion: opinion.share)
    expected = most.face(most.posterior.draw(5, SAMPLE_SPREAD))
    np.testing.assert_array_equal(posed.draw(opinions, 5), expected)
    drawn = posed.fill(head, LOWER, seed=5)
    assert (drawn[~LOWER] == head[~LOWER]).all()
    assert (drawn != posed.fill(head, LOWER, seed=6)).any()
    calibrated = dataclasses.replace(posed, calibration=(4.0, 1.0))
    mean = most.face(most.posterior.mean)
    off, further = (prior.draw(opinions, 5) - mean for prior in (posed, calibrated))
    np.testing.assert_allclose(further, 2 * off, atol=1e-2)


def test_confidence_is_the_share_that_is_explained(posed):
    head, opinions = between(posed)
    sure = posed.confidence(opinions)
    marginal = sum(opinion.share * opinion.marginal for opinion in opinions)
    error = posed.expected_error(opinions)
    np.testing.assert_allclose(sure, np.clip(1 - error**2 / marginal, 0, 1), atol=1e-5)
    nothing = posed.ask(posed.look(head, np.ones((SIDE, SIDE), bool)))
    assert posed.confidence(nothing).max() < 0.01
    assert sure.min() > 0.9  # so low is the rank of these
