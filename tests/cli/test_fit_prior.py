"""`unveil fit-prior`: wrong calls; the fit itself is tested in models/."""

import numpy as np
import pytest

from unveil.files import encode


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jitter", "-1"], "--jitter"),
        (["--seed", "-1"], "--seed"),
        (["--components", "0"], "--components"),
        (["--components", "9"], "9 components need more than 9 faces, there are 3: ask for fewer"),
        (["--components", "1", "--size", "7"], "must be even"),
    ],
)
def test_wrong_calls_write_nothing(unveil, tmp_path, arguments, message):
    faces, prior = tmp_path / "faces", tmp_path / "prior.npz"
    faces.mkdir()
    for i in range(3):
        face = np.full((64, 64, 3), 40 * i, np.uint8)
        (faces / f"{i}.png").write_bytes(encode(face, "PNG"))
    status, _, err = unveil("fit-prior", "--data", faces, "-o", prior, *arguments)
    assert status == 2
    assert message in err
    assert not prior.exists()


def test_faces_of_a_list_are_left_out(unveil, tmp_path):
    for i in range(3):
        face = np.full((64, 64, 3), 40 * i, np.uint8)
        (tmp_path / f"{i}.png").write_bytes(encode(face, "PNG"))
    (tmp_path / "hidden.txt").write_text("1.png\n")
    places = ("--data", tmp_path, "-o", tmp_path / "prior.npz")
    status, _, err = unveil(
        "fit-prior", *places, "--without", tmp_path / "hidden.txt", "--components", 9
    )
    assert status == 2
    assert "need more than 9 faces, there are 2" in err


def test_what_it_reads_is_not_written_over(unveil, tmp_path):
    names = ("faces.tar", "hidden.txt", "face.png")
    for name in names:
        (tmp_path / name).write_bytes(b"faces")
    call = ("fit-prior", "--data", tmp_path / "faces.tar", "--data", tmp_path / "face.png")
    for name, kind in zip(names, ("is a file of --data", "is the list of --without"), strict=False):
        status, _, err = unveil(*call, "--without", tmp_path / "hidden.txt", "-o", tmp_path / name)
        assert status == 2
        assert f"-o {tmp_path / name} {kind}: choose another name" in err
    assert {(tmp_path / name).read_bytes() for name in names} == {b"faces"}


def test_sigterm_leaves_no_temporary_file(ended_at, tmp_path):
    for i in range(3):
        face = np.full((64, 64, 3), 40 * i, np.uint8)
        (tmp_path / f"{i}.png").write_bytes(encode(face, "PNG"))
    call = ("fit-prior", "--data", tmp_path, "--components", "1", "-o", tmp_path / "prior.npz")
    assert ended_at("os", "replace", *call) == 143
    assert not list(tmp_path.rglob("*.tmp"))
