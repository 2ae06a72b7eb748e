"""Random integers that are the same on every machine and with every numpy.

numpy promises a stable stream for its bit generators' raw output, not for `Generator`'s methods
(its compatibility policy), and floating-point sines differ between C libraries. Occlusions are test
data that results are compared on, so they are drawn from raw 64-bit words with integer arithmetic.
"""

from __future__ import annotations

import hashlib
import unicodedata

import numpy as np
from numpy.typing import NDArray


class Seeded:
    """A stream of integers from one or more seed numbers >= 0, e.g. (seed, epoch, face).

    Tuples of one length and of numbers below 2^32 have streams of their own; trailing zeros do not
    tell tuples of different lengths apart.

    >>> Seeded(1, 2).integer(0, 156)
    70
    """

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed))

    @classmethod
    def for_name(cls, seed: int, name: str) -> Seeded:
        """A stream for something that has a name, whatever else stands beside it.

        The same name in another Unicode form (as file systems change them) gives the same stream.
        """
        form = unicodedata.normalize("NFC", name).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(form).digest()
        return cls(seed, *(int.from_bytes(digest[i : i + 8], "big") for i in (0, 8)))

    def integer(self, low: int, high: int) -> int:
        """A uniform integer in low..high, both included."""
        if high < low:
            raise ValueError(f"empty range {low}..{high}")
        word = int(self._bits.random_raw())
        return low + (word * (high - low + 1) >> 64)

    def floats(self) -> np.random.Generator:
        """numpy's generator, seeded by the next word: for what need not be the same everywhere."""
        return np.random.Generator(np.random.PCG64(self.integer(0, 2**62)))

    def permutation(self, n: int) -> NDArray[np.int64]:
        """The numbers 0..n-1 in random order, int64."""
        return np.argsort(self._bits.random_raw(n), kind="stable")
