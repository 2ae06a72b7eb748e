"""The command itself, from its first moment on."""

import subprocess
import sys

import pytest

STOPPED_WHILE_IT_STARTS = """
import sys
class Impatient:
    def find_spec(self, name, *_):
        if name == "unveil.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Impatient())
from unveil.__main__ import run
run()
"""


def test_stopped_while_it_starts():
    call = [sys.executable, "-c", STOPPED_WHILE_IT_STARTS]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "unveil: stopped\n")


@pytest.mark.parametrize("arguments", [["--version-of-nothing"], ["restore"]])
def test_a_wrong_call_as_a_module(arguments):
    call = [sys.executable, "-m", "unveil", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr
