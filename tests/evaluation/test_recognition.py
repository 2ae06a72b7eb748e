"""From pairs of drawn photos to numbers, with a stand-in for the recogniser."""

import json
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from drawn import draw_face, write_tar

from unveil.data.pairs import load_pairs
from unveil.errors import UsageError
from unveil.evaluation import aligned_pairs, identity, workers
from unveil.evaluation.aligned_pairs import align_photos
from unveil.evaluation.arms import AS_IS, Arm, Way
from unveil.evaluation.identity import embed_chunk, embeddings, treatment
from unveil.evaluation.identity_report import lead
from unveil.evaluation.protocols import RECOGNITION
from unveil.evaluation.recognisers import Recogniser
from unveil.evaluation.recognition import _judged, measure
from unveil.evaluation.report import markdown, read_results
from unveil.evaluation.verification import Pairs
from unveil.files import encode
from unveil.imaging import has_colours, resize, without_colour
from unveil.runtime.weights import Weights

BOXES = RECOGNITION[:2]


class Inline:
    """A pool that does its work at once, here, where tests can replace parts of it."""

    map = staticmethod(map)

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


@contextmanager
def inline(jobs):
    yield Inline()


def stand_in_embedding(faces):
    """What a face looks like at 6x6: (N, 128)."""
    small = np.stack([resize(face, 6) for face in faces]).reshape(len(faces), -1) / 255
    return np.pad(small, ((0, 0), (0, 20))).astype(np.float32)


@pytest.fixture
def judges(monkeypatch, tmp_path):
    """One that looks, and one to whom everybody is the same person."""
    trained = tmp_path / "trained.dat"
    trained.write_bytes(b"stand-in")
    for module in (workers, aligned_pairs):
        monkeypatch.setattr(module, "processes", inline)

    def blind(faces):
        return np.zeros((len(faces), 3), np.float32)

    identity._loaded.clear()
    return [
        Recogniser("looks", "a stand-in (6x6)", (trained,), 128, stand_in_embedding),
        Recogniser("blind", "nothing", (trained,), 3, blind),
    ]


def photo(seed: int, light: float) -> np.ndarray:
    """A drawn face of its own in a larger photo; 8 keeps it apart from the black of a box."""
    canvas = np.full((320, 320, 3), 120, np.uint8)
    canvas[30:286, 40:296] = np.clip(draw_face(seed) * light, 8, 255).astype(np.uint8)
    return canvas


@pytest.fixture(scope="module")
def pairs_file(tmp_path_factory):
    """Two folds of four people with two photos each; one more photo shows nobody."""
    folder = tmp_path_factory.mktemp("pairs")
    members, rows = {}, []
    for person in range(8):
        for i, light in enumerate((1.0, 0.93)):
            members[f"p{person}/{i}.png"] = encode(photo(person, light), "PNG")
        fold, other = person // 4, person // 4 * 4 + (person + 1) % 4
        rows.append(f"{fold},p{person}/0.png,p{person}/1.png,1")
        rows.append(f"{fold},p{person}/0.png,p{other}/1.png,0")
    members["p0/none.png"] = encode(np.full((320, 320, 3), 120, np.uint8), "PNG")
    rows.append("0,p0/none.png,p0/1.png,1")
    write_tar(folder / "images.tar", members)
    (folder / "pairs.csv").write_text("fold,image_a,image_b,same\n" + "\n".join(rows) + "\n")
    return folder / "pairs.csv"


