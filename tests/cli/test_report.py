"""`unveil evaluate` on several protocols, then `unveil report`, from faces to a page."""

import json

import pytest
from drawn import write_faces


@pytest.fixture
def results(unveil, tmp_path, model):
    write_faces(tmp_path / "faces", 4, 256)
    status, out, _ = unveil(
        *("evaluate", "--models", f"{model},telea", "--data", tmp_path / "faces"),
        *("--protocol", "tables,centre", "--faces", 3, "--out", tmp_path / "out", "--jobs", 1),
    )
    assert status == 0
    assert "120x120" in out
    return [tmp_path / "out" / f"{name}.json" for name in ("tables", "centre")]


def test_from_results_to_a_page(unveil, results, tmp_path, model):
    tables = json.loads(results[0].read_text(encoding="utf-8"))
    assert tables["data"]["faces"] == 3
    document = tmp_path / "doc.md"
    document.write_text("<!-- results:centre -->\n<!-- /results:centre -->\n", encoding="utf-8")
    status, out, err = unveil(
        *("report", *results, "--out", tmp_path / "page", "--update", document),
        *("--data", tmp_path / "faces", "--faces", 3, "--models", f"{model},telea"),
    )
    assert (status, err) == (0, "")
    assert f"{document}: centre" in out
    html = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    worst = tables["sets"]["rectangle-20-30"]["differences"][0]["worst"]
    assert len(worst) > 0
    assert ", ".join(f"{case['psnr_hidden']:.2f}" for case in worst) in html
    mean = tables["sets"]["rectangle-20-30"]["models"]["telea"]["psnr_hidden"]["mean"]
    assert f"{mean:.2f} (" in html
    assert "| telea |" in document.read_text(encoding="utf-8")
    assert str(tmp_path) not in html


def test_wrong_calls(unveil, results, tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    (tmp_path / "part.json").write_text('{"protocol": "cost", "data": {}}')
    shown = ("--data", tmp_path / "faces")
    calls = (
        ((tmp_path / "part.json",), 1, "part.json: parts of the results are missing"),
        ((tmp_path / "bad.json",), 1, "not a results file"),
        ((*results, results[0]), 2, "two results of the protocol tables"),
        ((*results, "--split", ""), 2, "--split is of the faces of --data"),
        ((*results, "--faces", 3), 2, "--faces is of the faces of --data"),
        ((*results, "--prior", tmp_path), 2, "--prior is of the faces of --data"),
        ((*results, *shown), 2, "--data and --models go together"),
        ((*results, *shown, "--models", ","), 2, "--models ,: one or more models"),
        ((*results, *shown, "--models", "telea,telea"), 2, "each with a name of its own"),
        ((*results, "--training", tmp_path / "none.csv"), 1, "none.csv"),
        ((*results, "--update", tmp_path / "none.md"), 1, "none.md"),
    )
    for arguments, expected, message in calls:
        status, _, err = unveil("report", *arguments, "--out", tmp_path / "page")
        assert (status, err.count("\n")) == (expected, 1)
        assert message in err
