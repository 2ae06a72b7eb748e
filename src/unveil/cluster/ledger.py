"""What a job has done so far. One for all workers: what it was told is not done twice.

Ray gives the block of a worker that died to another one, from its beginning. The ledger knows which
photos of it are done, and which were in hand.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from unveil.cluster.manifest import Manifest, Row

ROWS_A_PART, SECONDS_A_PART = 2000, 10.0


class Ledger:
    """Rows by input; a Ray actor in a job, a plain object in tests."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._done: set[str] = set()
        self._begun: set[str] = set()
        self._alone: Counter[str] = Counter()
        self._waiting: list[Row] = []
        self._job, self._parts, self._written = time.time_ns(), 0, time.monotonic()

    def begin(self, names: Sequence[str]) -> tuple[list[str], bool]:
        """Those of a block that are still to do, and whether a worker that had it in hand died."""
        left = [name for name in names if name not in self._done]
        again = not self._begun.isdisjoint(left)
        self._begun.update(left)
        return left, again

    def try_alone(self, name: str) -> int:
        """Count one more try of a photo by itself; how many there were before."""
        self._alone[name] += 1
        return self._alone[name] - 1

    def add(self, rows: Sequence[Row]) -> None:
        """These are done, or cannot be."""
        new = [row for row in rows if row["input"] not in self._done]
        self._done.update(row["input"] for row in new)
        self._begun.difference_update(self._done)
        self._waiting += new
        waited = time.monotonic() - self._written
        if len(self._waiting) >= ROWS_A_PART or waited > SECONDS_A_PART:
            self.flush()

    def flush(self) -> int:
        """Write what is not written yet; how many rows there are in all."""
        if self._waiting:
            self._manifest.write_part(f"{self._job:020d}-{self._parts:08d}", self._waiting)
            self._waiting = []
            self._parts += 1
        self._written = time.monotonic()
        return len(self._done)