def test_from_photos_to_numbers(judges, pairs_file, model, tmp_path):
    arms = [Arm.of("telea"), Arm.of(f"{model}+found")]
    out = tmp_path / "out"
    results, faces = measure(
        arms, load_pairs(pairs_file), out, data="drawn", judges=judges, sets=BOXES
    )
    assert read_results(out / "recognition.json") == results
    assert str(tmp_path) not in json.dumps(results)
    assert results["data"]["pairs"] == 16
    assert results["data"]["left_out"] == 1
    assert results["data"]["photos"] == len(faces.places) == 16
    assert list(results["models"]) == ["telea", "stand-in+found"]

    # Clean, by hand: the distances of the aligned faces' embeddings.
    clean = stand_in_embedding(faces.faces)
    pairs = faces.pairs
    far = np.linalg.norm(clean[pairs.first] - clean[pairs.second], axis=1)
    seen, unseen = (results["recognisers"][judge.name] for judge in judges)
    measured = seen["clean"]["distance"]
    assert measured["same"] == pytest.approx(far[pairs.same].mean(), abs=1e-3)
    assert measured["different"] == pytest.approx(far[~pairs.same].mean(), abs=1e-3)
    # A box on one photo takes it away from both; on both photos it is the same black.
    eyes = seen["kinds"]["eyes"]
    assert eyes["one"]["occluded"]["distance"]["same"] > 1.5 * measured["same"]
    assert eyes["both"]["occluded"]["distance"]["different"] < measured["different"]
    assert eyes["one"]["telea"]["distance"]["same"] < eyes["one"]["occluded"]["distance"]["same"]
    assert "gain" not in eyes["one"]["occluded"]
    for photos in ("one", "both"):
        gained = eyes[photos]["telea"]["accuracy"]["mean"]
        gained -= eyes[photos]["occluded"]["accuracy"]["mean"]
        assert eyes[photos]["telea"]["gain"]["mean"] == pytest.approx(gained, abs=1e-4)
    assert eyes["coverage"] == pytest.approx(124 * 48 / 65536, abs=1e-4)

    # The other one sees no difference anywhere.
    assert unseen["label"] == "nothing"
    assert unseen["clean"]["distance"] == {"same": 0, "different": 0}
    assert unseen["kinds"]["eyes"]["one"]["telea"]["gain"]["mean"] == 0

    text = markdown(results)
    assert "| occluded |" in text
    assert "restored by `telea`: with a stand-in accuracy changes by " in text
    for title in (
        "; with nothing accuracy changes by +0.0, +0.0 points (10 or more: 0; by more than its "
        "interval up: 0",
        "Accuracy, looks, one photo of a pair hidden; clean pairs",
        "Accuracy, looks, one photo of a pair hidden, thresholds of their own",
        "Accuracy, blind, both",
        "looks: black box over the eyes, both photos",
    ):
        assert title in text


