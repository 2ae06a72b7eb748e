"""What all tests share."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings
from stand_in import make_stand_in

# The same examples each time, and no time limit for one: a busy machine is not a failure.
settings.register_profile("unveil", derandomize=True, deadline=None)
settings.load_profile("unveil")


# A shell's background job ignores Ctrl-C, and what it starts inherits that: tests that stop a
# command would not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The stand-in model, as `Restorer(model=...)` takes it."""
    return make_stand_in(tmp_path_factory.mktemp("weights"))
