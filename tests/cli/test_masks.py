"""Which file of a --mask is that of which input."""

from pathlib import Path

import pytest

from unveil.cli.masks import Masks
from unveil.errors import ImageError


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_file_is_the_mask_of_all_and_none_of_none(tmp_path):
    inputs = {Path("a.png"): Path(), Path("b.png"): Path()}
    one = Masks.of(tmp_path / "m.png", inputs)
    assert [one.file(path) for path in inputs] == [tmp_path / "m.png"] * 2
    assert [Masks.of(None, inputs).file(path) for path in inputs] == [None, None]


def test_of_a_pipe_it_is_named_as_its_results_are(tmp_path):
    masks = made(tmp_path / "m", "stdin.mask.png")
    assert Masks.of(masks, {Path("-"): Path()}).file(Path("-")) == masks / "stdin.mask.png"


def test_in_a_folder_by_name_the_mask_before_the_plain_one(tmp_path):
    masks = made(tmp_path / "m", "a.png", "a.mask.png", "b.bmp", "c.png", "c.jpg", "sub/b.png")
    (masks / "d.png").mkdir()
    inputs = {Path(f"{name}.jpg"): Path() for name in "abcde"}
    inputs |= {Path("x/b.jpg"): Path("sub"), Path("y/b.jpg"): Path("none")}
    found = Masks.of(masks, inputs)
    named = {"a.jpg": "a.mask.png", "b.jpg": "b.bmp", "x/b.jpg": "sub/b.png", "y/b.jpg": "b.bmp"}
    assert found.file_of == {Path(path): masks / name for path, name in named.items()}
    for name, there in (("c", "c.jpg, c.png"), ("d", "nothing"), ("e", "nothing")):
        with pytest.raises(ImageError, match=f"named {name}.mask or {name} is .* is {there}$"):
            found.file(Path(f"{name}.jpg"))


def test_a_folder_is_listed_once_however_many_inputs_there_are(tmp_path, monkeypatch):
    photos = made(tmp_path, *(f"{i:03d}.png" for i in range(200)))
    made(tmp_path, *(f"{i:03d}.mask.png" for i in range(200)))
    listed, looked = [], []
    iterdir, is_file = Path.iterdir, Path.is_file
    monkeypatch.setattr(Path, "iterdir", lambda p: (listed.append(p), iterdir(p))[1])
    monkeypatch.setattr(Path, "is_file", lambda p: (looked.append(p), is_file(p))[1])
    inputs = {photos / f"{i:03d}.png": Path() for i in range(200)}
    assert len(Masks.of(tmp_path, inputs).file_of) == 200
    assert listed == [tmp_path]
    assert len(looked) == 200
