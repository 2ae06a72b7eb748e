"""Runs on two processes beside runs on one: the same faces, the same weights, the same measures."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from drawn import draw_face, write_tar
from tiny import CONFIG, faces, options

from unveil.data.stream import open_stream
from unveil.errors import TrainingError, UsageError
from unveil.files import encode
from unveil.training import checkpoint
from unveil.training.config import SegmenterConfig
from unveil.training.loop import TrainResult, train
from unveil.training.processes import notice_losses, share_of_process
from unveil.training.run_options import RunOptions
from unveil.training.segmenter_task import SegmenterTask

SEGMENTER = SegmenterConfig(
    size=64, width=0.17, batch_size=4, micro_batch_size=1, epochs=4, stream=2, ema=0.9
)
ALONE = SegmenterConfig(size=64, width=0.17, batch_size=4, micro_batch_size=4, epochs=1)


@pytest.fixture(scope="module")
def tars(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tars")
    for name, first in (("a", 0), ("b", 8)):
        images = {f"{i}.png": encode(draw_face(i, 64), "PNG") for i in range(first, first + 6)}
        write_tar(folder / f"{name}.tar", images)
    return folder


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("UNVEIL_CACHE", str(tmp_path / "cache"))


def torchrun(processes: int, file: str, *arguments: object) -> subprocess.Popen[str]:
    """A file's `main` in so many processes."""
    launcher = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes),
        "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1",
    ]  # fmt: skip
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        "GLOO_SOCKET_IFNAME": "lo",
        "OMP_NUM_THREADS": "1",
    }
    command = [*launcher, file, *map(str, arguments)]
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)


def run(tars: Path, out: Path, config: SegmenterConfig, **changes: object) -> TrainResult:
    stream = open_stream([str(tars)], size=config.size, streams=config.stream)
    settings = RunOptions(accelerator="cpu", sample_every=100, checkpoint_every=3, **changes)
    return train(stream, faces(4, 1), config, settings, out)


def main(tars: str, out: str, config: str, changes: str) -> None:
    """One of several processes."""
    folder, rank = Path(out), os.environ["RANK"]
    folder.mkdir(exist_ok=True, parents=True)
    (folder / f"{rank}.pid").write_text(str(os.getpid()))
    run(Path(tars), folder, SegmenterConfig(**json.loads(config)), **json.loads(changes))


def start_two(tars: Path, out: Path, config: SegmenterConfig, **changes: object):
    return torchrun(2, __file__, tars, out, json.dumps(config.to_dict()), json.dumps(changes))


def rows(out: Path, name: str) -> list[float]:
    with open(out / "log.csv", encoding="utf-8") as file:
        return [float(row["value"]) for row in csv.DictReader(file) if row["name"] == name]


def weights(path: Path) -> list[torch.Tensor]:
    state = checkpoint.load(path)["segmenter"]
    return [*state["network"].values(), *state["ema"]["model"].values()]


@pytest.mark.slow
def test_two_processes_do_what_one_does_and_one_goes_on_where_two_stopped(tars, tmp_path):
    whole = run(tars, tmp_path / "one", SEGMENTER)
    half = dataclasses.replace(SEGMENTER, epochs=2)
    two = start_two(tars, tmp_path / "two", half)
    assert two.wait(240) == 0, two.stderr.read()
    first = checkpoint.load(tmp_path / "two" / "last.ckpt")
    assert (first["step"], first["faces_seen"]) == (6, 24)
    rest = run(tars, tmp_path / "two", SEGMENTER, resume=True)
    assert whole.step == rest.step == 12
    # The mean over the processes is logged at step 10 as in one process with the whole batch;
    # the sums are taken in another order, and 12 steps of Adam do not make much of that.
    for name in ("mask", "mask_iou", "false_positive"):
        ours, theirs = rows(tmp_path / "one", name), rows(tmp_path / "two", name)
        assert ours == pytest.approx(theirs, rel=2e-3, abs=1e-4), name
    for a, b in zip(weights(whole.checkpoint), weights(rest.checkpoint), strict=True):
        torch.testing.assert_close(a, b, atol=2e-4, rtol=2e-3)


