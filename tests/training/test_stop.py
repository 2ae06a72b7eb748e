import os
import signal

import pytest

from unveil.training.stop import StopRequest


@pytest.fixture
def closed():
    """The signal of a terminal that is closed, with its handler kept."""
    number = getattr(signal, "SIGHUP", None)
    if number is None:
        pytest.skip("no such signal here")
    before = signal.getsignal(number)
    yield number
    signal.signal(number, before)


def test_a_closed_terminal_asks_to_stop_however_often_it_says_so(closed):
    signal.signal(closed, signal.SIG_DFL)
    with StopRequest() as stop:
        for _ in range(2):
            os.kill(os.getpid(), closed)
        assert stop.requested
    assert signal.getsignal(closed) is signal.SIG_DFL


def test_under_nohup_a_run_goes_on(closed):
    signal.signal(closed, signal.SIG_IGN)
    with StopRequest() as stop:
        os.kill(os.getpid(), closed)
        assert not stop.requested


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_ends_at_once(number):
    with StopRequest() as stop:
        os.kill(os.getpid(), number)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
