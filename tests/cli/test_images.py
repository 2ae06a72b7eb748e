"""Pipes that are not there."""

import sys

import numpy as np
import pytest

from unveil.cli import images
from unveil.cli.inputs import STDIN
from unveil.errors import UsageError


@pytest.mark.parametrize("verb", ["restore", "segment", "occlude"])
def test_a_closed_standard_input_is_a_wrong_call(unveil, monkeypatch, model, tmp_path, verb):
    monkeypatch.setattr(sys, "stdin", None)
    options = [] if verb == "occlude" else ["--model", model]
    status, _, said = unveil(verb, "-", "-o", tmp_path / "out", *options)
    assert (status, said) == (2, "unveil: -: standard input is closed\n")


def test_a_closed_standard_output_is_a_wrong_call(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UsageError, match="-: standard output is closed"):
        images.write(STDIN, np.zeros((2, 2), np.uint8))
