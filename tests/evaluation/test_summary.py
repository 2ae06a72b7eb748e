from dataclasses import asdict, replace

import numpy as np
import pytest

from unveil.evaluation.intervals import estimate
from unveil.evaluation.protocols import PROTOCOLS
from unveil.evaluation.scores import SCORES, FaceScores, Part, Scored
from unveil.evaluation.summary import WORST, summarise

SET = PROTOCOLS["paper"][0]
N = 40


def part(psnr, shift=0.0):
    """N faces of which each has this PSNR in its hidden part; features, moved by `shift`."""
    plain = FaceScores(**dict.fromkeys(SCORES, 1.0))
    rng = np.random.default_rng(0)
    rows = []
    for i in range(N):
        truth = rng.normal(size=(2, 4)).astype(np.float32)
        features = np.concatenate([truth, truth + shift, truth + shift])
        rows.append(Scored(replace(plain, psnr_hidden=float(psnr[i])), features))
    return Part.of(rows)


RNG = np.random.default_rng(1)
HARD = RNG.normal(18, 3, N)
BEHIND = np.zeros(N)
BEHIND[[7, 3, 30]] = 5.0, 2.0, 4.0
PARTS = {"ours": part(HARD), "theirs": part(HARD + BEHIND - 0.5, 0.1), "same": part(HARD)}
RESULTS = summarise(SET, PARTS, N)


def test_the_worst_faces_are_the_worst_and_only_losses():
    theirs, same = RESULTS["differences"]
    assert (theirs["a"], theirs["b"]) == ("ours", "theirs")
    assert [case["place"] for case in theirs["worst"]] == [7, 30, 3]
    assert [case["psnr_hidden"] for case in theirs["worst"]] == pytest.approx([-4.5, -3.5, -1.5])
    assert theirs["worst"][0]["a"] == pytest.approx(HARD[7], abs=1e-3)
    assert same["worst"] == []
    many = summarise(SET, {"a": part(HARD), "b": part(HARD + np.arange(N))}, N)
    assert [c["place"] for c in many["differences"][0]["worst"]] == list(range(N - 1, 29, -1))
    assert len(many["differences"][0]["worst"]) == WORST


def test_paired_differences_are_those_of_each_face():
    found = RESULTS["differences"][0]["psnr_hidden"]
    assert found == pytest.approx(asdict(estimate(0.5 - BEHIND)))


def test_people_are_the_units_where_they_are_known():
    people = np.arange(N) // 2
    results = summarise(SET, {"ours": PARTS["ours"], "theirs": PARTS["theirs"]}, N, people)
    (difference,) = results["differences"]
    assert difference["psnr_hidden"] == pytest.approx(asdict(estimate(0.5 - BEHIND, people)))
    assert results["models"]["ours"]["psnr_hidden"] == asdict(estimate(HARD, people))
    assert results["models"]["ours"]["psnr_hidden"] != RESULTS["models"]["ours"]["psnr_hidden"]


def test_distances_of_sets():
    ours, theirs = (RESULTS["models"][n]["frechet_pasted"] for n in ("ours", "theirs"))
    assert ours["mean"] == pytest.approx(0, abs=1e-6)
    assert theirs["mean"] == pytest.approx(4 * 0.1**2, rel=1e-3)
    difference = RESULTS["differences"][0]["frechet_pasted"]
    assert difference["mean"] == pytest.approx(-4 * 0.1**2, rel=1e-3)
    assert difference["high"] < 0


def test_without_features_there_are_no_distances():
    bare = [Scored(replace(FaceScores(**dict.fromkeys(SCORES, 1.0)), perceptual_raw=None))] * N
    results = summarise(SET, {"a": Part.of(bare), "b": Part.of(bare)}, N)
    assert not any("frechet" in name for name in results["models"]["a"])
    assert "perceptual_raw" not in results["models"]["a"]
