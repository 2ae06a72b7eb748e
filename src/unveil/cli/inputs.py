"""IN...: files, folders, globs and `-`, the same for every verb."""

from __future__ import annotations

import glob
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from stat import S_ISREG

from unveil.cli.options import EMPTY
from unveil.errors import UnveilError, UsageError, lacks_memory
from unveil.names import is_input, is_ours
from unveil.runtime.onnx import usable_cores

STDIN = Path("-")
INTERRUPTED = 130  # the exit status of what Ctrl-C ended


def stem_of(path: Path) -> str:
    """What the names of an input's results begin with, and that of its mask in a folder."""
    return "stdin" if path == STDIN else path.stem


def expand(arguments: Iterable[str]) -> dict[Path, Path]:
    """The input files, in order, each once, and the folder that each lies in; `-` stays as it is.

    A file is taken whatever its name (a bad one is reported when it is read); from a folder and a
    glob, only images. The folder counts from the one that was named: its result keeps it. Two ways
    to one name in one folder are one input; a link of another name is one of its own, as its result
    is.

    Raises:
        UsageError: a glob or folder holds no image, or only results of ours.
    """
    from unveil.files import identity

    found: dict[Path, Path] = {}
    seen: set[object] = set()

    def take(path: Path, under: Path) -> None:
        key = path if path == STDIN else (identity(path.parent), path.name)
        if key not in seen:
            seen.add(key)
            found[path] = under

    for argument in arguments:
        if not argument:
            raise UsageError(f"IN {EMPTY}")
        path = Path(argument)
        if path == STDIN and argument != "-":
            path = path.absolute()  # ./-: a file of that name
        # Those of `os` take a name that is too long for one that does not exist.
        if argument == "-" or os.path.isfile(path):
            take(path, Path())
            continue
        folder = os.path.isdir(path)
        several = folder or glob.has_magic(argument)
        # What does not exist is an input that fails, not a wrong call.
        for match in _matches(path, argument) if several else [path]:
            below = folder and match != path
            take(match, match.parent.relative_to(path) if below else Path())
    return found


def _matches(path: Path, pattern: str) -> list[Path]:
    """The images of a folder, or of a glob; and the folders that cannot be listed, which fail."""
    unread: list[Path] = []
    found: Iterable[Path]
    if os.path.isdir(path):
        listed = os.walk(path, onerror=lambda error: unread.append(Path(error.filename)))
        found = (Path(folder, name) for folder, _, names in listed for name in names)
    else:
        found = map(Path, glob.glob(pattern, recursive=True))
    named = sorted(p for p in found if (is_input(p) or is_ours(p)) and _is_file(p))
    matches = sorted([p for p in named if is_input(p)] + unread)
    if named and not matches:
        raise UsageError(
            f"{pattern}: no images but {len(named)} results of unveil: name a file to take it "
            "all the same"
        )
    if not matches:
        raise UsageError(f"{pattern}: no images")
    return matches


def _is_file(path: Path) -> bool:
    """Whether it is one, or one that we may not look at: that fails when it is read."""
    try:
        return S_ISREG(path.stat().st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


@dataclass(frozen=True)
class Failure:
    """An input that could not be done, and why."""

    path: Path
    reason: str


def for_each(
    paths: Iterable[Path],
    do: Callable[[Path], str | None],
    jobs: int = 1,
    failed: Callable[[Failure], str] | None = None,
) -> list[Failure]:
    """Do every input, good ones too when others fail; print what `do` gives back, in order.

    Who stops it hears what was done, and what failed.

    Args:
        paths: the inputs; taken as they are needed, so that a progress bar may stand around them.
        do: does one, and gives a line for standard output or None. UnveilError: that input failed.
        jobs: inputs that are done at the same time, in threads.
        failed: gives the line for standard output of an input that failed.

    Raises:
        UsageError: the call itself is wrong.
        SystemExit: it was stopped, by Ctrl-C or by SIGTERM.
    """
    failures: list[Failure] = []
    done = 0

    def settle(path: Path, result: Callable[[], str | None]) -> None:
        nonlocal done
        try:
            line = result()
            done += 1
        except UsageError:
            raise
        except Exception as error:
            if not isinstance(error, UnveilError) and not lacks_memory(error):
                raise
            short = "too large for the memory of this machine"
            told = str(error) if isinstance(error, UnveilError) else short
            failures.append(Failure(path, told))
            line = failed(failures[-1]) if failed else None
        if line is not None:
            print(line, flush=True)

    try:
        if jobs > 1:
            _in_threads(paths, do, jobs, settle)
        else:
            for path in paths:
                settle(path, partial(do, path))
    except (KeyboardInterrupt, SystemExit) as stop:
        report(failures, 1)
        print(f"unveil: stopped: {done} done, {len(failures)} failed", file=sys.stderr)
        raise SystemExit(stop.code if isinstance(stop, SystemExit) else INTERRUPTED) from None
    return failures


def _in_threads(
    paths: Iterable[Path],
    do: Callable[[Path], str | None],
    jobs: int,
    settle: Callable[[Path, Callable[[], str | None]], None],
) -> None:
    running: deque[tuple[Path, Future[str | None]]] = deque()

    def settle_first() -> None:
        path, future = running[0]
        settle(path, future.result)
        running.popleft()

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for path in paths:
                running.append((path, pool.submit(do, path)))
                # Not all at once: what is done is told as it is done.
                while len(running) > 2 * jobs:
                    settle_first()
            while running:
                settle_first()
        except (KeyboardInterrupt, SystemExit):
            pool.shutdown(cancel_futures=True)  # what was begun is done to its end, and counts
            for path, future in running:
                if not future.cancelled():
                    settle(path, future.result)
            raise
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def share_cores(jobs: int | None, inputs: int) -> tuple[int, int]:
    """Inputs at the same time, and threads for each: as asked, or one input for each core.

    At most four of themselves, because each holds its photo in memory.

    Raises:
        UsageError: `jobs` is under 1.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs must be 1 or more (got {jobs})")
    cores = usable_cores()
    at_once = max(1, min(jobs or min(cores, 4), inputs))
    return at_once, max(1, cores // at_once)


def report(failures: list[Failure], total: int) -> int:
    """List the failures last, on standard error; the exit status, 0 or 1."""
    for failure in failures:
        prefix = f"{failure.path}: "
        print(f"unveil: {prefix}{failure.reason.removeprefix(prefix)}", file=sys.stderr)
    if failures and total > 1:
        print(f"unveil: {len(failures)} of {total} failed", file=sys.stderr)
    return 1 if failures else 0
