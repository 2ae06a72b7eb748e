"""Files that a killed command left in a data set; blocks are written without Ray."""

import fsspec
import pyarrow as pa
import pytest

from unveil.cluster.doubles import drop_doubles, file_name, may_double
from unveil.cluster.places import Place
from unveil.errors import ClusterError, DataError


@pytest.fixture(params=["path", "memory://"])
def target(request, tmp_path):
    if request.param == "memory://":
        yield Place("memory://archive/out.parquet")
        fsspec.filesystem("memory").store.clear()
    else:
        yield Place(str(tmp_path / "out.parquet"))


def write(target, *blocks, job="1", called=None):
    for block in blocks:
        table = pa.table({"name": list(block), "bytes": [job.encode()] * len(block)})
        target.write_table(called or file_name(block), table)


def rerun(target, *blocks):
    """A job that writes these blocks."""
    coming = {name for block in blocks for name in block}
    older = may_double(target, target.names_by_file(), coming)
    write(target, *blocks, job="again")
    drop_doubles(target, older)
    return sorted(target.names_by_file().values())


def test_blocks_that_are_cut_anew_leave_each_row_once(target):
    write(target, "abcd", "efgh")  # only the first was told to the manifest
    assert rerun(target, "efghi", "jkl") == [list("abcd"), list("efghi"), list("jkl")]


def test_a_file_stays_until_all_its_rows_are_in_others(target):
    write(target, "abcd")
    assert rerun(target, "ab", "c") == [list("ab"), list("abcd"), ["c"]]
    assert rerun(target, "d") == [list("ab"), ["c"], ["d"]]


def test_the_same_block_again_is_the_same_file(target):
    write(target, "abcd")
    assert rerun(target, "abcd") == [list("abcd")]


def test_what_was_written_anew_stays_and_not_what_was_left(target):
    write(target, "abcd", "abx", "cdy")  # the rows of x and y are nowhere else
    assert rerun(target, "abcd") == [list("abcd"), list("abx"), list("cdy")]
    assert target.inside(file_name("abcd")).read_table()["bytes"].to_pylist() == [b"again"] * 4
    write(target, "ab", "cd")
    assert list("abcd") in rerun(target, "abcd")


@pytest.mark.parametrize("todo", [(), ("xyz",)])
def test_of_several_killed_jobs_the_last_ones_rows_are_kept(target, todo):
    write(target, "abcdefgh")
    write(target, "abcde", "fghij")
    assert rerun(target, *todo) == [list("abcde"), list("fghij"), *map(list, todo)]


def test_files_of_others_are_left_alone(target):
    write(target, "ab", called="mine.parquet")
    assert rerun(target, "abc") == [list("ab"), list("abc")]


def test_nothing_is_read_again_where_nothing_is_older(target, monkeypatch):
    write(target, "ab")
    held = target.names_by_file()
    monkeypatch.setattr(Place, "names_by_file", None)
    monkeypatch.setattr(Place, "written", None)
    older = may_double(target, held, set("cd"))
    assert older == {}
    drop_doubles(target, older)


def test_a_file_system_that_tells_no_times_keeps_all(target, monkeypatch):
    def modified(path):
        raise NotImplementedError

    monkeypatch.setattr(target.files, "modified", modified)
    write(target, "abcd")
    assert rerun(target, "abcde") == [list("abcd"), list("abcde")]


def test_a_file_that_cannot_be_deleted_or_looked_at_is_named(target, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError("not yours")

    write(target, "abcd")
    name = file_name("abcd")
    with monkeypatch.context() as patch:
        patch.setattr(target.files, "modified", refuse)
        with pytest.raises(DataError, match=rf"{name}: cannot be read: not yours"):
            rerun(target, "abcde")
    monkeypatch.setattr(target.files, "rm", refuse)
    with pytest.raises(ClusterError, match=rf"{name}: cannot be deleted: not yours"):
        rerun(target, "abcde")
