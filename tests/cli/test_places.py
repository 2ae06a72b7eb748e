"""Where a result of long work cannot be written is said before the work."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bench", "-o", "none/bench.json"], "there is no folder none"),
        (["bench", "-o", "folder"], "a folder, where a file is needed"),
        (["fit-prior", "--data", "folder", "-o", "none/prior.npz"], "there is no folder none"),
        (["export", "a.ckpt", "-o", "none/a.onnx"], "there is no folder none"),
        (["export", "a.ckpt", "-o", "none/a.ckpt"], "there is no folder none"),
        (
            [
                "export",
                "a.ckpt",
                "-o",
                "file",
                "--name",
                "a",
                "--data",
                "folder",
                "--training-data",
                "mine",
            ],
            "--name needs a folder",
        ),
    ],
)
def test_it_is_a_wrong_call(unveil, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"mine")
    status, out, err = unveil(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert (tmp_path / "file").read_bytes() == b"mine"
