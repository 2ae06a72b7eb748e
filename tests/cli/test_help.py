"""What `unveil --help` says."""

import pytest

VERBS = (
    *("restore", "segment", "video", "occlude", "train", "evaluate", "report", "fit-prior"),
    *("export", "bench"),
)


@pytest.mark.parametrize("arguments", [[], ["weights"]])
def test_each_verb_is_told_in_a_sentence_that_fits(unveil, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    status, text, _ = unveil(*arguments, "--help")
    assert status == 0
    lines = text[text.index("Commands:") :].splitlines()[1:]
    assert len(lines) >= 2
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_output_has_the_same_names_everywhere(unveil, verb):
    status, text, _ = unveil(verb, "-h")
    assert status == 0
    assert "-o, --output, --out " in text


def test_short_help_of_a_verb_in_a_verb(unveil):
    status, text, _ = unveil("weights", "list", "-h")
    assert status == 0
    assert "--folder" in text
