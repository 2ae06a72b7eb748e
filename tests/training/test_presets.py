"""Every preset on two processes: its networks go through what wraps them there."""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from squeeze import write_weights
from test_peer_tasks import people
from test_processes import torchrun
from tiny import options

from unveil.training import processes
from unveil.training.loop import make_task
from unveil.training.presets import PRESETS
from unveil.training.task import Task

TINY = {"batch_size": 4, "micro_batch_size": 1, "ema": 0.9}
# The least that each network takes, and what brings its discriminator in.
CHANGES = {
    "paper": {"size": 64, "width": 0.05, "depth": 4},
    "lite": {"size": 64, "width": 0.17, "window": 32, "adversarial_weight": 0.1},
    "segmenter": {"size": 64, "width": 0.17},
    "aligner": {"size": 128, "width": 0.17},
    "unet": {"size": 128, "width": 0.04},
    "shiftnet": {"size": 128, "width": 0.04},
    "picnet": {"size": 64, "width": 0.125},
}


@pytest.mark.slow
def test_every_preset_takes_the_same_step_in_both_of_two_processes(tmp_path):
    assert CHANGES.keys() == PRESETS.keys()
    features = write_weights(tmp_path)
    launched = torchrun(2, __file__, tmp_path, features)
    _, text = launched.communicate(timeout=240)
    assert launched.returncode == 0, text
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first.keys() == CHANGES.keys()
    for name, digests in first.items():
        assert second[name] == digests, name
        assert len(set(digests)) == len(digests), name  # each step moves the weights


def main(out: str, features: str) -> None:
    """One of two processes: two steps of each preset, and what its weights are before and after."""
    torch.set_num_threads(1)
    fabric = processes.start(options())
    rank, found = fabric.global_rank, {}
    for name, preset in PRESETS.items():
        changes = TINY | CHANGES[name] | ({"features": features} if name == "lite" else {})
        config = dataclasses.replace(preset, **changes)
        torch.manual_seed(0)
        task = make_task(fabric, config, None)
        faces, digests = people(config), [digest(task)]
        torch.manual_seed(rank)
        for step in range(2):
            items = [(0, 4 * step + rank), (0, 4 * step + 2 + rank)]
            task.step([task.batch(faces, [item]) for item in items], step)
            digests.append(digest(task))
        found[name] = digests
    (Path(out) / f"{rank}.json").write_text(json.dumps(found))
    processes.end(fabric)


def digest(task: Task) -> str:
    """Of all weights, but for the BatchNorms' averages, which are of a process's own faces."""
    learned = hashlib.sha256()
    for name, tensor in named(task.state()):
        if "running_" not in name:
            learned.update(tensor.contiguous().numpy().tobytes())
    return learned.hexdigest()


def named(state: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """All tensors of a task's networks by their names; its optimisers hold other things, too."""
    for key, value in state.items():
        if isinstance(value, torch.Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, dict) and not key.startswith("optimizer"):
            yield from named(value, f"{prefix}{key}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
