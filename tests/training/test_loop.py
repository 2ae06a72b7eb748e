import contextlib
import csv
import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision
from PIL import Image
from tiny import CONFIG, faces, options

from unveil.data.faces import FaceSet
from unveil.errors import TrainingError, UsageError
from unveil.files import read_image
from unveil.training import checkpoint
from unveil.training.config import SegmenterConfig
from unveil.training.loop import train
from unveil.training.segmenter_task import SegmenterTask


def flat(state: object) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state]
    if isinstance(state, dict):
        return [t for value in state.values() for t in flat(value)]
    if isinstance(state, list):
        return [t for value in state for t in flat(value)]
    return []


def assert_same_weights(a: Path, b: Path) -> None:
    ours, theirs = checkpoint.load(a), checkpoint.load(b)
    for branch in ("clean", "mask"):
        pairs = list(zip(flat(ours[branch]), flat(theirs[branch]), strict=True))
        assert len(pairs) > 100
        for x, y in pairs:
            assert torch.equal(x, y)


def test_n_resume_n_equals_2n(tmp_path):
    config = dataclasses.replace(CONFIG, dropout=0.5, flip=True, mask_every=2, adversarial_from=8)
    whole = train(faces(), faces(4, 1), config, options(), tmp_path / "whole")
    assert whole.finished
    assert whole.step == 6
    half = dataclasses.replace(config, epochs=1)
    first = train(faces(), faces(4, 1), half, options(), tmp_path / "halves")
    assert first.step == 3
    with open(tmp_path / "halves" / "log.csv", "a", encoding="utf-8") as file:
        file.write("4,16,9.9,l1,0.5\n")  # as a kill after the checkpoint would have left it
    second = train(faces(), faces(4, 1), config, options(resume=True), tmp_path / "halves")
    logs = [tmp_path / name / "log.csv" for name in ("whole", "halves")]
    whole_log, halves_log = ([*csv.DictReader(log.read_text().splitlines())] for log in logs)
    steps = [row["step"] for row in halves_log if row["name"] == "psnr_raw"]
    assert steps == ["2", "3", "4", "6"]  # a run ends with a checkpoint
    assert not [row for row in halves_log if row["name"] == "l1"]
    assert whole_log[-1]["value"] == halves_log[-1]["value"]
    assert_same_weights(whole.checkpoint, second.checkpoint)


def test_a_run_in_half_precision_goes_on_with_its_scale(tmp_path):
    def half_precision() -> Fabric:
        # On a CPU Fabric itself takes bfloat16, which needs no scaler.
        scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=2)
        plugin = MixedPrecision("16-mixed", "cpu", scaler)
        return Fabric(accelerator="cpu", devices=1, plugins=[plugin])

    def run(out: Path, epochs: int, **changes) -> dict[str, object]:
        config = dataclasses.replace(SEGMENTER, epochs=epochs)
        result = train(faces(), faces(4, 1), config, options(**changes), out, half_precision())
        return checkpoint.load(result.checkpoint)

    whole = run(tmp_path / "whole", 2)
    run(tmp_path / "halves", 1)
    halves = run(tmp_path / "halves", 2, resume=True)
    assert whole["scaler"]["scale"] == 64.0 * 2**3  # a growth each second step
    assert halves["scaler"] == whole["scaler"]
    assert all(torch.equal(x, y) for x, y in zip(flat(whole), flat(halves), strict=True))
    checkpoint.compact(tmp_path / "whole" / "last.ckpt", tmp_path / "small.ckpt")
    assert "scaler" not in checkpoint.load(tmp_path / "small.ckpt")


@pytest.mark.parametrize(("every", "steps"), [(2, [2, 3]), (3, [3]), (5, [3])])
def test_each_checkpoint_is_written_once(tmp_path, monkeypatch, every, steps):
    written = []
    monkeypatch.setattr(checkpoint, "save", lambda path, state: written.append(state["step"]))
    train(faces(), faces(4, 1), SEGMENTER, options(checkpoint_every=every), tmp_path)
    assert written == steps


