import copy

import pytest

from unveil.errors import DataError
from unveil.evaluation.report import (
    markdown,
    read_results,
    replace_marked,
    update_file,
)


def about(mean, half):
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": 1000}


SCORES = {
    "psnr_pasted": about(27.654, 0.1),
    "psnr_raw": about(26.0, 0.2),
    "psnr_hidden": about(18.0, 0.3),
    "ssim_pasted": about(0.91234, 0.001),
    "ssim_hidden_pasted": about(0.5, 0.001),
    "l1_hidden": about(12.3456, 0.1),
}
OURS = {"mask_iou": about(0.987, 0.001), "perceptual_pasted": about(0.12345, 0.001)}
RESULTS = {
    "protocol": "paper",
    "seed": 7,
    "data": {"name": "drawn", "faces": 1000},
    "sets": {
        "one": {
            "label": "first set",
            "published": [
                {"method": "theirs", "model": "x", "psnr": 35.51, "source": "other faces"}
            ],
            "models": {"telea": SCORES, "paper": {**SCORES, **OURS}},
        },
        "two": {"label": "second set", "published": [], "models": {"telea": SCORES}},
    },
}
DOCUMENT = "# Title\n\n<!-- results:paper -->\nold\n<!-- /results:paper -->\n\nafter\n"


def test_rows():
    lines = markdown(RESULTS).splitlines()
    assert (
        "| telea | 27.65 (27.55 to 27.75) | 26.00 (25.80 to 26.20) | 18.00 (17.70 to 18.30) "
        "| 0.9123 | 0.5000 | 12.346 |  |  |"
    ) in lines
    assert sum("| 0.1235 | 0.987 |" in line for line in lines) == 1
    assert lines[0].startswith("1,000 faces (drawn), masks of seed 7")
    first, second = (markdown(RESULTS).split("**")[i].splitlines() for i in (2, 4))
    # Of a measure that no model has there is no column.
    for table, bars in ((first, 10), (second, 8)):
        assert {line.count("|") for line in table if line.startswith("|")} == {bars}


def test_people_are_counted_where_the_results_say_who_is_on_the_faces():
    data = {**RESULTS["data"], "people": 408}
    lines = markdown({**RESULTS, "data": data}).splitlines()
    assert lines[0].startswith("1,000 faces of 408 people (drawn), masks of seed 7")


def test_published_numbers_stand_apart():
    rows = [line for line in markdown(RESULTS).splitlines() if "published" in line]
    assert len(rows) == 1  # the second set has none
    assert "other faces" in rows[0]
    assert "| 35.51 |" in rows[0]


def test_replacing_keeps_the_rest_and_settles():
    once = replace_marked(DOCUMENT, RESULTS)
    assert once.startswith("# Title\n\n<!-- results:paper -->\n")
    assert once.endswith("\n<!-- /results:paper -->\n\nafter\n")
    assert f"-->\n{markdown(RESULTS)}\n<!-- /" in once
    assert replace_marked(once, RESULTS) == once
    changed = copy.deepcopy(RESULTS)
    changed["sets"]["two"]["models"]["telea"]["psnr_raw"] = about(99, 0)
    assert replace_marked(once, changed) != once


def test_a_marker_that_comes_twice_is_brought_up_to_date_twice():
    twice = replace_marked(DOCUMENT + DOCUMENT, RESULTS)
    assert twice == 2 * replace_marked(DOCUMENT, RESULTS)
    assert replace_marked(twice, RESULTS) == twice


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- results:paper -->",
        DOCUMENT.replace("paper", "lite"),
        DOCUMENT + "<!-- results:paper -->",
        "<!-- results:paper -->\nkept\n" + DOCUMENT,
    ],
)
def test_missing_markers_are_named(text):
    with pytest.raises(DataError, match="results:paper"):
        replace_marked(text, RESULTS)


def test_update_file(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(DOCUMENT, encoding="utf-8")
    other = RESULTS | {"protocol": "strokes"}
    assert update_file(path, [other, RESULTS]) == ["paper"]
    assert path.read_text(encoding="utf-8") == replace_marked(DOCUMENT, RESULTS)
    with pytest.raises(DataError, match="none"):
        update_file(tmp_path / "none.md", [RESULTS])
    path.write_text("nothing marked", encoding="utf-8")
    with pytest.raises(DataError, match=r"README\.md: it shows none of these results"):
        update_file(path, [RESULTS])
    assert path.read_text(encoding="utf-8") == "nothing marked"
    path.write_bytes(DOCUMENT.encode("utf-16"))
    with pytest.raises(DataError, match=r"README\.md: not a text in UTF-8"):
        update_file(path, [RESULTS])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"protocol": "paper"}', '{"protocol": [], "data": {}}'],
)
def test_files_that_are_no_results_are_named(tmp_path, text):
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"broken\.json"):
        read_results(path)
