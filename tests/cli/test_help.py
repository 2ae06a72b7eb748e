"""What `unveil --help` says."""

import pytest


@pytest.mark.parametrize("arguments", [[], ["weights"]])
def test_each_verb_is_told_in_a_sentence_that_fits(unveil, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    status, text, _ = unveil(*arguments, "--help")
    assert status == 0
    lines = text[text.index("Commands:") :].splitlines()[1:]
    assert len(lines) >= 2
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []
