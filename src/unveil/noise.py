"""Normal noise that is the same everywhere: with every numpy, and in the page, which draws its own.

A counter is hashed to 32 bits (two rounds of xor-shift and multiply) and turned into normal numbers
by Box and Muller (1958). Fine for pictures; not for cryptography.
"""

from __future__ import annotations

import math
from operator import index

import numpy as np
from numpy.typing import NDArray

WORD = 2**32


def normal(seed: int, *shape: int) -> NDArray[np.float32]:
    """Independent numbers of mean 0 and deviation 1.

    Args:
        seed: another one, other numbers.
        shape: of the result.

    >>> normal(0, 3).round(3).tolist() == normal(0, 2, 3)[0].round(3).tolist()
    True
    """
    count = math.prod(shape)
    words = _hash(_hash(np.arange(2 * count, dtype=np.uint32)) ^ _key(seed)).astype(np.float64)
    first, second = (words[::2] + 0.5) / WORD, words[1::2] / WORD
    numbers = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    return np.asarray(numbers.reshape(shape), dtype=np.float32)


def _hash(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A bijection in which each bit changes about half of the others; overflow is meant."""
    for multiplier, shift in ((0x7FEB352D, 15), (0x846CA68B, 16)):
        words = words ^ (words >> np.uint32(31 - shift))
        words = words * np.uint32(multiplier)
    return words ^ (words >> np.uint32(16))


def _key(seed: int) -> NDArray[np.uint32]:
    """One word of a seed of any size."""
    key, seed = np.full(1, 0x9E3779B9, np.uint32), index(seed)  # of numpy's, too: those overflow
    rest = abs(seed) * 2 + (seed < 0)
    while True:
        key = _hash(key ^ np.uint32(rest % WORD))
        rest //= WORD
        if not rest:
            return key
