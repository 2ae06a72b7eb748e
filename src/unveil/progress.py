"""One look for all progress bars, on standard error, silent where that is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

T = TypeVar("T")


def track(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Go through `items` behind a progress bar with count, rate and time left."""
    if not sys.stderr.isatty():
        yield from items
        return
    # Rich takes 60 ms to import; only a terminal needs it.
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with bar(*columns) as progress:
        yield from progress.track(items, description=what, total=total)


def bar(*columns: ProgressColumn) -> Progress:
    """A bar on standard error, not begun yet."""
    from rich.console import Console
    from rich.progress import Progress

    # What is printed meanwhile is moved above the bar, if both are seen on one terminal; else it
    # has to go where standard output goes, which may be a file, or closed.
    seen = sys.stdout is not None and not sys.stdout.closed and sys.stdout.isatty()
    return Progress(*columns, console=Console(stderr=True), redirect_stdout=seen)