@pytest.mark.slow
def test_a_killed_process_ends_the_run_with_a_message_and_one_process_goes_on(tars, tmp_path):
    out = tmp_path / "run"
    endless = dataclasses.replace(SEGMENTER, epochs=100_000)
    launched = start_two(tars, out, endless, precision="bf16-mixed")
    deadline = time.monotonic() + 240
    while not (out / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    os.kill(int((out / "1.pid").read_text()), signal.SIGKILL)
    _, text = launched.communicate(timeout=240)
    assert launched.returncode != 0
    assert "process 0 of 2 has lost another one" in text
    assert f"--resume goes on from {out / 'last.ckpt'}, on any number of processes" in text
    step = checkpoint.load(out / "last.ckpt")["step"]
    more = dataclasses.replace(SEGMENTER, epochs=-(-(step + 3) * 4 // 12))
    same = {"resume": True, "precision": "bf16-mixed"}
    assert run(tars, out, more, **same).step >= step + 3
    assert np.isfinite(rows(out, "mask")).all()


def test_whoever_has_lost_another_process_may_say_so(tmp_path):
    """The launcher's signal, which comes at the same time, does not cut it off."""
    two = SimpleNamespace(world_size=2, global_rank=0)
    before = signal.getsignal(signal.SIGTERM)
    try:
        told = pytest.raises(TrainingError, match="process 0 of 2 has lost another one")
        with told, notice_losses(two, tmp_path / "last.ckpt"):
            raise RuntimeError("[gloo] Connection closed by peer")
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    with pytest.raises(RuntimeError, match="shapes"), notice_losses(two, tmp_path / "last.ckpt"):
        raise RuntimeError("shapes differ")
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("changes", "processes", "message"),
    [
        ({}, 3, "--batch-size 4 must be a multiple of the 3 processes"),
        ({"batch_size": 12, "micro_batch_size": 4}, 2, "--micro-batch-size 4: 2 processes share"),
        ({"stream": 1}, 2, "--stream 1 must be a multiple of the 2 processes"),
        # 64 pixels are 1x1 after six downs, where a BatchNorm needs more than one face.
        ({"depth": 6, "micro_batch_size": 1}, 1, "1 face at a time, and BatchNorms need 2"),
        ({"depth": 6}, 4, "--micro-batch-size 2: a process gets 1 face at a time"),
    ],
)
def test_a_batch_must_be_shared_evenly(changes, processes, message):
    with pytest.raises(UsageError, match=message):
        share_of_process(dataclasses.replace(CONFIG, **changes), processes)
    assert share_of_process(CONFIG, 2) == 2
    assert share_of_process(CONFIG, 4) == 1
    assert share_of_process(dataclasses.replace(CONFIG, depth=6), 2) == 2


def test_a_checkpoint_from_before_a_setting_had_its_default(tmp_path):
    config = dataclasses.replace(CONFIG, epochs=1)
    result = train(faces(), faces(4, 1), config, options(), tmp_path)
    state = checkpoint.load(result.checkpoint)
    del state["config"]["stream"], state["format"]
    checkpoint.save(result.checkpoint, state)
    assert train(faces(), faces(4, 1), CONFIG, options(resume=True), tmp_path).step == 6
    streamed = dataclasses.replace(CONFIG, stream=2)
    with pytest.raises(UsageError, match="--stream 0"):
        train(faces(), faces(4, 1), streamed, options(resume=True), tmp_path)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        MemoryError("Unable to allocate 9.00 GiB for an array"),
    ],
)
def test_full_memory_is_an_error_with_advice(tmp_path, monkeypatch, error):
    def full(*_):
        raise error

    first = train(faces(), faces(4, 1), ALONE, options(), tmp_path / "a")
    monkeypatch.setattr(SegmenterTask, "step", full)
    advice = "out of memory: try a smaller --micro-batch-size, --width or --size"
    with pytest.raises(TrainingError, match=f"^{advice}$"):
        train(faces(), faces(4, 1), ALONE, options(), tmp_path / "b")
    more = dataclasses.replace(ALONE, epochs=2)
    with pytest.raises(TrainingError, match=f"^{advice}; {first.checkpoint} is whole: --resume"):
        train(faces(), faces(4, 1), more, options(resume=True), tmp_path / "a")


def test_errors_of_torch_that_are_not_of_memory_stay_what_they_are(tmp_path, monkeypatch):
    def wrong(*_):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(SegmenterTask, "step", wrong)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train(faces(), faces(4, 1), ALONE, options(), tmp_path)


if __name__ == "__main__":
    main(*sys.argv[1:])
