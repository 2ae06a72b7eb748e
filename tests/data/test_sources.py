import io
import tarfile

import pytest
from drawn import draw_face, write_faces, write_tar

from unveil.data.sources import (
    Entry,
    decode_face,
    list_entries,
    list_people,
    name_uniquely,
    read_index,
    source_files,
)
from unveil.errors import DataError, ImageError
from unveil.files import encode
from unveil.names import IMAGE_SUFFIXES

PNG = encode(draw_face(0, 16), "PNG")
HEADER = "image,identity,archive,paper_split\n"


@pytest.fixture
def tar(tmp_path):
    return write_tar(tmp_path / "a.tar", {f"{i}.png": PNG for i in range(3)})


def test_members_are_read_in_place(tar):
    entries = list_entries(tar)
    assert [entry.name for entry in entries] == ["0.png", "1.png", "2.png"]
    assert [entry.read() for entry in entries] == [PNG] * 3
    assert entries[1].place == tar / "1.png"
    assert (decode_face(entries[2], 16) == draw_face(0, 16)).all()


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (0, r"a\.tar: not a readable"),
        (300, r"a\.tar: not a readable"),
        (512 + 100, r"a\.tar: cut off or damaged"),  # inside the first member
        (-1, "cut off or damaged after member 2.png"),  # just before the end's empty blocks
    ],
)
def test_cut_tar_is_named(tar, keep, message):
    data = tar.read_bytes()
    if keep < 0:
        last = list_entries(tar)[-1]
        keep = last.offset + -(-last.length // 512) * 512
    tar.write_bytes(data[:keep])
    with pytest.raises(DataError, match=message):
        list_entries(tar)


def test_damaged_header_between_members_is_not_taken_for_the_end(tar):
    data = bytearray(tar.read_bytes())
    second = list_entries(tar)[1].offset - 512
    data[second : second + 100] = b"\xff" * 100
    tar.write_bytes(data)
    with pytest.raises(DataError, match=r"damaged (at or )?after member 0\.png"):
        list_entries(tar)


def test_compressed_tar_is_refused(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("1.png"), io.BytesIO())
    with pytest.raises(DataError, match="not a readable, uncompressed tar"):
        list_entries(path)


def test_tar_without_images_and_empty_folder_have_no_entries(tmp_path):
    assert list_entries(write_tar(tmp_path / "a.tar", {"README": b"text"})) == []
    (tmp_path / "empty").mkdir()
    assert list_entries(tmp_path / "empty") == []


def test_folder_goes_by_name_and_depth(tmp_path):
    for name in ("b/2.jpg", "a.png", "b-1.png", "b/10.WEBP", "c.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(PNG)
    (tmp_path / "folder.png").mkdir()
    names = [entry.name for entry in list_entries(tmp_path)]
    assert names == ["a.png", "b/10.WEBP", "b/2.jpg", "b-1.png"]


def test_images_are_those_of_every_verb(tmp_path):
    names = sorted(f"a{suffix}" for suffix in IMAGE_SUFFIXES)
    assert {"a.jfif", "a.avif", "a.gif", "a.tif"} < set(names)
    for name in (*names, "a.occluded.png"):
        (tmp_path / name).write_bytes(PNG)
    assert [entry.name for entry in list_entries(tmp_path)] == names
    assert [entry.name for entry in list_entries(tmp_path / "a.jfif")] == ["a.jfif"]
    tar = write_tar(tmp_path / "a.tar", dict.fromkeys(("a.jfif", "a.heic", "b.jpe"), PNG))
    assert [entry.name for entry in list_entries(tar)] == ["a.jfif", "b.jpe"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "no such file or folder"),
        ("none.tar", "no such file or folder"),
        ("none.csv", "cannot be read: No such file"),
        ("notes.txt", r"not a folder, an image, a \.tar or an index\.csv"),
    ],
)
def test_other_sources_are_refused(tmp_path, name, message):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match=message):
        list_entries(tmp_path / name)


