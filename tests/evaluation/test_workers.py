import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import pytest

from unveil.errors import DataError
from unveil.evaluation.workers import measured, processes

# Two processes that will be done in ten minutes, whose numbers it prints.
BUSY = """
import os, signal, time
from concurrent.futures import wait
from unveil.evaluation.workers import processes
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
with processes(2) as pool:
    pids = {pool.submit(os.getpid).result() for _ in range(2)}
    work = [pool.submit(time.sleep, 600) for _ in range(9)]
    while not all(each.running() for each in work[:2]):
        time.sleep(0.01)
    print(*pool._processes, flush=True)
    wait(work)
"""


def alive(pid):
    """Whether a process runs; what has ended and waits for its parent to ask does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


def test_processes_have_one_thread_and_a_killed_one_is_explained(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with processes(1) as pool:
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
        assert pool.submit(cv2.getNumThreads).result() == 1
    with pytest.raises(DataError, match="fewer --jobs"), processes(1) as pool:
        pool.submit(os._exit, 1).result()
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system lists no processes")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_processes_end_with_who_started_them(number, status):
    """After Ctrl-C they are ended, after SIGKILL they end by themselves."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True) as busy:
        pids = list(map(int, busy.stdout.readline().split()))
        assert len(pids) == 2
        assert all(map(alive, pids))
        busy.send_signal(number)
        try:
            assert busy.wait(20) == status
            assert wait_for(lambda: not any(map(alive, pids)))
        finally:
            for pid in (*pids, busy.pid):
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)


def test_parts_come_whole_and_their_chunks_in_order():
    calls = [[partial(divmod, 10 * i + k, 7) for k in range(5)] for i in range(3)]
    with measured(calls, 2, "dividing") as done:
        found = dict(done)
    assert found == {i: [divmod(10 * i + k, 7) for k in range(5)] for i in range(3)}


def test_an_error_of_the_caller_does_not_wait_for_the_rest():
    calls = [[partial(abs, -1)], *([partial(time.sleep, 600)] for _ in range(5))]
    began = time.monotonic()

    def write():
        with measured(calls, 2, "waiting") as done:
            assert next(done) == (0, [1])
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write()
    assert time.monotonic() - began < 60
