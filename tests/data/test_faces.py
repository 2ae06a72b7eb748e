import os
from pathlib import Path

import numpy as np
import pytest
from drawn import draw_face, write_faces, write_tar

from unveil.data import faces as faces_module
from unveil.data.faces import load_faces, to_face
from unveil.errors import DataError, ImageError
from unveil.files import encode, read_image

CELEBA = Path(__file__).parents[3] / "shared" / "data" / "celeba"
SIZE = 32


def png(seed, size=SIZE):
    return encode(draw_face(seed, size), "PNG")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    write_faces(tmp_path / "in", 3)
    return tmp_path / "in"


@pytest.fixture
def index(tmp_path):
    write_tar(tmp_path / "one.tar", {"1.png": png(1), "2.png": png(2)})
    write_tar(tmp_path / "two.tar", {"1.png": png(3)})
    (tmp_path / "index.csv").write_text(
        "image,identity,archive,paper_split\n"
        "1.png,7,two.tar,val\n2.png,8,one.tar,train\n1.png,9,one.tar,\n"
    )
    return tmp_path / "index.csv"


def load(source, cache, **options):
    return load_faces([source], size=SIZE, cache=cache, **options)


def test_folder_in_order_with_its_subfolders(folder, cache):
    write_faces(folder / "sub", 1)
    (folder / "notes.txt").write_text("not a face")
    loaded = load(folder, cache)
    assert loaded.names == ("000.png", "001.png", "002.png", "sub/000.png")
    assert loaded.faces.shape == (4, SIZE, SIZE, 3)
    for i, seed in enumerate((0, 1, 2, 0)):
        np.testing.assert_array_equal(loaded.faces[i], draw_face(seed, SIZE))


def test_tar_and_single_image(tmp_path, cache):
    tar = write_tar(tmp_path / "a.tar", {"x/1.png": png(1), "README": b"text", "2.PNG": png(2)})
    assert load(tar, cache).names == ("x/1.png", "2.PNG")
    (tmp_path / "one.png").write_bytes(png(5))
    np.testing.assert_array_equal(load(tmp_path / "one.png", cache).faces[0], draw_face(5, SIZE))


def test_index_gives_rows_in_order_and_splits(index, cache):
    everything = load(index, cache)
    assert everything.names == ("two/1.png", "one/2.png", "one/1.png")
    for i, seed in enumerate((3, 2, 1)):
        np.testing.assert_array_equal(everything.faces[i], draw_face(seed, SIZE))
    assert load(index, cache, split="train").names == ("2.png",)
    assert len(load(index, cache, split="")) == 3


def test_index_says_who_is_on_the_faces_whether_they_are_cached_or_not(index, cache):
    index.write_text(index.read_text().replace(",9,", ",7,"))
    for _ in range(2):
        loaded = load(index, cache)
        assert loaded.people.tolist() == [0, 1, 0]
        assert loaded.first(2).people.tolist() == [0, 1]
    assert load(index, cache, split="train").people.tolist() == [0]
    assert load(index.parent / "one.tar", cache).first(1).people is None


def test_names_stay_unique_across_sources(tmp_path, cache):
    tars = [write_tar(tmp_path / f"{n}.tar", {"1.png": png(0), f"{n}.png": png(1)}) for n in "ab"]
    loaded = load_faces(tars, size=SIZE, cache=cache)
    assert loaded.names == ("a/1.png", "a/a.png", "b/1.png", "b/b.png")


def test_the_same_source_twice_is_refused(folder, cache):
    with pytest.raises(DataError, match=r"in/000\.png comes twice"):
        load_faces([folder, folder], size=SIZE, cache=cache)


@pytest.fixture
def left_out(tmp_path):
    path = tmp_path / "hidden.txt"
    path.write_text("# in no source:\n999.png\n\n1.png\nx/1.png\n001.png\n")
    return path


