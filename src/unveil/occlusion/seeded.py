"""Random integers that are the same on every machine and with every numpy.

numpy promises a stable stream for its bit generators' raw output, not for `Generator`'s methods
(its compatibility policy), and floating-point sines differ between C libraries. Occlusions are test
data that results are compared on, so they are drawn from raw 64-bit words with integer arithmetic.
"""

from __future__ import annotations

import numpy as np


class Seeded:
    """A stream of integers from one or more seed numbers, e.g. (seed, epoch, face)."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed))

    def integer(self, low: int, high: int) -> int:
        """A uniform integer in low..high, both included."""
        if high < low:
            raise ValueError(f"empty range {low}..{high}")
        word = int(self._bits.random_raw())
        return low + (word * (high - low + 1) >> 64)

    def permutation(self, n: int) -> np.ndarray:
        """The numbers 0..n-1 in random order, int64."""
        return np.argsort(self._bits.random_raw(n), kind="stable")
