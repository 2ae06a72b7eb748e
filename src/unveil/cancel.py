"""Ends work that nobody waits for any more, at its next stage.

A thread cannot be stopped from outside. So long work calls `checkpoint` between its stages (before
each run of a network, between faces, between parts of a photo); whoever began it may call it off.
Work that was not begun under `cancellable` is never called off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event

from unveil.errors import UnveilError


class Cancelled(UnveilError):
    """The work was called off."""


# Of a thread, not of the process: each request is called off by itself.
_called_off: ContextVar[Event | None] = ContextVar("called_off", default=None)


@contextmanager
def cancellable(called_off: Event) -> Iterator[None]:
    """What this thread does inside ends at its next checkpoint once the event is set.

    >>> event = Event()
    >>> event.set()
    >>> with cancellable(event):
    ...     checkpoint()
    Traceback (most recent call last):
    unveil.cancel.Cancelled: called off
    """
    token = _called_off.set(called_off)
    try:
        yield
    finally:
        _called_off.reset(token)


def checkpoint() -> None:
    """Go on, unless the work was called off.

    Raises:
        Cancelled: it was.
    """
    event = _called_off.get()
    if event is not None and event.is_set():
        raise Cancelled("called off")
