"""What the tests of several verbs have in common."""

import sys

import pytest

from unveil.cli import main


@pytest.fixture
def unveil(monkeypatch, capsys, tmp_path):
    """Runs `unveil ARGUMENTS`: its exit status, standard output and standard error."""
    monkeypatch.setenv("UNVEIL_CACHE", str(tmp_path / "cache"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["unveil", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        captured = capsys.readouterr()
        return done.value.code or 0, captured.out, captured.err

    return run
