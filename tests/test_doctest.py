"""The examples in docstrings give what they say."""

import doctest
import importlib
import pkgutil

import unveil


def test_examples_in_docstrings():
    names = [m.name for m in pkgutil.walk_packages(unveil.__path__, "unveil.")]
    modules = [importlib.import_module(n) for n in names if not n.endswith("__main__")]
    results = [doctest.testmod(module) for module in modules]
    assert sum(r.failed for r in results) == 0
    assert sum(r.attempted for r in results) > 0
