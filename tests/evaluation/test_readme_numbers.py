"""The tables of README and docs are those of the committed results."""

import re
from pathlib import Path

import pytest

from unveil.evaluation.protocols import PROTOCOLS
from unveil.evaluation.report import markdown, marked_text, read_results

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "results.md")
MARKED = [
    (document, protocol)
    for document in DOCUMENTS
    for protocol in re.findall(r"<!-- results:(\w+) -->", document.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("document", "protocol"), MARKED)
def test_the_tables_equal_the_results(document, protocol):
    text = document.read_text(encoding="utf-8")
    assert marked_text(text, protocol) == markdown(read_results(RESULTS / f"{protocol}.json"))


def test_the_main_results_are_in_the_readme():
    assert (DOCUMENTS[0], "paper") in MARKED
    assert {"objects", "segmenter", "reliability"} <= {protocol for _, protocol in MARKED}


@pytest.mark.parametrize("protocol", ["paper", "objects"])
def test_the_results_are_of_a_thousand_faces_under_the_committed_masks(protocol):
    results = read_results(RESULTS / f"{protocol}.json")
    assert results["data"]["faces"] >= 1000
    for mask_set in PROTOCOLS[protocol]:
        measured = results["sets"][mask_set.name]
        if protocol == "paper":
            assert measured["masks_sha256"] == mask_set.sha256(range(results["data"]["faces"]))
        assert measured["published_psnr"] == mask_set.published
