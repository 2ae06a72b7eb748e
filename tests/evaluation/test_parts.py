import json
import os
import sys
from datetime import date

import pytest
from benchmark_script import load_script

from unveil.evaluation.parts import PARTS, mixed, networks, of_others, of_these_weights, stamp
from unveil.runtime.weights import find_weights

KEYS = {"rows": ("rows", "seed"), "speed": ("speed",), "memory": ("memory",)}


def test_networks_are_the_models_own_before_the_shared_ones(model):
    ours, lite = networks(model), networks("lite")
    assert list(lite) == ["mask", "align", "detector", "face", "prior"]
    assert lite["mask"] == find_weights("segmenter").file("mask").sha256
    assert ours["mask"] == find_weights(model).file("mask").sha256 != lite["mask"]
    assert ours["align"] == lite["align"]


def test_parts_of_other_weights_do_not_stay(model):
    results = {"rows": [1], "seed": 3, "speed": {"a": 1}, "memory": {"b": 2}, "unveil": "0"}
    stamp(results, "rows", "lite")
    stamp(results, "speed", model)
    kept, others = of_these_weights(results, KEYS, "lite")
    assert kept == {"rows": [1], "seed": 3, PARTS: {"rows": results[PARTS]["rows"]}}
    assert others == ["speed", "memory"]  # of the last it is not known
    results[PARTS]["rows"]["sha256"]["mask"] = "another segmenter"
    assert of_these_weights(results, KEYS, "lite") == ({}, ["rows", "speed", "memory"])
    assert of_these_weights({}, KEYS, "lite") == ({}, [])


def test_a_stamp_says_what_and_when(model):
    results = {}
    stamp(results, "rows", model)
    stamp(results, "ledger", None)
    today = date.today().isoformat()
    assert results[PARTS] == {
        "rows": {"model": "stand-in", "sha256": networks(model), "date": today},
        "ledger": {"date": today},
    }


def test_files_that_are_not_shipped_any_more_are_told():
    now = networks("lite")
    assert of_others("lite", now) == of_others("lite", {"face": now["face"]}) == ""
    assert "other files of `lite`" in of_others("lite", now | {"mask": "0" * 64})


def test_a_mixture_is_told(model):
    results = {}
    assert mixed(results) == ""
    stamp(results, "rows", "lite")
    stamp(results, "speed", "lite")
    stamp(results, "ledger", None)
    assert mixed(results) == ""
    stamp(results, "speed", model)
    results[PARTS]["rows"]["date"] = "2026-01-02"
    assert " of the same weights (rows: lite, 2026-01-02; speed: stand-in, " in mixed(results)


@pytest.fixture
def video(monkeypatch):
    """benchmarks/video.py without its hours."""
    script = load_script("video")
    monkeypatch.setattr(script, "Restorer", lambda name, threads: name)
    monkeypatch.setattr(script, "measure", lambda clip, given, restorer: [f"{clip}, {restorer}"])
    monkeypatch.setattr(script, "speed", lambda clip, length, given: {"frames": length})
    monkeypatch.setattr(script, "fresh", lambda call, *given: call(*given))
    return script


def run(script, monkeypatch, out, *words):
    monkeypatch.setattr(sys, "argv", ["video.py", *words, "--out", str(out)])
    script.main()
    return json.loads(out.read_text())


def test_clips_keep_what_is_of_these_weights_and_say_what_is_not(
    video, model, monkeypatch, capsys, tmp_path
):
    out = tmp_path / "video.json"
    run(video, monkeypatch, out, "a.mp4", "b.mp4")
    first = run(video, monkeypatch, out, "a.mp4", "--frames", "0", "--length", "9")
    assert first["rows"] == ["a.mp4, lite", "b.mp4, lite"]
    assert first["data"]["clips"] == 2  # the rows', not the speed's
    assert first["speed"] == {"frames": 9}
    assert set(first[PARTS]) == {"rows", "speed"}
    assert "left out" not in capsys.readouterr().out
    again = run(video, monkeypatch, out, "a.mp4", "--model", model, "--frames", "7")
    assert (again["rows"], again["frames"]) == ([f"a.mp4, {model}"], 7)
    assert "speed" not in again
    assert set(again[PARTS]) == {"rows"}
    assert "speed: measured with other weights, left out" in capsys.readouterr().out


def test_memory_is_measured_in_a_process_of_its_own():
    assert load_script("video").fresh(os.getpid) != os.getpid()
