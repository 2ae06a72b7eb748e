"""The README's tables are those of the committed results."""

from pathlib import Path

import pytest

from unveil.evaluation.protocols import PROTOCOLS
from unveil.evaluation.report import markdown, marked_text, read_results

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "paper.json"

pytestmark = pytest.mark.skipif(not RESULTS.exists(), reason="no committed results yet")


def test_the_table_equals_the_results():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert marked_text(readme, "paper") == markdown(read_results(RESULTS))


def test_the_results_are_of_a_thousand_faces_under_the_committed_masks():
    results = read_results(RESULTS)
    assert results["data"]["faces"] >= 1000
    for mask_set in PROTOCOLS["paper"]:
        measured = results["sets"][mask_set.name]
        assert measured["masks_sha256"] == mask_set.sha256(range(results["data"]["faces"]))
        assert measured["published_psnr"] == mask_set.published
