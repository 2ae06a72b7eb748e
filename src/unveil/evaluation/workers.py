"""Processes with one thread each, for work that goes out in chunks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from unveil.errors import DataError


@contextmanager
def processes(jobs: int, tasks: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of `jobs` processes: their libraries read the number of threads when they load.

    A process ends after `tasks` tasks, and a fresh one takes its place; None: it does all.

    Raises:
        DataError: a process was killed.
    """
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    before = {name: os.environ.get(name) for name in one}
    os.environ.update(one)
    try:
        with ProcessPoolExecutor(
            jobs, get_context("spawn"), initializer=_start_worker, max_tasks_per_child=tasks
        ) as pool:
            try:
                yield pool
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # or Ctrl-C would wait for the rest
                raise
    except BrokenProcessPool:
        raise DataError(
            "a process was killed, perhaps for want of memory: use fewer --jobs"
        ) from None
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker() -> None:
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
