"""The tables of README and docs are those of the committed results."""

from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from unveil.evaluation.document import Table
from unveil.evaluation.protocols import PROTOCOLS
from unveil.evaluation.report import OPENING, OTHERS, main_tables, markdown, read_results, source
from unveil.evaluation.report_document import compile_document

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = tuple(
    ROOT / name
    for name in (
        "README.md",
        "docs/results.md",
        "docs/model-card.md",
        "docs/service.md",
        "docs/scale.md",
        "docs/video.md",
    )
)
MARKED = [
    (document, name)
    for document in DOCUMENTS
    for name in OPENING.findall(document.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("document", "name"), MARKED)
def test_the_tables_equal_the_results(document, name):
    text = document.read_text(encoding="utf-8")
    protocol, view = source(name)
    results = read_results(RESULTS / f"{protocol}.json")
    marked = text.partition(f"<!-- results:{name} -->")[2].partition(f"<!-- /results:{name} -->")[0]
    assert marked.strip() == markdown(results, view)


def test_the_report_holds_all_results():
    paths = [RESULTS / f"{name}.json" for name in (*PROTOCOLS, *OTHERS)]
    document = compile_document([read_results(path) for path in paths if path.exists()])
    text = (ROOT / "docs" / "report" / "report.md").read_text(encoding="utf-8")
    shown = [block for block in document.blocks() if isinstance(block, Table)]
    assert len(shown) > 10
    for table in shown:
        assert table.markdown() in text, f"python docs/make_report.py: {table.title}"


def test_the_plot_of_reliability_is_of_the_results():
    results = read_results(RESULTS / "reliability.json")
    with Image.open(ROOT / "docs" / "images" / "reliability.png") as plot:
        described = plot.info["Description"]
    assert described == main_tables(results)[0].markdown(), "python docs/make_report.py"


def test_the_main_results_are_in_the_readme():
    assert {(DOCUMENTS[0], name) for name in ("table-2", "table-3", "ahead")} <= set(MARKED)
    assert {"paper", "objects", "segmenter", "reliability"} <= {name for _, name in MARKED}


@pytest.mark.parametrize(
    "protocol",
    [
        "paper",
        pytest.param("strokes", marks=pytest.mark.slow),
        "centre",
        "objects",
        "robust",
    ],
)
def test_the_results_are_of_a_thousand_faces_under_the_committed_masks(protocol):
    results = read_results(RESULTS / f"{protocol}.json")
    assert results["data"]["faces"] >= (200 if protocol == "robust" else 1000)
    for mask_set in PROTOCOLS[protocol]:
        measured = results["sets"][mask_set.name]
        if protocol != "objects":  # which floats draw, not the same everywhere
            assert measured["masks_sha256"] == mask_set.sha256(range(results["data"]["faces"]))
        assert measured["published"] == [asdict(each) for each in mask_set.published]
