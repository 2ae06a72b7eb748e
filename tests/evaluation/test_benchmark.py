import json
import math
import shutil
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
import pytest
from drawn import draw_face

from unveil.data.faces import FaceSet
from unveil.errors import DataError
from unveil.evaluation import baselines, benchmark, changes, protocols
from unveil.evaluation.benchmark import evaluate, score_face
from unveil.evaluation.candidates import Candidate, specify
from unveil.evaluation.code import sources
from unveil.evaluation.protocols import PROTOCOLS, RECOGNITION
from unveil.evaluation.scores import SCORES, Part

FACES = FaceSet(("a", "b", "c"), np.stack([draw_face(i) for i in range(3)]))
SETS = PROTOCOLS["paper"]


def nothing(asked):
    """In the place of `workers.measured`: notes what it is asked for, and does none of it."""

    @contextmanager
    def measured(parts, jobs, title):
        asked.extend(parts)
        yield iter(())

    return measured


def leaf_means(value, path=()):
    """Every mean of a nested summary, by its path."""
    if isinstance(value, dict):
        if "mean" in value:
            yield path, value["mean"]
        for key, inner in value.items():
            yield from leaf_means(inner, (*path, key))


def test_scores_of_a_model_that_is_wrong_by_ten_everywhere():
    clean = np.full((256, 256, 3), 100, np.uint8)
    model = Candidate("ten", lambda face, mask: np.full_like(face, 110))
    scores = score_face(model, clean, SETS[0], 5).scores
    share = SETS[0].mask(5).mean()
    assert scores.coverage == share
    assert scores.psnr_raw == pytest.approx(10 * math.log10(255**2 / 100))
    assert scores.psnr_hidden == pytest.approx(scores.psnr_raw)
    assert scores.psnr_pasted == pytest.approx(10 * math.log10(255**2 / (100 * share)))
    assert scores.ssim_pasted != scores.ssim_raw
    assert (scores.l1_raw, scores.l1_hidden) == (10, 10)
    assert scores.l1_pasted == pytest.approx(10 * share)
    assert scores.mask_iou is None


def test_a_model_sees_neither_the_truth_nor_another_mask():
    clean, seen = draw_face(4), []

    def restore(face, mask):
        seen.append((face.copy(), mask.copy()))
        return face

    model = Candidate("spy", restore, lambda face: SETS[1].mask(7).astype(np.float32))
    scores = score_face(model, clean, SETS[1], 7).scores
    ((face, mask),) = seen
    np.testing.assert_array_equal(mask, SETS[1].mask(7))
    assert (face[mask] == 0).all()
    np.testing.assert_array_equal(face[~mask], clean[~mask])
    assert scores.mask_iou == 1
    assert scores.psnr_raw == scores.psnr_pasted < 25


@pytest.fixture(scope="module")
def run(tmp_path_factory, model):
    out = tmp_path_factory.mktemp("results")
    specs = [specify("telea"), specify(model)]
    return specs, out, evaluate(specs, FACES, "paper", out, data="drawn", jobs=2)


def test_results_equal_scores_taken_one_by_one(run):
    _, _, results = run
    telea = benchmark.build(specify("telea"))
    for mask_set in SETS:
        rows = [score_face(telea, f, mask_set, i) for i, f in enumerate(FACES.faces)]
        summary = results["sets"][mask_set.name]["models"]["telea"]
        for name in ("psnr_pasted", "psnr_hidden", "ssim_raw", "ssim_hidden_pasted"):
            assert summary[name]["mean"] == pytest.approx(
                np.mean([getattr(row.scores, name) for row in rows])
            )
            assert summary[name]["n"] == 3


def test_differences_are_those_of_the_means(run):
    _, _, results = run
    for of_set in results["sets"].values():
        (difference,) = of_set["differences"]
        models = of_set["models"]
        a, b = models[difference["a"]], models[difference["b"]]
        expected = a["psnr_hidden"]["mean"] - b["psnr_hidden"]["mean"]
        assert difference["psnr_hidden"]["mean"] == pytest.approx(expected)
        assert "mask_iou" not in models["telea"]
        assert models["stand-in"]["mask_iou"]["mean"] > 0.9


