"""Temporary names for files that are being written, which a killed process leaves to the next."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

try:
    import fcntl
except ImportError:  # Windows locks in another way
    LOCKS = False
else:
    LOCKS = True


@contextmanager
def partial_of(path: Path) -> Iterator[Path]:
    """A path beside `path` that is this writer's alone, until its end.

    On one machine it is always the same for a file: what a process left there that was killed
    while it wrote is written over, and not left for good. A lock tells whose it is, which ends
    with its process. Where somebody has it, or nothing can be locked, it is a path of its own.
    """
    # Not the name and more: it may be as long as a file system takes already.
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    own = path.with_name(f".unveil-{digest}-{os.getpid()}-{get_ident()}.tmp")
    if not LOCKS:
        yield own
        return
    # Of this machine: on shared disks not every lock is seen by the others.
    machine = hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:16]
    common = path.with_name(f".unveil-{digest}-{machine}.tmp")
    lock = _lock(common)
    try:
        yield own if lock is None else common
    finally:
        if lock is not None:
            os.close(lock)


def _lock(path: Path) -> int | None:
    """Make a file, or empty what was left, and hold it; None: it is held, or cannot be."""
    made = True
    try:
        try:
            held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            made = False
            held = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        if made and not isinstance(error, BlockingIOError):  # there are no locks here
            path.unlink(missing_ok=True)
        return None
    if not _lies_at(path, held, made):
        os.close(held)
        return None
    os.ftruncate(held, 0)
    return held


def _lies_at(path: Path, held: int, made: bool) -> bool:
    """Whether the held file is still there, where its last holder may have moved it to its place.

    One that was there before must be this user's, and nobody else's by another name.
    """
    status = os.fstat(held)
    try:
        there = os.path.samestat(status, os.lstat(path))
    except OSError:
        return False
    return there and (made or (status.st_uid == os.geteuid() and status.st_nlink == 1))
