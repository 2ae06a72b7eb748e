"""What `unveil export` refuses before it reads anything."""

import pytest

NAMED = ["--data", "faces", "--training-data", "mine", "-o", "w"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "X.ckpt", "--branch", "mask"], "--branch is for -o FILE.onnx, not for -o X.ckpt"),
        (["-o", "X.ckpt", "--full"], "--full is for -o FILE.onnx"),
        (["-o", "X.ckpt", "--data", "faces"], "--data is for --name NAME and -o FOLDER"),
        (["-o", "X.onnx", "--data", "faces"], "--data is for --name"),
        (["-o", "X.onnx", "--split", "val"], "--split is for --name"),
        (["-o", "X.onnx", "--training-data", "mine"], "--training-data is for --name"),
        (["-o", "X.onnx", "--licence", "mine"], "--licence is for --name"),
        (["-o", "X.onnx", "--mix-with", "old.ckpt"], "--mix-with is for -o FILE.ckpt"),
        (["-o", "X.ckpt", "--share", "0.3"], "--share needs --mix-with"),
        (["-o", "X.ckpt", "--mix-with", "old.ckpt", "--share", "2"], "--share"),
        ([*NAMED, "--name", "mine", "--branch", "mask"], "--name writes all branches"),
        ([*NAMED, "--name", "../esc"], "--name ../esc: "),
        ([*NAMED, "--name", "/esc"], "--name /esc: "),
        ([*NAMED, "--name", "."], "--name .: files of the folder are called so"),
        ([*NAMED, "--name", "a@b"], "--name a@b: `--models` would not find it"),
        ([*NAMED, "--name", "a+b"], "--name a+b: `--models` would not find it"),
        ([*NAMED, "--name", "a,b"], "--name a,b: `--models` would not find it"),
        ([*NAMED, "--name", " a"], "--name  a: `--models` would not find it"),
        ([*NAMED, "--name", "a.onnx"], "--name a.onnx: `--models` would not find it"),
        ([*NAMED, "--name", ""], "--name NAME and -o FOLDER"),
        ([*NAMED, "--name", "a/b"], "--name a/b: "),
        ([*NAMED, "--name", "a\\b"], "--name a\\b: "),
    ],
)
def test_wrong_calls(unveil, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, out, err = unveil("export", "none.ckpt", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["X.ckpt", "-o", "./X.ckpt"], "-o X.ckpt is the checkpoint: choose another name"),
        (
            ["none.ckpt", "--mix-with", "X.ckpt", "-o", "X.ckpt"],
            "-o X.ckpt is the checkpoint of --mix-with: choose another name",
        ),
        (["X.onnx", "-o", "X.onnx"], "-o X.onnx is the checkpoint: choose another name"),
    ],
)
def test_a_checkpoint_is_not_written_over(unveil, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    for name in ("X.ckpt", "X.onnx"):
        (tmp_path / name).write_bytes(b"hours of work")
    status, _, err = unveil("export", *arguments)
    assert (status, err) == (2, f"unveil: {message}\n")
    assert {file.read_bytes() for file in tmp_path.iterdir()} == {b"hours of work"}
