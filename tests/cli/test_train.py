import os
import sys

import pytest
from drawn import write_faces

from unveil.cli import main, train
from unveil.cli.train import CPU_ENVIRONMENT


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    for name, value in CPU_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UNVEIL_CACHE", str(tmp_path / "cache"))

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["unveil", "train", *map(str, arguments)])
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "nobody"], "choose from paper"),
        (["--batch-size", 6, "--micro-batch-size", 4], "--batch-size 6 must be a multiple"),
        (["--dropout", 1], "--dropout must be in [0, 1)"),
        (["--occluders", "hats"], "--occluders hats: choose from paper, mixed"),
        (["--epochs", 0], "--epochs must be at least 1"),
        (["--resume"], "--resume: no checkpoint"),
        (["--micro-batch-size", 0], "--micro-batch-size must be at least 1"),
        (["--size", 100], "--size 100 must be a multiple of 256\n"),
        (["--size", 0], "--size must be at least 1"),
        (["--learning-rate", -1], "--learning-rate must be above 0"),
        (["--learning-rate", "nan"], "--learning-rate must be above 0"),
        (["--width", 0], "--width must be above 0"),
        (["--pixel-weight", -1], "--pixel-weight must be at least 0"),
        (["--seed", -1], "--seed must be at least 0"),
        (["--sample-every", 0], "--sample-every must be at least 1"),
        (["--checkpoint-every", 0], "--checkpoint-every must be at least 1"),
        (["--precision", "3-bit"], "--precision 3-bit: choose from 32-true, bf16-mixed, 16-mixed"),
        (["--precision", "64"], "--precision 64: choose from"),
        (["--precision", "bf16-true"], "--precision bf16-true: choose from"),
        (["--seed", 2**64], "--seed must be at most 18446744073709551615"),
        (["--width", "inf"], "--width must be finite"),
        (["--width", "nan"], "--width must be above 0"),
        (["--learning-rate", "inf"], "--learning-rate must be finite"),
        (["--conv-mean", "nan"], "--conv-mean must be finite"),
        (["--accelerator", "abacus"], "--accelerator abacus"),
        (["--validation-split", "val"], "--validation-split needs --validation"),
        (["--occluder-files", "no"], "--occluder-files is for --occluders all, and this run has"),
        (["--preset", "unet", "--objects", 0.5], "--objects is for --occluders all"),
        (
            ["--preset", "lite", "--occluders", "mixed", "--occluder-files", "no"],
            "--occluder-files is for --occluders all, and this run has mixed",
        ),
        (["--preset", "lite", "--features", "a.pkl"], "--features is for --perceptual-weight"),
        (["--batch-size", 1], "--batch-size 1 --micro-batch-size 1: a process gets 1 face"),
        (["--batch-size", 17], "--batch-size 17 --micro-batch-size 1: a process gets 1 face"),
    ],
)
def test_wrong_settings(call, tmp_path, arguments, message):
    write_faces(tmp_path / "faces", 2)
    chosen = [] if "--preset" in arguments else ["--preset", "paper"]
    status, text = call(
        *chosen, *arguments, "--data", tmp_path / "faces", "--out", tmp_path / "run"
    )
    assert status == 2
    assert message in text
    assert not (tmp_path / "run").exists()


def test_no_data(call, tmp_path):
    status, text = call("--preset", "paper", "--data", tmp_path / "no", "--out", tmp_path / "run")
    assert status == 1
    assert str(tmp_path / "no") in text


@pytest.mark.slow
def test_one_step_of_the_paper_itself(call, tmp_path):
    write_faces(tmp_path / "faces", 2)
    status, text = call(
        "--preset", "paper", "--data", tmp_path / "faces", "--out", tmp_path / "run",
        "--epochs", 1, "--batch-size", 2, "--micro-batch-size", 2, "--accelerator", "cpu",
    )  # fmt: skip
    assert status == 0
    assert "finished: step 1, 2 faces" in text
    assert (tmp_path / "run" / "last.ckpt").stat().st_size > 50e6


def test_faces_of_a_list_are_left_out(call, tmp_path):
    write_faces(tmp_path / "faces", 3)
    write_faces(tmp_path / "others", 1)
    (tmp_path / "hidden.txt").write_text("000.png\n")
    chosen = ("--preset", "unet", "--size", 128, "--width", 0.05, "--epochs", 1, "--batch-size", 2)
    run = (*chosen, "--accelerator", "cpu", "--data", tmp_path / "faces", "--out", tmp_path / "run")
    without = ("--without", tmp_path / "hidden.txt")
    status, text = call(*run, *without, "--validation", tmp_path / "others")
    assert status == 1
    assert f"hidden.txt leaves no images of {tmp_path / 'others'}" in text
    status, text = call(*run, *without)
    assert "finished: step 1, 2 faces" in text
    status, text = call(*run, "--resume")
    assert status == 2
    assert "started with 2 faces, these are 3" in text
    status, text = call(*run, *without, "--stream", 1)
    assert status == 2
    assert "--without is not for --stream" in text


def test_sigterm_while_faces_are_read_leaves_no_temporary_file(ended_at, tmp_path):
    write_faces(tmp_path / "faces", 2)
    call = ("train", "--preset", "paper", "--data", tmp_path / "faces", "--out", tmp_path / "run")
    assert ended_at("os", "replace", *call, "--accelerator", "cpu") == 143
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_small_batch_needs_no_second_option(call, tmp_path):
    write_faces(tmp_path / "faces", 2)
    run = ("--data", tmp_path / "faces", "--size", 128, "--width", 0.05, "--out", tmp_path / "run")
    chosen = ("--preset", "unet", "--epochs", 1, "--accelerator", "cpu", "--batch-size", 2)
    status, text = call(*chosen, *run)
    assert status == 0, text
    status, text = call("--preset", "segmenter", "--resume", *run[:4], "--out", tmp_path / "run")
    assert status == 2
    assert "another --preset" in text


@pytest.mark.parametrize(
    ("batch", "most", "micro"), [(3, 16, 3), (9, 16, 9), (20, 16, 10), (64, 16, 16), (17, 16, 1)]
)
def test_as_much_at_a_time_as_a_batch_and_its_preset_allow(batch, most, micro):
    assert train._largest_divisor(batch, most) == micro


def test_starts_anew_with_a_faster_allocator(monkeypatch):
    seen = {}
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.setattr(os, "execve", lambda path, argv, env: seen.update(path=path, env=env))
    train._tune_process("cpu")
    assert seen["path"] == sys.executable
    assert "hugetlb" in seen["env"]["GLIBC_TUNABLES"]
    # What the user has set stays.
    assert seen["env"]["OMP_WAIT_POLICY"] == "ACTIVE"
    seen.clear()
    train._tune_process("cuda")
    assert not seen


@pytest.mark.parametrize("package", ["torch", "lightning_fabric"])
def test_without_the_extra_it_says_what_to_install(call, tmp_path, monkeypatch, package):
    for name in [n for n in sys.modules if n.startswith("unveil.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    status, text = call("--preset", "paper", "--data", tmp_path, "--out", tmp_path / "run")
    assert status == 1
    assert "pip install 'unveil[train]'" in text