def test_what_is_a_matter_of_scale_alone_is_gained_at_the_fixed_threshold_alone():
    """Clean, two photos of one person are 1 apart, of two people 10; an occluder makes all of it
    twenty times as much, and a treatment brings the scale back.
    """
    clean = np.array([0, 1, 10, 11] * 20, np.float32)[:, None]
    first, second = (
        np.add.outer(4 * np.arange(20), of).ravel() for of in ([0, 2, 0, 1], [1, 3, 2, 3])
    )
    same, fold = np.tile([True, True, False, False], 20), np.repeat([0, 1], 40)
    pairs = Pairs(first, second, same, fold, person=np.arange(80) // 2)
    embedded = {("", "clean"): clean}
    for label, scale in (("occluded", 20), ("back", 1), ("worse", 40)):
        embedded["eyes", label] = clean * np.float32(scale)
    judge = Recogniser("looks", "a stand-in", (), 1, stand_in_embedding)
    compared = [Way(label, label) for label in (AS_IS, "back", "worse")]
    judged = _judged(judge, embedded, BOXES[:1], compared, pairs, range(80))
    both = judged["kinds"]["eyes"]["both"]
    accuracy = {name: numbers["accuracy"]["mean"] for name, numbers in both.items()}
    own = {name: numbers["own"]["accuracy"]["mean"] for name, numbers in both.items()}
    assert accuracy == {"occluded": 0.5, "back": 1, "worse": 0.5}
    assert own == {"occluded": 1, "back": 1, "worse": 1}
    assert both["back"]["gain"]["mean"] == 0.5
    assert both["back"]["own"]["gain"] == {"mean": 0, "low": 0, "high": 0, "n": 80}
    assert "gain" not in both["occluded"]["own"]


def test_the_answer_tells_both_gains_and_what_the_mean_face_gains():
    def gained(points, low):
        return {"mean": points, "low": low, "high": points + 0.01}

    def arm(fixed, own):
        return {"gain": gained(*fixed), "own": {"gain": gained(*own)}}

    kinds = {
        "eyes": {
            "one": {
                "lite": arm((0.12, 0.1), (0.02, -0.1)),
                "lite+seen": arm((0.13, 0.1), (0.02, -0.1)),
                "lite+alike": arm((0.14, 0.1), (0.03, 0.01)),
                "mean-face": arm((0, -1), (0, -1)),
            }
        },
        "mask": {
            "one": {
                "lite": arm((-0.2, -0.3), (0.1, 0)),
                "lite+seen": arm((0.1, 0.02), (0.1, 0)),
                "lite+alike": arm((0.15, 0.1), (0.1, 0)),
                "mean-face": arm((0.08, 0), (0, -1)),
            }
        },
    }
    results = {
        "data": {"name": "d", "pairs": 600, "photos": 9, "same": 300, "folds": 2},
        "models": {"mean-face": {}, "lite": {}, "lite+seen": {}, "lite+alike": {}},
        "recognisers": {"looks": {"label": "Looker (1.0)", "kinds": kinds}},
    }
    text = lead(results)
    assert (
        "restored by `lite`: with Looker accuracy changes by +12.0, -20.0 points (10 or more: 1; "
        "by more than its interval up: 1, down: 1) at the fixed thresholds, by +2.0, +10.0 points "
        "(10 or more: 1; by more than its interval up: 0, down: 0) at thresholds of their own. "
        "With the mean of the vectors of the restored face and of the hidden one: with Looker "
        "accuracy changes by +13.0, +10.0 points (10 or more: 2; by more than its interval up: 2, "
        "down: 0) at the fixed thresholds, by +2.0, +10.0 points (10 or more: 1; by more than its "
        "interval up: 0, down: 0) at thresholds of their own. With the other photo hidden and "
        "restored alike, and four comparisons: with Looker accuracy changes by +14.0, +15.0 points "
        "(10 or more: 2; by more than its interval up: 2, down: 0) at the fixed thresholds, by "
        "+3.0, +10.0 points (10 or more: 1; by more than its interval up: 1, down: 0) at "
        "thresholds of their own. Filled with the mean face, which says nothing of who it is: "
        "with Looker accuracy changes by +0.0, +8.0 points"
    ) in text
    for kind in kinds.values():  # results of before
        for numbers in kind["one"].values():
            del numbers["own"]["gain"]
    assert "at thresholds of their own" not in lead(results)


def test_a_second_run_recognises_nothing_anew(judges, pairs_file, monkeypatch, tmp_path):
    pairs = load_pairs(pairs_file)
    faces = align_photos(pairs, _made(tmp_path), 1)
    arms = [Arm.of("telea")]
    first = embeddings(arms, BOXES, faces, tmp_path, 1, judges)
    assert list(first) == ["looks", "blind"]
    assert set(first["looks"]) == {("", "clean")} | {
        (s.name, label) for s in BOXES for label in ("occluded", "telea")
    }
    calls = []
    counted = replace(judges[0], embed=lambda f: calls.append(1) or stand_in_embedding(f))
    judges = [counted, judges[1]]
    monkeypatch.setattr(aligned_pairs, "find_points", None)
    again = embeddings(arms, BOXES, align_photos(pairs, tmp_path, 1), tmp_path, 1, judges)
    assert not calls
    for name, parts in first.items():
        assert all(np.array_equal(vectors, again[name][part]) for part, vectors in parts.items())
    next((tmp_path / ".cache").glob("*eyes-telea*.npy")).write_bytes(b"damaged")
    embeddings(arms, BOXES, faces, tmp_path, 1, judges)
    assert len(calls) == 1


def test_points_are_named_by_detector_and_code(judges, pairs_file, tmp_path, monkeypatch):
    pairs = load_pairs(pairs_file)
    align_photos(pairs, _made(tmp_path), 1)
    monkeypatch.setattr(aligned_pairs, "code_sha256", lambda *names: "other code")
    align_photos(pairs, tmp_path, 1)
    assert len(list((tmp_path / ".cache").glob("points-*.json"))) == 2
    other = replace(aligned_pairs.find_weights(aligned_pairs.DETECTOR).files[0], sha256="other")
    monkeypatch.setattr(
        aligned_pairs, "find_weights", lambda name: Weights(name, (other,), "", "", 0, "", {})
    )
    align_photos(pairs, tmp_path, 1)
    assert len(list((tmp_path / ".cache").glob("points-*.json"))) == 3


def _made(folder):
    (folder / ".cache").mkdir()
    return folder


def test_an_arm_sees_the_occluded_face_and_its_own_places_mask(judges, monkeypatch):
    clean, seen = [draw_face(i) for i in (5, 6)], []

    def treat(face, mask):
        seen.append((face.copy(), mask.copy()))
        return face

    monkeypatch.setattr(identity, "treatment", lambda arm: treat)
    sunglasses = RECOGNITION[3]
    found = embed_chunk(Arm.of("telea"), sunglasses, np.stack(clean), (7, 3), judges[:1])
    for (face, mask), truth, place in zip(seen, clean, (7, 3), strict=True):
        _, occluded, hidden = sunglasses.example(truth, place)
        assert np.array_equal(face, occluded)
        assert np.array_equal(mask, hidden)
        assert 0.02 < hidden.mean() < 0.4
    assert np.array_equal(found, stand_in_embedding(np.stack([face for face, _ in seen])))
    untouched = embed_chunk(None, sunglasses, np.stack(clean), (7, 3), judges[:1])
    assert np.array_equal(untouched, found)
    shown = embed_chunk(None, None, np.stack(clean), (7, 3), judges[:1])
    assert not np.array_equal(shown, found)


def test_a_treatment_does_as_the_restorer(model):
    import unveil

    face = np.clip(draw_face(3), 8, 255)
    _, occluded, mask = BOXES[1].example(face, 0)
    restorer = unveil.Restorer(model)
    told = treatment(Arm.of(model))(occluded, mask)
    assert np.array_equal(told, restorer.restore(occluded, mask, aligned=True).photo)
    found = treatment(Arm.of(f"{model}+found"))(occluded, ~mask)  # what it is told is not used
    assert np.array_equal(found, restorer.restore(occluded, aligned=True).photo)
    assert np.array_equal(treatment(Arm.of(f"{model}+found"))(face, mask), face)
    soft = treatment(Arm.of("lite@0"))(occluded, mask)
    lite = unveil.Restorer()
    assert np.array_equal(soft, lite.restore(occluded, mask, aligned=True, detail=0).photo)
    assert not np.array_equal(treatment(Arm.of("lite"))(occluded, mask), soft)


def test_a_grey_face_stays_grey():
    _, occluded, mask = BOXES[1].example(without_colour(draw_face(3)), 0)
    restored = treatment(Arm.of("lite"))(occluded, mask)
    assert not has_colours(restored, np.ones_like(mask))


def test_arms_of_one_name_are_refused(judges, pairs_file, tmp_path):
    arms = [Arm.of("telea")] * 2
    with pytest.raises(UsageError, match="a name of its own"):
        measure(arms, load_pairs(pairs_file), tmp_path, data="drawn", judges=judges)
