import os
import signal
import subprocess
import sys
from threading import Thread

import pytest

from unveil import partial
from unveil.files import atomic_path, write_bytes

WRITING = (
    "import sys, time; from pathlib import Path; from unveil.files import atomic_path\n"
    "with atomic_path(Path(sys.argv[1])) as partial:\n"
    "    partial.write_bytes(b'half of something long'); print('.', flush=True); time.sleep(60)"
)


@pytest.fixture
def writing(tmp_path):
    """A process in the middle of writing a file; killed hard at the end."""
    path = tmp_path / "last.ckpt"
    process = subprocess.Popen([sys.executable, "-c", WRITING, path], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b".\n"
    yield process, path
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_what_a_killed_process_left_goes_with_the_next_write(writing):
    process, path = writing
    process.send_signal(signal.SIGKILL)
    process.wait()
    (left,) = os.listdir(path.parent)
    assert left.startswith(".unveil-")
    write_bytes(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert os.listdir(path.parent) == ["last.ckpt"]


def test_what_a_living_process_writes_is_not_taken_from_it(writing):
    process, path = writing
    (its,) = path.parent.iterdir()
    for data in (b"one", b"two"):
        write_bytes(path, data)
        assert path.read_bytes() == data
        assert its.read_bytes() == b"half of something long"
    assert process.poll() is None
    assert sorted(path.parent.iterdir()) == [its, path]


def test_many_threads_on_one_file_leave_it_whole_and_nothing_else(tmp_path):
    path, failed = tmp_path / "a.bin", []

    def write(data):
        try:
            for _ in range(40):
                write_bytes(path, data)
        except Exception as error:
            failed.append(error)

    threads = [Thread(target=write, args=(bytes([65 + i]) * 5000,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data = path.read_bytes()
    assert (failed, len(data), len(set(data))) == ([], 5000, 1)
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_link_of_that_name_is_not_written_through(tmp_path):
    path, other = tmp_path / "a.bin", tmp_path / "precious"
    with atomic_path(path) as common:
        common.write_bytes(b"")
    for place in (os.symlink, os.link):
        other.write_bytes(b"precious")
        place(other, common)
        write_bytes(path, b"data")
        assert (path.read_bytes(), other.read_bytes()) == (b"data", b"precious")
        common.unlink()


def test_where_nothing_can_be_locked_files_are_written_all_the_same(tmp_path, monkeypatch):
    def unable(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(partial.fcntl, "flock", unable)
    write_bytes(tmp_path / "a.bin", b"data")
    monkeypatch.setattr(partial, "LOCKS", False)
    write_bytes(tmp_path / "b.bin", b"data")
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "b.bin"]
