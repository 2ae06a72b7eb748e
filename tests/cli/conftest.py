"""What the tests of several verbs have in common."""

import os
import subprocess
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


@pytest.fixture
def ended_at(tmp_path):
    """Runs `unveil ARGUMENTS`, which gets SIGTERM where it calls MODULE.NAME: its status."""

    def run(module, name, *arguments):
        program = (
            f"import os, signal, time, {module}\n"
            "from unveil.cli import main\n"
            "def called(*_):\n"
            "    os.kill(os.getpid(), signal.SIGTERM)\n"
            "    time.sleep(60)\n"
            f"{module}.{name} = called\n"
            "main()"
        )
        return subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            env=os.environ | {"UNVEIL_CACHE": str(tmp_path / "cache")},
            check=False,
            timeout=60,
        ).returncode

    return run
