"""What IN... means."""

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