def test_faces_of_a_list_are_left_out_of_every_kind_of_source(
    index, folder, tmp_path, cache, left_out
):
    tar = write_tar(tmp_path / "three.tar", {"x/1.png": png(1), "x/2.png": png(2)})
    single = tmp_path / "001.png"
    single.write_bytes(png(7))
    for source, names, seed in (
        (folder, ("000.png", "002.png"), 2),
        (tar, ("x/2.png",), 2),
        (index, ("2.png",), 2),
    ):
        loaded = load(source, cache, without=left_out)
        assert loaded.names == names
        np.testing.assert_array_equal(loaded.faces[-1], draw_face(seed, SIZE))
    assert load(index, cache, without=left_out).people.tolist() == [0]
    everything = load_faces([folder, index, single], size=SIZE, cache=cache, without=left_out)
    assert everything.names == ("000.png", "002.png", "2.png")
    assert everything.people.tolist() == [0, 1, 2]
    assert everything.digest() == faces_module.digest_of(everything.names)
    with pytest.raises(DataError, match=r"hidden\.txt leaves no images of .*001\.png"):
        load(single, cache, without=left_out)


def test_another_list_has_another_cache(folder, cache, left_out, monkeypatch):
    assert len(load(folder, cache)) == 3
    assert len(load(folder, cache, without=left_out)) == 2
    left_out.write_text("000.png\n002.png\n")
    assert load(folder, cache, without=left_out).names == ("001.png",)
    monkeypatch.setattr(faces_module, "decode_face", no_decoding)
    left_out.write_text("# the same in another order\n002.png\n000.png\n")
    assert load(folder, cache, without=left_out).names == ("001.png",)
    left_out.write_text("# nothing\n")
    assert len(load(folder, cache, without=left_out)) == 3


def no_decoding(*_):
    raise AssertionError("decoded although the cache holds")


def test_second_load_decodes_nothing(folder, cache, monkeypatch):
    first = load(folder, cache)
    monkeypatch.setattr(faces_module, "decode_face", no_decoding)
    (folder / "notes.txt").write_text("not a face: changes nothing")
    second = load(folder, cache)
    assert second.names == first.names
    np.testing.assert_array_equal(second.faces, first.faces)


@pytest.mark.parametrize("change", ["content", "time", "added", "removed", "renamed"])
def test_changed_folder_is_decoded_again(folder, cache, change):
    load(folder, cache)
    path = folder / "001.png"
    if change == "content":
        path.write_bytes(png(9))
    elif change == "time":
        os.utime(path, ns=(1, 1))
    elif change == "added":
        (folder / "003.png").write_bytes(png(3))
    elif change == "removed":
        path.unlink()
    else:
        path.rename(folder / "zzz.png")
    loaded = load(folder, cache)
    assert loaded.names == tuple(sorted(p.name for p in folder.iterdir()))
    if change == "content":
        np.testing.assert_array_equal(loaded.faces[1], draw_face(9, SIZE))


def test_changed_tar_of_an_index_is_decoded_again(index, cache):
    load(index, cache)
    write_tar(index.parent / "two.tar", {"1.png": png(40)})
    os.utime(index.parent / "two.tar", ns=(1, 1))
    np.testing.assert_array_equal(load(index, cache).faces[0], draw_face(40, SIZE))


def test_changed_folder_of_an_index_is_decoded_again(folder, tmp_path, cache):
    index = tmp_path / "folder.csv"
    index.write_text("image,archive,paper_split\n001.png,in,train\n")
    np.testing.assert_array_equal(load(index, cache).faces[0], draw_face(1, SIZE))
    (folder / "001.png").write_bytes(png(40))
    np.testing.assert_array_equal(load(index, cache).faces[0], draw_face(40, SIZE))


def test_size_and_split_have_caches_of_their_own(index, cache):
    assert len(load(index, cache)) == 3
    assert len(load(index, cache, split="val")) == 1
    assert load_faces([index], size=16, cache=cache).faces.shape == (3, 16, 16, 3)


