"""The scores of a manifest: those of its very files."""

import json
from pathlib import Path

import pytest

from unveil.evaluation.manifest_scores import scores_of, write_scores
from unveil.evaluation.report import read_results
from unveil.runtime.weights import SHIPPED, find_weights, list_weights

ROOT = Path(__file__).parents[2]
RESULTS = [
    read_results(ROOT / "benchmarks" / "results" / f"{n}.json") for n in ("paper", "segmenter")
]


@pytest.mark.parametrize("folder", [SHIPPED, ROOT / "benchmarks" / "weights"])
def test_committed_manifests_tell_the_committed_results(folder):
    for weights in list_weights(folder):
        assert weights.scores == scores_of(weights, RESULTS), "python docs/make_report.py"


def test_the_shipped_models_have_been_measured():
    scores = {weights.name: weights.scores for weights in list_weights(SHIPPED)}
    assert scores["lite"]["psnr_pasted_rectangle-20-30"] > 20
    assert scores["lite"].keys() == scores["paper"].keys()
    assert scores["segmenter"].keys() == {"iou", "false_positive"}


def entry(name: str, digest: str) -> dict:
    file = {"role": "face", "file": f"{name}.onnx", "sha256": digest, "size": 1}
    words = dict.fromkeys(("licence", "training_data", "input_contract"), "")
    return {"name": name, "files": [file], "faces_seen": 1, "scores": {"old": 1.0}} | words


def test_scores_of_other_files_are_not_told(tmp_path):
    entries = [entry("one", "a"), entry("two", "b"), entry("three", "c")]
    (tmp_path / "manifest.json").write_text(json.dumps({"models": entries}), encoding="utf-8")
    values = {"psnr_pasted": {"mean": 21.23456}, "mask_iou": {"mean": 0.98765}}
    segmenter = find_weights("segmenter").file("mask").sha256
    result = {
        "protocol": "paper",
        "models": {
            "one": {"sha256": {"face": "a", "mask": segmenter}},
            "two": {"sha256": {"face": "older", "mask": segmenter}},
        },
        "sets": {"boxes": {"models": {"one": values, "two": values}}},
    }
    write_scores(tmp_path, [result])
    scores = {weights.name: weights.scores for weights in list_weights(tmp_path)}
    assert scores["one"] == {"psnr_pasted_boxes": 21.23, "mask_iou_boxes": 0.988}
    assert scores["two"] == scores["three"] == {}
    # The mask was found by the segmenter of before, which has nothing to do with the rest.
    result["models"]["one"]["sha256"]["mask"] = "older"
    write_scores(tmp_path, [result])
    assert list_weights(tmp_path)[0].scores == {"psnr_pasted_boxes": 21.23}
