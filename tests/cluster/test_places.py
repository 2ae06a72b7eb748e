import io
import os
import zipfile

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unveil.cluster.places import Place
from unveil.errors import DataError, ImageError, UsageError


@pytest.fixture(params=["path", "file://", "memory://"])
def place(request, tmp_path):
    if request.param == "memory://":
        yield Place("memory://archive/in")
        fsspec.filesystem("memory").store.clear()
    else:
        yield Place(f"{request.param.removesuffix('path')}{tmp_path}/in")


def test_a_folder(place):
    names = ["b.jpg", "b.restored.png", "notes.txt", "sub/._a.PNG", "sub/a.PNG"]
    for name in names:
        place.write(name, name.encode())
    assert place.inputs() == ["b.jpg", "sub/a.PNG"]
    assert place.read("sub/a.PNG") == b"sub/a.PNG"
    with pytest.raises(ImageError, match="no such file"):
        place.read("none.jpg")
    place.write("b.jpg", b"again")
    assert place.read("b.jpg") == b"again"
    assert sorted(place.listed()) == names


@pytest.mark.parametrize("inner", ["", "2020"])
def test_an_archive_is_read_from_its_root_and_from_a_folder(tmp_path, inner):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("a.png", "2020/party.png"):
            archive.writestr(name, name)
    place = Place(f"zip://{inner}::{tmp_path}/x.zip")
    names = ["party.png"] if inner else ["2020/party.png", "a.png"]
    assert place.inputs() == names
    assert [place.read(name).decode()[-9:] for name in names] == [n[-9:] for n in names]


def test_a_file_of_a_data_set_that_ray_would_leave_out_is_told(tmp_path):
    data = Place(f"{tmp_path}/in.parquet")
    data.write_table("one.parquet", pa.table({"name": ["a.png"], "bytes": [b"1"]}))
    data.write_table("_SUCCESS", pa.table({"name": ["b.png"], "bytes": [b"2"]}))  # hidden
    data.write_table("TWO.PARQUET", pa.table({"name": ["c.png"], "bytes": [b"3"]}))
    assert data.inputs() == ["a.png", "c.png"]
    data.write_table("000000_0", pa.table({"name": ["d.png"], "bytes": [b"4"]}))
    with pytest.raises(DataError, match=r"name 000000_0 something\.parquet"):
        data.inputs()


@pytest.mark.parametrize("name", ["", "/", "."])
def test_a_row_without_a_name_is_told(tmp_path, name):
    data = Place(f"{tmp_path}/in.parquet")
    data.write_table("one.parquet", pa.table({"name": ["a.png", name], "bytes": [b"1", b"2"]}))
    with pytest.raises(DataError, match="in the column name is no file's name"):
        data.inputs()


@pytest.mark.parametrize("column", ["name", "path"])
def test_a_data_set(place, column):
    data = Place(f"{place.url}.parquet")
    data.write_table("one.parquet", pa.table({column: ["b", "a"], "bytes": [b"1", b"2"]}))
    data.write_table("two.parquet", pa.table({column: ["c"], "bytes": [b"3"]}))
    assert data.parquet
    assert data.inputs() == ["a", "b", "c"]
    assert data.name_column([column, "bytes"]) == column
    data.write_table("three.parquet", pa.table({column: ["a.restored.png"], "bytes": [b"4"]}))
    assert data.inputs() == ["a", "b", "c"]
    assert data.names_by_file() == {
        "one.parquet": ["b", "a"], "two.parquet": ["c"], "three.parquet": ["a.restored.png"]
    }  # fmt: skip
    data.remove()
    assert data.listed() == []
    assert data.names_by_file() == {}


def test_a_data_set_of_a_hidden_file_is_an_empty_one(place):
    data = Place(f"{place.url}.parquet")
    data.write(".unveil-0.tmp", b"cut off")
    assert data.names_by_file() == {}
    with pytest.raises(UsageError, match="no images"):
        data.inputs()


@pytest.mark.parametrize("place", ["memory://"], indirect=True)  # Arrow reads local files itself
def test_of_a_data_set_only_the_names_are_read(place, monkeypatch):
    data, read = Place(f"{place.url}.parquet"), []
    table = pa.table({"name": ["a"], "bytes": [os.urandom(4_000_000)]})
    data.write_table("1.parquet", table)
    whole = data.files.cat_file(f"{data.path}/1.parquet")

    class Counted(io.BytesIO):
        def read(self, size=-1):
            read.append(super().read(size))
            return read[-1]

    monkeypatch.setattr(data.files, "open", lambda *_, **__: Counted(whole))
    assert data.names_by_file() == {"1.parquet": ["a"]}
    assert 0 < sum(map(len, read)) < len(whole) / 4


def test_one_address_for_a_place_and_no_password_in_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("in")
    for name in ("in", "./in/", f"file://{tmp_path}/in", "link", "none/../in"):
        assert Place(name).address == f"file://{tmp_path.resolve()}/in"
    assert Place("https://me:secret@host/in/").address == "https://host/in"
    assert Place("https://host/in?key=secret").address == "https://host/in"


def test_without_photos_it_is_a_wrong_call_as_without_ray(tmp_path):
    with pytest.raises(UsageError, match="no images"):
        Place(str(tmp_path)).inputs()
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UsageError, match="a file: --engine ray takes folders"):
        Place(str(tmp_path / "a.png")).inputs()


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match="none: no such file"):
        Place(str(tmp_path / "none")).inputs()
    with pytest.raises(DataError, match=r"nobody://x: Protocol not known"):
        Place("nobody://x").inputs()
    with pytest.raises(DataError, match=r"none\.parquet: no such file"):
        Place(str(tmp_path / "none.parquet")).inputs()
    pq.write_table(pa.table({"image": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"needs the columns name or path, and bytes; it has image"):
        Place(str(tmp_path / "x.parquet")).inputs()


@pytest.mark.parametrize("column", ["name", "path"])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([1, 2], "the column {} must hold text; it holds int64"),
        ([b"a.png"], "the column {} must hold text; it holds binary"),
        ([{"a": "b"}], "the column {} must hold text; it holds struct"),
        ([1, None], "a row has no {}"),
        (["a.png", None], "a row has no {}"),
        (pa.nulls(1), "a row has no {}"),
    ],
)
def test_names_that_are_no_text(place, column, names, message):
    data = Place(f"{place.url}.parquet")
    data.write_table("1.parquet", pa.table({column: names, "bytes": [b""] * len(names)}))
    for read in (data.inputs, data.names_by_file):
        with pytest.raises(DataError) as raised:
            read()
        assert str(raised.value).startswith(f"{data.url}: {message.format(column)}")


def test_names_that_are_text_of_another_kind(place):
    data = Place(f"{place.url}.parquet")
    for i, kind in enumerate([pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.utf8())]):
        names = pa.array([f"{i}.png"], pa.string()).cast(kind)
        data.write_table(f"{i}.parquet", pa.table({"name": names, "bytes": [b""]}))
        assert data.inputs() == [f"{i}.png"]
        data.remove()


def test_an_unwritable_place(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ImageError, match="cannot be written"):
        Place(str(tmp_path / "file")).write("a.png", b"x")
