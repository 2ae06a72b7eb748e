import numpy as np
import pytest
from drawn import draw_face, write_tar

from unveil.data.pairs import load_pairs, read_photo
from unveil.errors import DataError
from unveil.files import encode

HEADER = "fold,image_a,image_b,same\n"
ROWS = (
    "1,ann/1.png,ann/2.png,1\n1,ann/2.png,bob/1.png,0\n"
    "2,cem/1.png,cem/2.png,1\n2,dan/1.png,cem/1.png,0\n"
)
NAMES = ("ann/1.png", "ann/2.png", "bob/1.png", "cem/1.png", "cem/2.png", "dan/1.png")


@pytest.fixture(params=["folders", "tar"])
def listed(request, tmp_path):
    photos = {name: encode(draw_face(i, 32), "PNG") for i, name in enumerate(NAMES)}
    if request.param == "tar":
        write_tar(tmp_path / "images.tar", photos)
    else:
        for name, data in photos.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
    path = tmp_path / "pairs.csv"
    path.write_text(HEADER + ROWS)
    return path


def test_pairs_and_their_photos(listed):
    pairs = load_pairs(listed)
    assert tuple(entry.name for entry in pairs.photos) == NAMES
    assert pairs.first.tolist() == [0, 1, 3, 5]
    assert pairs.second.tolist() == [1, 2, 4, 3]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [1, 1, 2, 2]
    assert pairs.person.tolist() == [0, 0, 1, 2, 2, 3]
    assert np.array_equal(read_photo(pairs.photos[4]), draw_face(4, 32))


def test_fewer_pairs_bring_only_their_photos(listed):
    pairs = load_pairs(listed).chosen(np.array([False, True, False, True]))
    assert [entry.name for entry in pairs.photos] == [NAMES[i] for i in (1, 2, 3, 5)]
    assert pairs.first.tolist() == [0, 3]
    assert pairs.second.tolist() == [1, 2]


@pytest.mark.parametrize(("n", "left"), [(2, 1), (6, 3), (7, 3), (20, 10), (99, 10)])
def test_thinned_pairs_are_spread_and_half_of_one_person(tmp_path, n, left):
    names = {f"p{i}/{j}.png": b"" for i in range(40) for j in range(2)}
    write_tar(tmp_path / "images.tar", names)
    rows = [
        f"{fold},p{20 * fold + i}/0.png,p{20 * fold + i + different}/1.png,{1 - different}\n"
        for fold in range(2)
        for different in range(2)
        for i in range(10)
    ]
    (tmp_path / "pairs.csv").write_text(HEADER + "".join(rows))
    pairs = load_pairs(tmp_path / "pairs.csv").thinned(n)
    for fold in range(2):
        for same in (True, False):
            of = (pairs.fold == fold) & (pairs.same == same)
            assert of.sum() == left
            people = sorted(pairs.photos[i].name for i in pairs.first[of])
            assert people[0] == f"p{20 * fold}/0.png"
    if left == 3:
        assert [int(pairs.photos[i].name[1:-6]) for i in pairs.first[:3]] == [0, 3, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs rows with the columns fold, image_a"),
        ("a,b\n1,2\n", "needs rows with the columns"),
        (HEADER + "1,ann/1.png,,1\n", "needs rows with the columns"),
        (HEADER + "1,ann/1.png,ann/9.png,1\n", "ann/9.png is not beside it"),
        (HEADER + "one,ann/1.png,ann/2.png,1\n", "whole numbers"),
        (HEADER + "1,ann/1.png,bob/1.png,-1\n", "same must be 0 or 1"),
        (HEADER + "1,ann/1.png,bob/1.png,1\n", "ann/1.png and bob/1.png: the column same says"),
        (HEADER + "1,ann/1.png,ann/2.png,0\n", "the column same says otherwise"),
    ],
)
def test_lists_that_do_not_serve_are_refused(listed, text, message):
    listed.write_text(text)
    with pytest.raises(DataError, match=message):
        load_pairs(listed)


def test_a_damaged_photo_is_named(tmp_path):
    write_tar(tmp_path / "images.tar", {"a/1.png": b"no", "a/2.png": b"no"})
    (tmp_path / "pairs.csv").write_text(HEADER + "1,a/1.png,a/2.png,1\n")
    pairs = load_pairs(tmp_path / "pairs.csv")
    with pytest.raises(DataError, match=r"a/1\.png"):
        read_photo(pairs.photos[0])
    with pytest.raises(DataError, match="a folder; give the list of pairs"):
        load_pairs(tmp_path)
    with pytest.raises(DataError, match=r"none\.csv: cannot be read"):
        load_pairs(tmp_path / "none.csv")
