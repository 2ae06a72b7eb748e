"""The masks that results are compared on are those whose hashes are committed."""

import json
from pathlib import Path

import numpy as np
import pytest
from drawn import draw_face

from unveil.evaluation.protocols import PROTOCOLS, SEED, describe

MASKS = Path(__file__).parents[2] / "benchmarks" / "masks"
COVERAGE = {
    "rectangle-10-15": (0.10, 0.15),
    "rectangle-20-30": (0.20, 0.30),
    "paper-sampler": (50 * 50 / 256**2, 100 * 100 / 256**2),
    "strokes-10-20": (0.10, 0.20),
    "strokes-20-30": (0.20, 0.30),
    "strokes-30-40": (0.30, 0.40),
    "objects": (0.005, 0.75),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_masks_equal_the_committed_hashes(protocol):
    committed = json.loads((MASKS / f"{protocol}.json").read_text(encoding="utf-8"))
    assert committed["seed"] == SEED
    # Rectangles are drawn in no time; of the strokes the first twenty stand for the rest.
    counts = (20, 1000) if protocol == "paper" else (20,)
    ours = describe(protocol, counts)
    for name, of_set in ours["sets"].items():
        theirs = committed["sets"][name]
        assert theirs["sha256"].items() >= of_set["sha256"].items()
        assert (theirs["label"], theirs["number"]) == (of_set["label"], of_set["number"])
    assert committed["sets"].keys() == ours["sets"].keys()


@pytest.mark.parametrize("mask_set", [s for sets in PROTOCOLS.values() for s in sets])
def test_coverage_is_that_of_the_name(mask_set):
    low, high = COVERAGE.get(mask_set.name, COVERAGE["rectangle-10-15"])
    shares = [mask_set.mask(face).mean() for face in range(20)]
    assert low <= min(shares) < max(shares) <= high


def test_each_face_and_each_set_has_a_mask_of_its_own():
    sets = [s for name, sets in PROTOCOLS.items() for s in sets if name != "robust"]
    assert len({s.number for s in sets}) == len({s.name for s in sets}) == len(sets)
    hashes = {s.sha256([face]) for s in sets for face in range(5)}
    assert len(hashes) == 5 * len(sets)
    assert sets[0].sha256([3]) == sets[0].sha256([3])


def test_robust_sets_hide_the_same_of_changed_photos():
    plain, *changed = PROTOCOLS["robust"]
    face = draw_face(3)
    assert np.array_equal(plain.example(face, 1)[0], face)
    for mask_set in changed:
        clean, occluded, mask = mask_set.example(face, 1)
        assert np.array_equal(mask, plain.mask(1))
        assert np.abs(clean.astype(int) - face).mean() > 1, mask_set.name
        assert np.array_equal(occluded[~mask], clean[~mask])


def test_objects_hide_what_the_mask_says():
    (objects,) = PROTOCOLS["objects"]
    for place in range(5):
        clean, occluded, mask = objects.example(draw_face(place), place)
        difference = np.abs(occluded.astype(int) - clean).max(axis=2)
        assert np.median(difference[mask]) > 5
        # Beside it, there is nothing but its shadow.
        assert (difference[~mask] > 60).mean() < 0.01