def test_the_file_holds_the_results_and_no_absolute_path(run, tmp_path_factory):
    specs, out, results = run
    text = (out / "paper.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(results))
    assert str(out.parent) not in text
    assert str(tmp_path_factory.getbasetemp()) not in text
    assert results["models"]["stand-in"]["sha256"] == dict(specs[1].sha256)
    assert results["data"]["faces"] == 3
    assert results["sets"]["paper-sampler"]["masks_sha256"] == SETS[2].sha256(range(3))


def test_a_second_run_measures_only_what_is_missing(run, monkeypatch, tmp_path):
    specs, out, results = run
    measured = []
    monkeypatch.setattr(benchmark, "measured", nothing(measured))
    again = evaluate(specs, FACES, "paper", out, data="drawn")
    assert measured == []
    assert list(leaf_means(again)) == list(leaf_means(results))
    # Other faces, or other weights under the same name, are measured anew.
    changed = FaceSet(FACES.names, FACES.faces[::-1])
    with pytest.raises(KeyError):
        evaluate(specs, changed, "paper", out, data="drawn")
    assert len(measured) == len(SETS) * len(specs)


def test_people_are_the_units_and_need_no_new_scores(run, monkeypatch):
    specs, out, results = run
    monkeypatch.setattr(benchmark, "measured", nothing([]))
    two = replace(FACES, people=np.array([0, 1, 0]))
    of_people = evaluate(specs, two, "paper", out, data="drawn")
    assert of_people["data"] == results["data"] | {"people": 2}
    assert "people as the units" in of_people["interval"]
    assert "faces as the units" in results["interval"]
    ours, before = (
        each["sets"]["rectangle-10-15"]["models"]["telea"]["psnr_hidden"]
        for each in (of_people, results)
    )
    assert ours["mean"] == before["mean"]
    assert ours["high"] > before["high"]  # t of one degree of freedom, not of two


def test_kept_scores_are_named_by_the_code_that_they_go_through(monkeypatch, tmp_path):
    eye = tmp_path / "features"
    eye.write_bytes(b"")
    spec, asked = specify("telea"), []

    def key(code, features):
        monkeypatch.setattr(benchmark, "code_sha256", lambda *names: asked.append(names) or code)
        return benchmark._key(spec, SETS[0], "faces", None, features)

    assert key("one", None) == key("one", None) != key("two", None)
    key("one", eye)
    scoring = ("unveil.evaluation.scores", "unveil.evaluation.baselines")
    assert asked == [scoring] * 3 + [(*scoring, "unveil.evaluation.perception")]


def test_who_is_on_the_faces_counts_where_sets_of_them_are_compared(tmp_path):
    eye, spec = tmp_path / "features", specify("telea")
    eye.write_bytes(b"")
    several = (None, np.array([0, 1, 1]), np.array([0, 1, 2]))
    for features, names in ((None, 1), (eye, 3)):
        keys = [benchmark._key(spec, SETS[0], "faces", people, features) for people in several]
        assert len(set(keys)) == names


def test_kept_scores_are_named_by_the_network_that_says_how_heads_are_turned(monkeypatch):
    def keys(installed):
        file = SimpleNamespace(sha256=installed)
        monkeypatch.setattr(protocols, "find_weights", lambda name: SimpleNamespace(files=[file]))
        sets = (PROTOCOLS["objects"][0], SETS[0], RECOGNITION[2])
        return [benchmark._key(specify("telea"), each, "faces", None, None) for each in sets]

    worn, rectangle, mask = (len(set(pair)) for pair in zip(keys("1"), keys("2"), strict=True))
    assert (worn, rectangle, mask) == (2, 1, 2)


def test_scores_behind_rectangles_are_kept_when_what_draws_occluders_changes(monkeypatch):
    """And those behind drawn occluders are not; nor any, when the shapes' own code changes."""

    def keys(changed):
        def hashed(*names):
            files = [path.name for path in sources(*names)]
            return f"{files} {changed}" if changed in files else f"{files}"

        monkeypatch.setattr(benchmark, "code_sha256", hashed)
        monkeypatch.setattr(protocols, "code_sha256", hashed)
        sets = (PROTOCOLS["objects"][0], SETS[0])
        return [benchmark._key(specify("telea"), each, "faces", None, None) for each in sets]

    before = keys("")
    for changed, same in (("hands.py", [False, True]), ("shapes.py", [False, False])):
        assert [a == b for a, b in zip(before, keys(changed), strict=True)] == same


def test_scores_are_named_by_how_the_hidden_part_is_painted_and_the_photo_changed():
    names = set()
    for each in (SETS[0], replace(SETS[0], change=changes.dark), replace(SETS[0], hide=_white)):
        names.add(benchmark._key(specify("telea"), each, "faces", None, None))
    assert len(names) == 3


def _white(face, rng):
    """As `SETS[0]` hides, in white."""
    mask = SETS[0].hide(face, rng)[1]
    return np.where(mask[..., None], np.uint8(255), face), mask


def test_another_version_of_what_is_the_model_is_another_model(monkeypatch, model):
    def keys(installed):
        monkeypatch.setattr(baselines, "version", lambda name: installed)
        specs = map(specify, ("telea", model))
        return [benchmark._key(spec, SETS[0], "faces", None, None) for spec in specs]

    (telea, network), (newer, same) = keys("1"), keys("2")
    assert telea != newer
    assert network == same


def test_versions_are_told_of_when_the_scores_were_measured(run, monkeypatch, tmp_path):
    specs, out, results = run
    shutil.copytree(out, tmp_path, dirs_exist_ok=True)
    now = version("numpy")
    assert results["libraries"]["numpy"] == now
    assert results["libraries"].keys() == set(benchmark.LIBRARIES)
    monkeypatch.setattr(benchmark, "measured", nothing([]))
    path = next((tmp_path / ".cache").glob("*-telea-*"))
    kept = json.loads(path.read_text())
    for libraries, told in (({"numpy": "0.1"}, f"0.1, {now}"), ({}, f"{now}, not noted")):
        path.write_text(json.dumps(kept | {"libraries": libraries}))
        again = evaluate(specs, FACES, "paper", tmp_path, data="drawn")
        assert again["libraries"]["numpy"] == told


def test_a_damaged_part_is_measured_anew(tmp_path):
    path = tmp_path / "part.json"
    for text in ("", "{", "[]", '{"columns": [1]}'):
        path.write_text(text)
        assert benchmark._read_part(path, 1) is None
    part = Part({name: [1.0] for name in SCORES}, {})
    benchmark.write_json(path, part.to_dict())
    assert benchmark._read_part(path, 1) == part


def test_one_face_or_person_alone_is_refused(tmp_path):
    for faces, message in (
        (FaceSet(("a",), FACES.faces[:1]), "one face"),
        (replace(FACES, people=np.zeros(3, np.intp)), "one person"),
    ):
        with pytest.raises(DataError, match=message):
            evaluate([specify("telea")], faces, "paper", tmp_path, data="x")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(DataError, match="file"):
        evaluate([specify("telea")], FACES, "paper", blocker, data="drawn")
