"""Reading ahead is bounded, keeps the order, and ends with its reader."""

import threading
import time

import pytest

from unveil.cancel import Cancelled, cancellable, checkpoint
from unveil.video.ahead import ahead


def test_it_runs_ahead_by_no_more_than_its_limit():
    made = []

    def items():
        for i in range(50):
            made.append(i)
            yield i

    line = ahead(items(), 3)
    for i in range(10):
        assert next(line) == i
        time.sleep(0.02)
        assert len(made) <= i + 1 + 3 + 1  # taken, waiting, and one in the hand
    line.close()
    assert len(made) < 20


def test_errors_come_after_the_items_before_them():
    def items():
        yield 1
        yield 2
        raise ValueError("three")

    line = ahead(items(), 8)
    assert [next(line), next(line)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(line)


def test_a_reader_that_stops_ends_the_thread_and_closes_the_items():
    closed = threading.Event()

    def items():
        try:
            yield from range(1000)
        finally:
            closed.set()

    before = threading.active_count()
    line = ahead(items(), 2)
    next(line)
    line.close()
    assert closed.is_set()
    assert threading.active_count() == before


def test_work_that_is_called_off_ends_in_the_threads_too():
    made, called_off = [], threading.Event()

    def items():
        for i in range(1000):
            checkpoint()
            made.append(i)
            yield i

    with cancellable(called_off):
        line = ahead(ahead(items(), 2), 2)
        assert next(line) == 0
        called_off.set()
        with pytest.raises(Cancelled):
            list(line)
    assert len(made) < 12


def test_a_second_ctrl_c_while_the_thread_ends_changes_nothing():
    """Left running, its thread would meet an interpreter that is torn down."""
    slow = threading.Event()
    line = ahead(iter(lambda: slow.wait(0.4), None), 1)
    next(line)
    interrupts = iter([KeyboardInterrupt, KeyboardInterrupt])
    join = threading.Thread.join

    def interrupted(thread, timeout=None):
        for error in interrupts:
            raise error
        join(thread, timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "join", interrupted)
        line.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]
