"""Signals that ask a program to end."""

from __future__ import annotations

import signal
from collections.abc import Iterator


def endings() -> Iterator[int]:
    """SIGTERM, and that of a terminal that is closed, unless `nohup` has it ignored."""
    yield signal.SIGTERM
    closed = getattr(signal, "SIGHUP", None)  # Windows has none
    if closed is not None and signal.getsignal(closed) is not signal.SIG_IGN:
        yield closed