def test_accumulated_gradients_equal_a_whole_batch(tmp_path):
    # BatchNorm sees micro-batches, so the networks differ a little; the L1 of the first step not.
    logs = []
    for micro in (2, 4):
        config = dataclasses.replace(CONFIG, micro_batch_size=micro, epochs=1, dropout=0.0)
        train(faces(40), faces(4, 1), config, options(), tmp_path / str(micro))
        with open(tmp_path / str(micro) / "log.csv", encoding="utf-8") as file:
            rows = [r for r in csv.DictReader(file) if r["step"] == "10" and r["name"] == "l1"]
        logs.append(float(rows[0]["value"]))
    assert logs[0] == pytest.approx(logs[1], rel=0.1)


def test_learns_and_keeps_its_log(tmp_path):
    config = dataclasses.replace(
        CONFIG, width=0.15, epochs=30, learning_rate=3e-3, dropout=0.0, adversarial_from=10**6
    )
    train(faces(16), faces(4, 1), config, options(checkpoint_every=20), tmp_path)
    with open(tmp_path / "log.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    raw = [float(r["value"]) for r in rows if r["name"] == "psnr_raw"]
    iou = [float(r["value"]) for r in rows if r["name"] == "mask_iou"]
    assert raw[-1] > raw[0] + 3, raw
    assert iou[-1] > 0.5
    grids = sorted((tmp_path / "samples").iterdir())
    # Three faces side by side, four rows: occluded, restored, mask, clean.
    assert read_image(grids[-1]).photo.shape == (4 * 64, 3 * 64, 3)
    assert any((tmp_path / "tensorboard").iterdir())


def test_adversarial_losses_join_in_when_told(tmp_path):
    config = dataclasses.replace(CONFIG, epochs=10, adversarial_from=60)
    train(faces(), faces(4, 1), config, options(), tmp_path)
    with open(tmp_path / "log.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {r["name"] for r in rows if r["step"] == "10"} == {
        "l1", "mask_l1", "psnr_raw", "psnr_pasted", "mask_iou"
    }  # fmt: skip
    assert {"gan", "d", "mask_gan", "mask_d"} <= {r["name"] for r in rows if r["step"] == "20"}


def test_discriminator_is_left_alone_by_the_generators_step(tmp_path):
    config = dataclasses.replace(CONFIG, epochs=1, adversarial_from=10**6)
    train(faces(), faces(4, 1), config, options(), tmp_path / "a")
    state = checkpoint.load(tmp_path / "a" / "last.ckpt")
    assert state["clean"]["optimizers"]["d"]["state"] == {}
    assert state["clean"]["optimizers"]["g"]["state"] != {}


def test_init_from_takes_the_networks_and_starts_at_zero(tmp_path):
    train(faces(), faces(4, 1), CONFIG, options(), tmp_path / "a")
    config = dataclasses.replace(CONFIG, learning_rate=1e-12, epochs=1)
    start = options(init_from=tmp_path / "a" / "last.ckpt")
    result = train(faces(), faces(4, 1), config, start, tmp_path / "b")
    assert result.step == 3
    # The model has seen what the run before showed it, too.
    assert result.faces_seen == 24 + 12
    a = checkpoint.load(tmp_path / "a" / "last.ckpt")["clean"]["generator"]
    b = checkpoint.load(result.checkpoint)["clean"]["generator"]
    for name in a:
        if name.endswith("weight"):
            torch.testing.assert_close(a[name], b[name], atol=1e-6, rtol=0)


def test_refuses_what_would_lose_a_run(tmp_path):
    train(faces(), faces(4, 1), dataclasses.replace(CONFIG, epochs=1), options(), tmp_path)
    with pytest.raises(UsageError, match="--resume"):
        train(faces(), faces(4, 1), CONFIG, options(), tmp_path)
    other = dataclasses.replace(CONFIG, learning_rate=0.1)
    with pytest.raises(UsageError, match=r"--learning-rate 0\.0002"):
        train(faces(), faces(4, 1), other, options(resume=True), tmp_path)
    other = dataclasses.replace(CONFIG, flip=True)
    with pytest.raises(UsageError, match="started with --no-flip; give the same"):
        train(faces(), faces(4, 1), other, options(resume=True), tmp_path)
    with pytest.raises(UsageError, match="no checkpoint"):
        train(faces(), faces(4, 1), CONFIG, options(resume=True), tmp_path / "none")
    with pytest.raises(UsageError, match="started with 12 faces, these are 8"):
        train(faces(8), faces(4, 1), CONFIG, options(resume=True), tmp_path)
    renamed = dataclasses.replace(faces(), names=tuple("abcdefghijkl"))
    for others in (renamed, faces(12, 5)):  # the second ones have the same names
        with pytest.raises(UsageError, match="started with other faces"):
            train(others, faces(4, 1), CONFIG, options(resume=True), tmp_path)
    half = options(resume=True, precision="bf16-mixed")
    with pytest.raises(UsageError, match="--precision 32-true; give the same"):
        train(faces(), faces(4, 1), CONFIG, half, tmp_path)


def test_a_run_of_before_its_faces_were_kept_goes_on(tmp_path):
    train(faces(), faces(4, 1), dataclasses.replace(CONFIG, epochs=1), options(), tmp_path)
    state = checkpoint.load(tmp_path / "last.ckpt")
    del state["format"]
    for kept in ({"faces": 12, "occluders": ""}, {}):
        checkpoint.save(tmp_path / "last.ckpt", state | {"inputs": kept})
        assert train(faces(), faces(4, 1), CONFIG, options(resume=True), tmp_path).finished


def test_a_run_goes_on_with_its_own_occluders_only(tmp_path):
    config = SegmenterConfig(size=64, batch_size=4, micro_batch_size=4, epochs=2, width=0.25)
    lens = np.zeros((60, 120, 4), np.uint8)
    lens[10:50, 5:115] = 10, 200, 10, 255
    for name in "abcd":
        (tmp_path / "files").mkdir(exist_ok=True)
        Image.fromarray(lens).save(tmp_path / "files" / f"sunglasses_{name}.png")
    # Some file systems keep a name as any bytes; a Mac refuses such a one.
    with contextlib.suppress(OSError):
        shutil.copy(tmp_path / "files/sunglasses_a.png", os.fsencode(tmp_path) + b"/files/\xfc.png")
    files = {"occluders": tmp_path / "files"}
    half = dataclasses.replace(config, epochs=1)
    train(faces(), faces(4, 1), half, options(**files), tmp_path / "run")
    for others in ({}, {"occluders": tmp_path / "more"}):
        if others:
            shutil.copytree(files["occluders"], others["occluders"])
            Image.fromarray(lens[::-1]).save(others["occluders"] / "sunglasses_e.png")
        with pytest.raises(UsageError, match="--occluder-files"):
            train(faces(), faces(4, 1), config, options(resume=True, **others), tmp_path / "run")
    (files["occluders"] / ".DS_Store").write_bytes(b"where its window was")
    result = train(faces(), faces(4, 1), config, options(resume=True, **files), tmp_path / "run")
    assert result.finished


def test_the_largest_seed(tmp_path):
    config = dataclasses.replace(CONFIG, epochs=1, seed=2**64 - 1)
    assert train(faces(4), faces(4, 1), config, options(), tmp_path).step == 1


def test_a_run_whose_time_is_up_ends_with_a_checkpoint_to_go_on_from(tmp_path):
    first = train(faces(), faces(4, 1), SEGMENTER, options(max_minutes=1e-9), tmp_path)
    assert (first.step, first.finished) == (1, False)
    assert checkpoint.load(first.checkpoint)["step"] == 1
    rest = options(resume=True, max_minutes=60)
    assert train(faces(), faces(4, 1), SEGMENTER, rest, tmp_path).finished


def test_no_faces(tmp_path):
    nobody = FaceSet((), np.zeros((0, 64, 64, 3), np.uint8))
    with pytest.raises(TrainingError, match="no faces"):
        train(nobody, faces(4, 1), CONFIG, options(), tmp_path)


def test_divergence_is_an_error(tmp_path):
    config = dataclasses.replace(CONFIG, learning_rate=1e38, epochs=20)
    with pytest.raises(TrainingError, match="diverged at step") as error:
        train(faces(), faces(4, 1), config, options(), tmp_path)
    assert not (tmp_path / "last.ckpt").exists()
    assert "whole" not in str(error.value)


SEGMENTER = SegmenterConfig(size=64, width=0.17, batch_size=4, micro_batch_size=4, epochs=1)


@pytest.mark.parametrize(("config", "step"), [(CONFIG, 1), (SEGMENTER, 2)])
def test_what_a_step_has_ruined_is_not_saved(tmp_path, config, step):
    # The loss of a step is that of the weights before it; the validation sees what it made of them.
    config = dataclasses.replace(config, learning_rate=1e30)
    every = options(checkpoint_every=step, sample_every=100)
    with pytest.raises(TrainingError, match=rf"diverged at step {step}: \{{.*nan"):
        train(faces(), faces(4, 1), config, every, tmp_path)
    assert not (tmp_path / "last.ckpt").exists()


def test_a_good_checkpoint_stays_where_weights_are_ruined(tmp_path, monkeypatch):
    good = train(faces(), faces(4, 1), SEGMENTER, options(), tmp_path)
    state = SegmenterTask.state

    def ruined(task):
        found = state(task)
        next(iter(found["segmenter"]["network"].values())).fill_(float("inf"))
        return found

    monkeypatch.setattr(SegmenterTask, "state", ruined)
    more = dataclasses.replace(SEGMENTER, epochs=2)
    message = rf"step 5: weights of segmenter\.network\..* not finite; {good.checkpoint} is whole"
    with pytest.raises(TrainingError, match=message):
        train(faces(), faces(4, 1), more, options(resume=True, checkpoint_every=5), tmp_path)
    assert checkpoint.load(good.checkpoint)["step"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_run_goes_on(tmp_path, number):
    program = textwrap.dedent("""
        import dataclasses, sys
        from pathlib import Path
        from tiny import CONFIG, faces, options
        from unveil.training.loop import train
        config = dataclasses.replace(CONFIG, epochs=100000)
        train(faces(), faces(4, 1), config, options(checkpoint_every=1), Path(sys.argv[1]))
    """)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], env=env)
    last = tmp_path / "last.ckpt"
    deadline = time.monotonic() + 120
    while not last.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(number)
    process.wait(60)
    state = checkpoint.load(last)
    config = dataclasses.replace(CONFIG, epochs=state["step"] // 3 + 1)
    result = train(faces(), faces(4, 1), config, options(resume=True), tmp_path)
    assert result.finished
    assert result.step > state["step"]


def test_a_compact_checkpoint_starts_a_run_from_the_averaged_networks(tmp_path):
    source, small = tmp_path / "a" / "last.ckpt", tmp_path / "small.ckpt"
    train(faces(), faces(4, 1), CONFIG, options(), tmp_path / "a")
    checkpoint.compact(source, small)
    assert small.stat().st_size < 0.3 * source.stat().st_size
    config = dataclasses.replace(CONFIG, learning_rate=1e-12, epochs=1)
    result = train(faces(), faces(4, 1), config, options(init_from=small), tmp_path / "b")
    assert result.faces_seen == 24 + 12
    averaged = checkpoint.load(source)["clean"]["ema"]["model"]
    ours = checkpoint.load(result.checkpoint)["clean"]["generator"]
    for name in ours:
        if name.endswith("weight"):
            torch.testing.assert_close(ours[name], averaged[name], atol=1e-3, rtol=1e-3)
