"""Work that runs ahead of its reader in a thread, by a bounded number of items."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
WAIT = 0.1  # seconds between looks at whether anybody still wants the items


def ahead(items: Iterable[T], limit: int) -> Generator[T, None, None]:
    """The same items in the same order, made in a thread of their own.

    An error in `items` is raised here, after the items before it. When the reader stops, whether
    done, by an error or by Ctrl-C, the thread ends and `items` is closed in it.

    Args:
        items: what to run; must not be used by anybody else.
        limit: so many items wait at most, from 1.

    >>> list(ahead(range(5), 2))
    [0, 1, 2, 3, 4]
    """
    line: queue.Queue[tuple[bool, T | None, BaseException | None]] = queue.Queue(limit)
    unwanted = threading.Event()

    def put(entry: tuple[bool, T | None, BaseException | None]) -> bool:
        while not unwanted.is_set():
            try:
                line.put(entry, timeout=WAIT)
            except queue.Full:
                continue
            return True
        return False

    def run() -> None:
        error: BaseException | None = None
        iterator = iter(items)
        try:
            for item in iterator:
                if not put((False, item, None)):
                    break
        except BaseException as raised:
            error = raised
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        put((True, None, error))

    # Who calls off the reader's work, see `cancel.py`, calls off the thread's.
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            last, item, error = line.get()
            if error is not None:
                raise error
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        unwanted.set()
        while thread.is_alive():
            with suppress(KeyboardInterrupt):  # a second one: it ends already
                thread.join()