def test_split_needs_an_index(tar):
    with pytest.raises(DataError, match="needs an index"):
        list_entries(tar, "train")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs rows with the columns"),
        (HEADER, "needs rows with the columns"),
        ("image,archive\n1.png,a.tar\n", "needs rows with the columns"),
        (HEADER + "1.png,1,a.tar,train\n2.png,1\n", "line 3 lacks"),
        (HEADER + "1.png,1,,train\n", "line 2 lacks"),
        ("\xff\xfe", "not a CSV file"),
    ],
)
def test_bad_index_is_refused(tmp_path, text, message):
    (tmp_path / "index.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message):
        read_index(tmp_path / "index.csv")


@pytest.mark.parametrize(
    ("row", "split", "message"),
    [
        ("9.png,1,a.tar,train\n", None, r"9\.png is not in a\.tar"),
        ("0.png,1,b.tar,train\n", None, r"b\.tar: no such file"),
        ("0.png,1,a.tar,train\n", "test", "no rows with paper_split=test; it has train"),
    ],
)
def test_index_that_does_not_fit_its_archives(tar, row, split, message):
    index = tar.parent / "index.csv"
    index.write_text(HEADER + row)
    with pytest.raises(DataError, match=message):
        list_entries(index, split)


def test_index_saved_by_a_spreadsheet_is_read(tar):
    index = tar.parent / "index.csv"
    index.write_bytes(b"\xef\xbb\xbf" + (HEADER + "1.png,1,a.tar,val\n").encode())
    assert [entry.name for entry in list_entries(index, "val")] == ["1.png"]
    assert source_files(index) == [index, tar]


@pytest.mark.parametrize(
    ("identities", "split", "people"),
    [
        (("7", "8", "7"), None, [0, 1, 0]),
        (("8", "7", "7"), "val", [0, 0]),  # of the split alone
        (("9", "", ""), None, [0, 1, 2]),  # two of whom nothing is said are two
        (("1", "", "1"), None, [0, 1, 0]),  # and none is taken for the person called 1
        (("", "", ""), None, None),
    ],
)
def test_people_of_an_index(tar, identities, split, people):
    rows = zip(range(3), identities, ("train", "val", "val"), strict=True)
    index = tar.parent / "index.csv"
    index.write_text(HEADER + "".join(f"{i}.png,{who},a.tar,{of}\n" for i, who, of in rows))
    found = list_people([index], split)
    assert (found if found is None else found.tolist()) == people


def test_people_of_several_sources_are_in_the_order_of_the_names(tar):
    write_faces(tar.parent / "in", 2, 16)
    first, second = tar.parent / "first.csv", tar.parent / "second.csv"
    first.write_text(HEADER + "2.png,4,a.tar,train\n0.png,5,a.tar,train\n")
    second.write_text(HEADER + "1.png,5,a.tar,train\n")
    sources = [first, tar.parent / "in", second]
    named = dict(
        zip([name for name, _ in name_uniquely(sources)], list_people(sources), strict=True)
    )
    assert named == {"2.png": 0, "0.png": 1, "000.png": 2, "001.png": 3, "1.png": 1}


def test_without_an_index_nobody_is_known(tar):
    (tar.parent / "plain.csv").write_text("image,archive,paper_split\n0.png,a.tar,train\n")
    assert list_people([tar.parent / "plain.csv"]) is None
    assert list_people([tar, tar.parent / "no such folder"]) is None  # and nothing is read


def test_source_files_of_a_folder_are_its_images(tmp_path):
    paths = write_faces(tmp_path, 2, 16)
    (tmp_path / "occlusions.csv").write_text("")
    assert source_files(tmp_path) == paths


def test_vanished_file_is_an_image_error(tmp_path):
    with pytest.raises(ImageError, match="no such file"):
        Entry("a.png", tmp_path / "a.png", 0, 10).read()


@pytest.mark.parametrize(
    "other",
    [
        *("a.occluded.png", "a.mask.png", "a.triplet.png"),  # of `unveil occlude`
        *("a.restored.png", "a.restored-2.png", "a.invented.png"),  # of `unveil restore`
        *("._a.png", ".hidden.jpg"),  # of a Mac, which puts no image there
    ],
)
def test_what_is_no_clean_face_by_its_name_is_left_out(tmp_path, other):
    files = {"a.png": PNG, other: PNG}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert [entry.name for entry in list_entries(tmp_path)] == ["a.png"]
    assert [entry.name for entry in list_entries(write_tar(tmp_path / "a.tar", files))] == ["a.png"]
    (named,) = list_entries(tmp_path / other)
    assert named.name == other


def test_names_do_not_depend_on_how_a_tar_was_made(tmp_path):
    tar = write_tar(tmp_path / "a.tar", {"./a.png": PNG, "./b/c.png": PNG})
    assert [entry.name for entry in list_entries(tar)] == ["a.png", "b/c.png"]
    for start in ("", "./"):
        index = tmp_path / "index.csv"
        index.write_text(f"{HEADER}{start}b/c.png,1,a.tar,train\n")
        assert [entry.name for entry in list_entries(index)] == ["b/c.png"]
        assert list_people([index], without={"a.png"}).tolist() == [0]


def test_names_are_led_by_the_folder_that_they_are_in(tmp_path):
    """An index of one folder a person, and single images: the source's own name is no help."""
    for person in ("anna", "bob"):
        write_faces(tmp_path / person, 1, 16)
    index = tmp_path / "index.csv"
    index.write_text(f"{HEADER}000.png,1,anna,\n000.png,2,bob,\n")
    images = [tmp_path / person / "000.png" for person in ("anna", "bob")]
    for sources in ([index], images, [tmp_path / "anna", images[1]]):
        assert [name for name, _ in name_uniquely(sources)] == ["anna/000.png", "bob/000.png"]
