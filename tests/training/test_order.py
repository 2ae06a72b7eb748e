"""Which faces a step takes."""

import dataclasses
import itertools

import pytest
from tiny import CONFIG

from unveil.data.stream import WINDOW_RUNS, run_length
from unveil.training.order import faces_of_step

STREAMED = dataclasses.replace(CONFIG, batch_size=8, micro_batch_size=2, stream=4)


@pytest.mark.parametrize("config", [CONFIG, STREAMED])
@pytest.mark.parametrize("n", [3, 12, 1001])
def test_each_face_once_an_epoch(config, n):
    steps = -(-3 * n // config.batch_size)
    items = [item for step in range(steps) for item in faces_of_step(step, n, config)][: 3 * n]
    assert sorted(items) == [(epoch, face) for epoch in range(3) for face in range(n)]
    if n > 3:
        orders = [[f for e, f in items if e == epoch] for epoch in range(2)]
        assert orders[0] != orders[1]


def test_batch_runs_across_the_end_of_an_epoch():
    config = dataclasses.replace(CONFIG, batch_size=8, micro_batch_size=8)
    assert [e for e, _ in faces_of_step(1, 12, config)] == [0] * 4 + [1] * 4


@pytest.mark.parametrize("processes", [2, 4])
def test_a_stream_gives_each_process_its_own_runs(processes):
    n = 4000
    run = run_length(n, STREAMED.stream)
    epoch = [faces_of_step(step, n, STREAMED) for step in range(n // 8)]
    runs = [
        {face // run for items in epoch for _, face in items[rank::processes]}
        for rank in range(processes)
    ]
    # Only a run at the border of two lanes is read by two processes.
    assert sum(map(len, runs)) <= n / run + 1 + STREAMED.stream
    assert max(map(len, runs)) < 1.1 * n / run / processes + 2


def test_a_stream_holds_few_runs_at_a_time_and_still_mixes():
    n = 40_000
    run = run_length(n, STREAMED.stream)
    for start in (0, 777):
        window = [
            face
            for step in range(start, start + 60)
            for _, face in faces_of_step(step, n, STREAMED)
        ]
        assert len({face // run for face in window}) <= 2 * (WINDOW_RUNS + 1) * STREAMED.stream
        assert sum(abs(a - b) == 1 for a, b in itertools.pairwise(window)) < 10
