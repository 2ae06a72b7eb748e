"""Which faces a step takes: the same for a seed, on however many processes and wherever resumed.

Steps take the places of one endless sequence of epochs, a batch at a time; each epoch holds each
face once. Process r of w takes places r, r + w, ... of a batch.

Faces that are all at hand are shuffled as a whole. Faces that are streamed (`TrainConfig.stream`
lanes) are not, for each process is to read its own part of the tars, in long runs:

- place p of the sequence belongs to lane p mod lanes. The number of processes divides that of the
  lanes, so that a lane is one process's;
- an epoch shuffles runs of neighbouring faces, and cuts their sequence into a part for each lane;
- a lane shuffles a window of a few runs at a time.

Each place follows from its number alone: nothing has to be replayed to go on in the middle.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unveil.data.stream import WINDOW_RUNS, run_length
from unveil.occlusion.seeded import Seeded
from unveil.training.config import TrainConfig


def faces_of_step(step: int, n: int, config: TrainConfig) -> list[tuple[int, int]]:
    """(epoch, face) of each item of the batch that optimiser step `step` takes, of n faces."""
    first = step * config.batch_size
    places = range(first, first + config.batch_size)
    if config.stream:
        return [_streamed(p, n, config.stream, config.seed) for p in places]
    return [(p // n, int(_shuffled(config.seed, p // n, n)[p % n])) for p in places]


# A batch may lie in two epochs.
@lru_cache(maxsize=2)
def _shuffled(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    return Seeded(seed, 1, epoch).permutation(n)


def _streamed(place: int, n: int, lanes: int, seed: int) -> tuple[int, int]:
    epoch, lane = place // n, place % lanes
    starts, counts = _parts(epoch, n, lanes)
    run = run_length(n, lanes)
    # How many of this epoch's places in this lane come before.
    before = (place - epoch * n) // lanes
    window = run * WINDOW_RUNS
    number, within = divmod(before, window)
    size = min(window, int(counts[lane]) - number * window)
    order = _window(seed, epoch, lane, number, size)
    at = int(starts[lane]) + number * window + int(order[within])
    bounds, runs = _runs(seed, epoch, n, run)
    i = int(np.searchsorted(bounds, at, "right")) - 1
    return epoch, int(runs[i]) * run + at - int(bounds[i])


@lru_cache(maxsize=2)
def _parts(epoch: int, n: int, lanes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each lane's part of an epoch begins, and how many places of the epoch are its."""
    offsets = (np.arange(lanes) - epoch * n) % lanes
    counts = np.maximum(0, -(-(n - offsets) // lanes))
    return np.cumsum(counts) - counts, counts


@lru_cache(maxsize=2)
def _runs(seed: int, epoch: int, n: int, run: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run begins in the epoch's sequence, and which run it is."""
    order = Seeded(seed, 4, epoch).permutation(-(-n // run))
    lengths = np.minimum(run, n - order * run)
    return np.cumsum(lengths) - lengths, order


@lru_cache(maxsize=256)
def _window(seed: int, epoch: int, lane: int, number: int, size: int) -> NDArray[np.int64]:
    return Seeded(seed, 5, epoch, lane, number).permutation(size)