def test_cache_folder_from_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("UNVEIL_CACHE", str(tmp_path / "there"))
    load(folder, None)
    assert len(list((tmp_path / "there").iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut off", "other size", "no names", "bad names", "no array"])
def test_damaged_cache_is_made_anew(folder, cache, damage):
    load(folder, cache)
    (array,), (names,) = cache.glob("*.npy"), cache.glob("*.json")
    if damage == "cut off":
        array.write_bytes(array.read_bytes()[:-100])
    elif damage == "other size":
        np.save(array, np.zeros((3, 8, 8, 3), np.uint8))
    elif damage == "no names":
        names.unlink()
    elif damage == "bad names":
        names.write_text('["000.png"')
    else:
        array.unlink()
    np.testing.assert_array_equal(load(folder, cache).faces[2], draw_face(2, SIZE))


def test_interrupted_decoding_leaves_no_cache(folder, cache, monkeypatch):
    def interrupt(entry, size):
        if entry.name == "002.png":
            raise KeyboardInterrupt
        return draw_face(0, size)

    with monkeypatch.context() as patch:
        patch.setattr(faces_module, "decode_face", interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(folder, cache)
    assert list(cache.iterdir()) == []
    np.testing.assert_array_equal(load(folder, cache).faces[1], draw_face(1, SIZE))


def test_unwritable_cache_is_named(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write the face cache in .*file.*: (Not|File)"):
        load(folder, tmp_path / "file" / "cache")


def test_broken_image_is_named(folder, cache):
    (folder / "001.png").write_bytes(png(1)[:200])
    with pytest.raises(DataError, match=r"in/001\.png: damaged or cut off"):
        load(folder, cache)
    assert list(cache.iterdir()) == []


def test_broken_member_is_named(tmp_path, cache):
    tar = write_tar(tmp_path / "a.tar", {"1.png": png(1), "2.png": b"no image"})
    with pytest.raises(DataError, match=r"a\.tar/2\.png: not an image"):
        load(tar, cache)


def test_face_that_is_not_aligned_is_named(folder, cache):
    (folder / "wide.png").write_bytes(encode(draw_face(0, SIZE)[:20], "PNG"))
    with pytest.raises(DataError, match=r"wide\.png: not an aligned face: 32x20"):
        load(folder, cache)


def test_to_face_takes_celeba_and_squares_only():
    assert to_face(np.zeros((218, 178, 3), np.uint8)).shape == (256, 256, 3)
    assert to_face(draw_face(0, 64), 32).shape == (32, 32, 3)
    with pytest.raises(ImageError, match="178x200 is neither square"):
        to_face(np.zeros((200, 178, 3), np.uint8))


@pytest.mark.skipif(not CELEBA.is_dir(), reason="needs the CelebA shards beside the repository")
def test_celeba_index(cache):
    loaded = load(CELEBA / "index.csv", cache, split="test")
    assert len(loaded) == 1000
    assert len(np.unique(loaded.people)) == 408
    # In the mean of many aligned faces the eyes are darker than the cheeks below them.
    mean = loaded.faces.mean(axis=(0, 3))
    assert mean[16:18, 12].mean() < mean[21:23, 12].mean() - 20


def test_turns_are_measured_once_and_kept(tmp_path, cache, monkeypatch):
    astronaut = read_image(Path(__file__).parents[2] / "examples" / "astronaut.png").photo
    (tmp_path / "in").mkdir()
    for name, photo in (("a", astronaut), ("b", astronaut[:, ::-1]), ("c", astronaut * 0)):
        (tmp_path / "in" / f"{name}.png").write_bytes(encode(photo, "PNG"))
    loaded = load_faces([tmp_path / "in"], size=128, cache=cache, turns=True)
    assert loaded.turn(0) == pytest.approx(-loaded.turn(1), abs=0.08)
    assert loaded.turn(2) is None
    assert loaded.first(1).turn(0) == loaded.turn(0)
    monkeypatch.setattr("unveil.faces.detect.FaceDetector.turn", None)  # nobody looks again
    again = load_faces([tmp_path / "in"], size=128, cache=cache, turns=True)
    np.testing.assert_array_equal(again.turns, loaded.turns)
    assert load_faces([tmp_path / "in"], size=128, cache=cache).turn(0) is None
