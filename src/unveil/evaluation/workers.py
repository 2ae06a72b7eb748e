"""Processes with one thread each, for work that goes out in chunks."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from multiprocessing import active_children, get_context, parent_process
from typing import TypeVar

from unveil.errors import DataError
from unveil.progress import track

R = TypeVar("R")


@contextmanager
def measured(
    parts: Sequence[Sequence[Callable[[], R]]], jobs: int, title: str
) -> Iterator[Iterator[tuple[int, list[R]]]]:
    """Do many parts of work, each of several chunks, in `jobs` processes.

    Gives a part's place and what its chunks gave, in their order, as soon as its last one is done.
    Whatever goes wrong inside the `with` block ends the processes, too.

    Args:
        parts: calls without arguments, which another process can be handed.
        title: of the progress bar.

    Raises:
        DataError: a process was killed.
    """
    with processes(jobs) as pool:
        # All at once: no process waits for the others' last chunk of a part.
        where = {
            pool.submit(call): (i, k)
            for i, calls in enumerate(parts)
            for k, call in enumerate(calls)
        }
        with closing(_by_part(where, [len(calls) for calls in parts], title)) as done:
            yield done


def _by_part(
    where: dict[Future[R], tuple[int, int]], counts: Sequence[int], title: str
) -> Generator[tuple[int, list[R]]]:
    done: dict[int, dict[int, R]] = {i: {} for i in range(len(counts))}
    for future in track(as_completed(where), title, len(where)):
        i, k = where.pop(future)
        done[i][k] = future.result()
        if len(done[i]) == counts[i]:
            chunks = done.pop(i)
            yield i, [chunks[k] for k in range(counts[i])]


@contextmanager
def processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of `jobs` processes: their libraries read the number of threads when they load.

    Ctrl-C, or an error inside the `with` block, ends them in the middle of their work.

    Raises:
        DataError: a process was killed.
    """
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    before = {name: os.environ.get(name) for name in one}
    others = set(active_children())
    os.environ.update(one)
    try:
        with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_start_worker) as pool:
            try:
                yield pool
            except BaseException:
                # To cancel what waits is not enough: the pool's own end waits for what has begun,
                # and takes `cancel_futures` back.
                for worker in set(active_children()) - others:
                    worker.terminate()
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
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed can end nobody, and we would wait for its next task for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
