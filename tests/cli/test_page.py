"""The page of before and after."""

import base64
import io
import os
import re
import sys
import tracemalloc

import numpy as np
import photos
import pytest
from PIL import Image

from unveil.cli import main
from unveil.cli.page import HEIGHT, WIDTH, Page, _small
from unveil.errors import UsageError
from unveil.files import encode
from unveil.output import TINT
from unveil.types import Face, Restoration


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


@pytest.mark.parametrize("where", ["atomic_path", "tempfile.TemporaryFile"])
def test_where_it_cannot_be_written_the_photos_are_done_and_failures_told(
    tmp_path, monkeypatch, model, capsys, where
):
    (tmp_path / "a.png").write_bytes(encode(photos.scene(*photos.TWO)[0], "PNG"))
    (tmp_path / "bad.png").write_bytes(b"no image")
    page = tmp_path / "page.html"

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"unveil.cli.page.{where}", full)
    inputs = (tmp_path / "a.png", tmp_path / "bad.png")
    assert restore(monkeypatch, model, *inputs, "-o", tmp_path / "out", "--page", page) == 1
    assert (tmp_path / "out" / "a.restored.png").exists()
    told = capsys.readouterr().err
    assert "bad.png: not an image" in told
    assert "page.html: cannot be written: No space left on device" in told
    assert not page.exists()


def result_of(photo: np.ndarray, confidence: float) -> Restoration:
    invented = np.zeros(photo.shape[:2], bool)
    invented[:9] = True
    some = np.ones(invented.shape, np.float32)
    face = Face((40, 40, 280, 280), np.zeros((5, 2), np.float32), 1.0, some, 0.1, confidence)
    return Restoration(photo, invented, some, (face,), "stand-in:0")


def test_a_row_more_takes_no_more_memory(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    page = Page(tmp_path / "page.html")
    page.add("-1.png", photo, result_of(photo, 0.5))
    tracemalloc.start()
    for i in range(40):
        page.add(f"{i}.png", photo, result_of(photo, 0.02 * i))
    assert tracemalloc.get_traced_memory()[0] < 100_000
    tracemalloc.reset_peak()
    page.write([("bad.png", "damaged")])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    text = page.path.read_text()
    assert len(text) > 8_000_000
    assert peak < 2_000_000
    order = re.findall("<figcaption>([^.]+).png", text)
    assert order == [*map(str, [*range(25), -1, *range(25, 40)]), "bad"]  # the least sure first


def test_a_name_that_is_no_text_stands_on_the_page(tmp_path, monkeypatch, model):
    name = os.fsdecode(b"\xe9 & co.png")
    try:
        (tmp_path / name).write_bytes(encode(photos.scene(*photos.TWO)[0], "PNG"))
    except OSError:
        pytest.skip("this file system takes no such names")
    page = tmp_path / "page.html"
    assert restore(monkeypatch, model, tmp_path, "-o", tmp_path / "out", "--page", page) == 0
    assert "<figcaption>? &amp; co.png <small>" in page.read_text()


def test_where_all_is_done_it_stays_as_it_is(tmp_path, monkeypatch, model, capsys):
    (tmp_path / "a.png").write_bytes(encode(photos.scene(*photos.TWO)[0], "PNG"))
    page = tmp_path / "page.html"
    call = (tmp_path / "a.png", "-o", tmp_path / "out", "--page", page, "--skip-existing")
    assert restore(monkeypatch, model, *call) == 0
    written = page.read_bytes()
    assert b"1 restored" in written
    capsys.readouterr()
    assert restore(monkeypatch, model, *call) == 0
    assert page.read_bytes() == written
    assert "page.html: left as it is: all is done" in capsys.readouterr().err


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


def test_a_picture_far_wider_than_high_is_made_small_enough(tmp_path):
    wide = _small(np.zeros((120, 30000, 3), np.uint8))
    assert wide.shape == (8, WIDTH, 3)
    assert _small(np.zeros((4000, 40, 3), np.uint8)).shape == (HEIGHT, 3, 3)
