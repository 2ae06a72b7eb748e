import numpy as np
import pytest
from drawn import draw_face, write_tar

from unveil.data.faces import FaceSet
from unveil.data.stream import open_stream
from unveil.errors import DataError
from unveil.files import encode


def members(first: int, n: int) -> dict[str, bytes]:
    return {f"{i:03d}.png": encode(draw_face(i, 32), "PNG") for i in range(first, first + n)}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tars").mkdir()
    write_tar(tmp_path / "tars" / "a.tar", members(0, 5) | {"notes.txt": b"no face"})
    write_tar(tmp_path / "tars" / "b.tar", members(5, 3))
    return tmp_path / "tars"


@pytest.mark.parametrize("how", ["folder", "tars", "pattern", "url"])
def test_all_faces_in_order(folder, tmp_path, how):
    sources = {
        "folder": [str(folder)],
        "tars": [str(folder / "a.tar"), str(folder / "b.tar")],
        "pattern": [str(folder / "?.tar")],
        "url": [f"file://{folder}/a.tar", f"file://{folder}/b.tar"],
    }[how]
    stream = open_stream(sources, size=32, streams=2, cache=tmp_path / "cache")
    assert len(stream) == 8
    for i in (7, 0, 4, 5, 1):
        assert np.array_equal(stream.face(i), draw_face(i, 32))
    assert np.array_equal(stream.first(3).faces[2], draw_face(2, 32))
    names = tuple(f"{i:03d}.png" for i in range(8))  # wherever they come from
    assert stream.digest() == FaceSet(names, stream.first(8).faces).digest()
    assert stream.digest() != FaceSet(names[::-1], stream.first(8).faces).digest()


def test_behind_any_file_system_of_fsspec(folder, tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/faces/a.tar", (folder / "a.tar").read_bytes())
    stream = open_stream(["memory://faces/*.tar"], size=32, cache=tmp_path / "cache")
    assert np.array_equal(stream.face(4), draw_face(4, 32))
    memory.rm("/faces", recursive=True)
    with pytest.raises(DataError, match="memory://faces"):
        open_stream(["memory://faces/*.tar"], size=32, cache=tmp_path / "cache")


def test_a_list_is_made_once_and_again_when_its_tar_changes(folder, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    open_stream([str(folder)], size=32, cache=cache)
    from unveil.data import stream

    with monkeypatch.context() as patch:
        patch.setattr(stream, "scan_tar", None)
        assert len(open_stream([str(folder)], size=32, cache=cache)) == 8
    write_tar(folder / "b.tar", members(5, 4))
    assert len(open_stream([str(folder)], size=32, cache=cache)) == 9


@pytest.mark.parametrize("left", [0, 300, 900])
def test_a_list_that_was_cut_off_is_made_anew(folder, tmp_path, left):
    cache = tmp_path / "cache"
    open_stream([str(folder)], size=32, cache=cache)
    for kept in cache.glob("*.npz"):
        kept.write_bytes(kept.read_bytes()[:left])
    assert len(open_stream([str(folder)], size=32, cache=cache)) == 8


def test_a_damaged_face_is_named(tmp_path):
    write_tar(tmp_path / "a.tar", members(0, 2) | {"bad.png": b"no picture"})
    stream = open_stream([str(tmp_path / "a.tar")], size=32, cache=tmp_path / "cache")
    with pytest.raises(DataError, match=r"a\.tar/bad\.png: not an image"):
        stream.face(2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: d / "none.tar", "no such file"),
        (lambda d: "nobody://x/a.tar", "nobody://x/a.tar: cannot be read"),
        (lambda d: (d / "x.zip").write_bytes(b"") * 0 or d / "x.zip", "only .tar files"),
        (lambda d: (d / "x.tar").write_bytes(b"z" * 2000) * 0 or d / "x.tar", "not a readable"),
        (lambda d: write_tar(d / "x.tar", {"a.txt": b""}), "no images"),
    ],
)
def test_bad_sources(tmp_path, make, message):
    with pytest.raises(DataError, match=message):
        open_stream([str(make(tmp_path))], size=32, cache=tmp_path / "cache")
