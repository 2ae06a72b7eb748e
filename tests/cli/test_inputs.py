"""What IN... means."""

import os
from pathlib import Path

from unveil.cli.inputs import expand


def test_a_file_is_taken_once_whatever_leads_to_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"a")
    (tmp_path / "link").symlink_to("in")
    ways = ["in/a.png", str(tmp_path / "in" / "a.png"), "in/../in/a.png", "link", "in/*.png", "-"]
    assert expand([*ways, "-"]) == {Path("in/a.png"): Path(), Path("-"): Path()}
    assert expand(["gone.png", str(tmp_path / "gone.png")]) == {Path("gone.png"): Path()}


def test_a_link_of_another_name_has_a_result_of_its_own(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "b.png").symlink_to("a.png")
    assert [path.name for path in expand([str(tmp_path)])] == ["a.png", "b.png"]


def test_a_file_called_a_dash_is_no_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(b"a")
    assert expand(["./-"]) == {tmp_path / "-": Path()}
    assert expand(["-"]) == {Path("-"): Path()}


def test_what_may_not_be_looked_at_is_an_input_that_fails(tmp_path, monkeypatch):
    """Rights do not stop who tests as root: the system is made to say no."""
    for name in ("a.png", "locked/b.png", "half/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"a")
    scandir, stat = os.scandir, Path.stat

    def listed(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    def looked_at(path, **options):
        if path.parent.name == "half":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "scandir", listed)
    monkeypatch.setattr(Path, "stat", looked_at)
    found = expand([str(tmp_path)])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "a.png", "half/c.png", "locked",
    ]  # fmt: skip
    assert list(expand([str(tmp_path / "locked")])) == [tmp_path / "locked"]
