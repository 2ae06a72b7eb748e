"""The page of before and after."""

import base64
import io
import re
import sys

import numpy as np
import photos
import pytest
from PIL import Image

from unveil.cli import main
from unveil.cli.page import HEIGHT, Page
from unveil.errors import ImageError, UsageError
from unveil.files import encode
from unveil.output import TINT


def restore(monkeypatch, model, *arguments) -> int:
    line = ["unveil", "restore", "--model", model, *(str(a) for a in arguments)]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


@pytest.fixture
def page(tmp_path, monkeypatch, model) -> str:
    """Of a photo with two hidden faces, one with nothing hidden, and a damaged file."""
    source, results = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    results.mkdir()
    for name, hide in (("both", True), ("clean <b>", False)):
        photo = photos.scene(*photos.TWO, hide=hide)[0]
        (source / f"{name}.png").write_bytes(encode(photo, "PNG"))
    (source / "bad.png").write_bytes(b"no image")
    target = tmp_path / "page.html"
    assert restore(monkeypatch, model, source, "-o", results, "--page", target) == 1
    return target.read_text()


def test_it_shows_what_was_done_and_fetches_nothing(page):
    assert "1 restored, 1 with nothing hidden, 1 failed" in page
    assert "not for identification" in page
    assert "clean &lt;b&gt;.png" in page
    assert "bad.png" in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "http" not in page


def test_its_pictures_are_before_invented_and_after(page):
    blobs = re.findall(r"base64,([^\"]+)", page)
    before, shown, after = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(b))), float) for b in blobs
    )
    assert before.shape == shown.shape == after.shape
    assert before.shape[0] == HEIGHT
    marked = np.abs(shown - before).max(2) > 30
    changed = np.abs(after - before).max(2) > 40
    assert marked.mean() > 0.01
    assert (changed & marked).sum() > 0.8 * changed.sum()
    half = (before[marked] + TINT) / 2
    assert np.abs(shown[marked] - half).mean() < 10  # JPEG; the other half is the photo's


def test_where_it_cannot_be_written_the_photos_are_done_and_failures_told(
    tmp_path, monkeypatch, model, capsys
):
    (tmp_path / "a.png").write_bytes(encode(photos.scene(*photos.TWO)[0], "PNG"))
    (tmp_path / "bad.png").write_bytes(b"no image")
    page = tmp_path / "page.html"

    def full(*_):
        raise ImageError(f"{page}: cannot be written: No space left on device")

    monkeypatch.setattr("unveil.cli.page.write_bytes", full)
    inputs = (tmp_path / "a.png", tmp_path / "bad.png")
    assert restore(monkeypatch, model, *inputs, "-o", tmp_path / "out", "--page", page) == 1
    assert (tmp_path / "out" / "a.restored.png").exists()
    told = capsys.readouterr().err
    assert "bad.png: not an image" in told
    assert "page.html: cannot be written" in told


def test_another_suffix_is_refused_before_any_work(tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.html"):
        Page(tmp_path / "page.txt")


def test_photos_of_one_name_in_several_folders_are_told_apart(tmp_path, monkeypatch, model):
    for place in ("2020", "2021"):
        (tmp_path / "in" / place).mkdir(parents=True)
        (tmp_path / "in" / place / "a.png").write_bytes(encode(photos.scene(*photos.TWO)[0], "PNG"))
        (tmp_path / "in" / place / "bad.png").write_bytes(b"no image")
    page = tmp_path / "page.html"
    out = tmp_path / "out"
    assert restore(monkeypatch, model, tmp_path / "in", "-o", out, "--page", page) == 1
    text = page.read_text()
    for name in ("2020/a.png", "2021/a.png", "2020/bad.png", "2021/bad.png"):
        assert f"<figcaption>{name} <small>" in text
    assert "2 restored, 0 with nothing hidden, 2 failed" in text
