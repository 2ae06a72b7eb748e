"""The masks that results are compared on are those whose hashes are committed."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from drawn import draw_face

from unveil.evaluation.protocols import PROTOCOLS, SEED, box, describe
from unveil.occlusion.shapes import box_mask

MASKS = Path(__file__).parents[2] / "benchmarks" / "masks"
COVERAGE = {
    "rectangle-10-15": (0.10, 0.15),
    "rectangle-20-30": (0.20, 0.30),
    "paper-sampler": (50 * 50 / 256**2, 100 * 100 / 256**2),
    "strokes-10-20": (0.10, 0.20),
    "strokes-20-30": (0.20, 0.30),
    "strokes-30-40": (0.30, 0.40),
    "objects": (0.005, 0.75),
    "centre-120": (120**2 / 256**2, 120**2 / 256**2),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_masks_equal_the_committed_hashes(protocol):
    committed = json.loads((MASKS / f"{protocol}.json").read_text(encoding="utf-8"))
    assert committed["seed"] == SEED
    # Rectangles are drawn in no time; of the strokes the first twenty stand for the rest.
    counts = (20, 1000) if protocol in ("paper", "tables", "centre") else (20,)
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
    assert low <= min(shares) <= max(shares) <= high
    assert min(shares) < max(shares) or low == high


def test_each_face_and_each_set_has_a_mask_of_its_own():
    again = ("robust", "tables", "centre")  # on purpose the same for some
    sets = [s for name, sets in PROTOCOLS.items() for s in sets if name not in again]
    assert len({s.number for s in sets}) == len({s.name for s in sets}) == len(sets)
    hashes = {s.sha256([face]) for s in sets for face in range(5)}
    assert len(hashes) == 5 * len(sets)
    assert sets[0].sha256([3]) == sets[0].sha256([3])


def test_boxes_are_the_committed_ones():
    with open(MASKS / "boxes.csv", encoding="utf-8", newline="") as file:
        committed = {}
        for seed, number, place, *edges in csv.reader(file):
            committed[seed, number, place] = edges
    for sets in PROTOCOLS.values():
        for mask_set in sets:
            for place in (0, 1, 2, 999):
                left, top, width, height = map(
                    int, committed[str(SEED), str(mask_set.number), str(place)]
                )
                mask = mask_set.mask(place)
                assert box(mask) == (left, top, width, height)
                if mask_set.name.startswith(("rectangle", "paper", "centre")):
                    assert np.array_equal(mask, box_mask(left, top, width, height))
    numbers = {s.number for sets in PROTOCOLS.values() for s in sets}
    assert len(committed) == 1 + 1000 * len(numbers)


def test_the_hole_in_the_middle_is_in_the_middle():
    (centre,) = PROTOCOLS["centre"]
    mask = centre.mask(3)
    assert mask.sum() == 120**2
    assert np.array_equal(mask, mask[::-1, ::-1])


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
