import pytest

from unveil.data.left_out import read_names
from unveil.errors import DataError


def test_one_name_a_line(tmp_path):
    path = tmp_path / "hidden.txt"
    path.write_bytes(
        "\ufeff# sunglasses\r\n0001.jpg\r\n\r\n  sub/ü 2.png  \n#3.jpg\n4#.j\n./sub/5.jpg".encode()
    )
    assert read_names(path) == {"0001.jpg", "sub/ü 2.png", "4#.j", "sub/5.jpg"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, r"hidden\.txt: cannot be read: No such file"),
        (b"\xff\xfe1.jpg", r"hidden\.txt: not a text file"),
    ],
)
def test_a_list_that_is_none_is_named(tmp_path, data, message):
    path = tmp_path / "hidden.txt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_names(path)
