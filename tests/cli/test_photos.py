"""`unveil restore` and `unveil segment` on whole photographs."""

import io
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import photos
import pytest
from PIL import Image

from unveil.cli import main
from unveil.cli.inputs import Failure, for_each, share_cores
from unveil.errors import ImageError, UsageError
from unveil.files import encode, read_image


@pytest.fixture
def run(monkeypatch, capsysbinary, model):
    """Run a verb as the shell would: exit status, standard output, standard error."""

    def call(verb: str, *arguments: object, stdin: bytes = b"") -> tuple[int, bytes, str]:
        line = ["unveil", verb, "--model", model, *(str(a) for a in arguments)]
        monkeypatch.setattr(sys, "argv", line)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        out, err = capsysbinary.readouterr()
        assert "Traceback" not in err.decode()
        return status, out, err.decode()

    return call


def scene(hide: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Two faces, the right one larger."""
    return photos.scene(*photos.TWO, hide=hide)


@pytest.fixture
def photo(tmp_path) -> Path:
    (tmp_path / "photo.png").write_bytes(encode(scene()[0], "PNG"))
    return tmp_path / "photo.png"


def test_restored_and_described(run, photo, tmp_path):
    before, hidden = scene()
    status, out, _ = run("restore", photo, "--json", "--invented", tmp_path / "i.png")
    assert status == 0
    after = read_image(tmp_path / "photo.restored.png").photo
    invented = read_image(tmp_path / "i.png").photo[..., 0] == 255
    assert np.array_equal(after[~invented], before[~invented])
    assert (invented & hidden).sum() > 0.98 * hidden.sum()
    line = json.loads(out)
    assert line["invented"] == pytest.approx(invented.mean(), abs=1e-5)
    assert [f["box"][0] < 400 for f in line["faces"]] == [True, False]
    assert all(f["coverage"] > 0.01 and len(f["points"]) == 5 for f in line["faces"])


def test_the_file_says_that_it_is_invented_unless_that_is_dropped_by_name(run, photo, tmp_path):
    run("restore", photo, "-o", tmp_path / "a.png")
    image = Image.open(tmp_path / "a.png")
    image.load()
    assert "Not for identification" in image.text["Disclaimer"]
    assert "compositeWithTrainedAlgorithmicMedia" in image.text["XML:com.adobe.xmp"]
    run("restore", photo, "-o", tmp_path / "b.png", "--drop-ai-disclosure")
    assert b"unveil" not in (tmp_path / "b.png").read_bytes()


def test_nothing_hidden_gives_the_same_file(run, tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(scene(hide=False)[0]).save(buffer, "JPEG", quality=70)
    (tmp_path / "p.jpg").write_bytes(buffer.getvalue())
    status, _, err = run("restore", tmp_path / "p.jpg", "-o", tmp_path / "q.jpg")
    assert status == 0
    assert "nothing is hidden (2 faces), left as it is" in err
    assert (tmp_path / "q.jpg").read_bytes() == buffer.getvalue()
    assert run("restore", tmp_path / "p.jpg")[0] == 0  # to PNG: the same pixels
    after = read_image(tmp_path / "p.restored.png").photo
    assert np.array_equal(after, read_image(tmp_path / "p.jpg").photo)


def test_turned_by_exif_comes_out_upright_once(run, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(scene()[0])))
    turned.save(tmp_path / "p.jpg", quality=95, subsampling=0, exif=exif)
    assert run("restore", tmp_path / "p.jpg", "-o", tmp_path / "q.jpg")[0] == 0
    image = Image.open(tmp_path / "q.jpg")
    assert image.size == (900, 420)
    assert image.getexif().get(0x0112, 1) == 1


def test_a_mask_of_the_photo(run, photo, tmp_path):
    before, hidden = scene()
    mask = hidden.copy()
    mask[:10, :10] = True
    (tmp_path / "m.png").write_bytes(encode(mask.astype(np.uint8) * 255, "PNG"))
    status, _, err = run("restore", photo, "--mask", tmp_path / "m.png", "-o", tmp_path / "o.png")
    assert status == 0
    assert "100 pixels of the mask lie in none of the faces" in err
    after = read_image(tmp_path / "o.png").photo
    assert np.array_equal(after[~hidden], before[~hidden])
    assert (after[hidden].max(-1) > 20).mean() > 0.9


@pytest.mark.parametrize(
    ("faces", "left", "right"), [("all", 1, 1), ("largest", 0, 1), ("1", 0, 1)]
)
def test_faces(run, photo, tmp_path, faces, left, right):
    assert run("segment", photo, "--faces", faces)[0] == 0
    mask = read_image(tmp_path / "photo.mask.png").photo[..., 0]
    assert [mask[:, :400].any(), mask[:, 400:].any()] == [left, right]


def test_segment_writes_the_mask_that_restore_uses(run, photo, tmp_path):
    run("segment", photo)
    run("restore", photo, "--invented", tmp_path / "i.png")
    assert (tmp_path / "i.png").read_bytes() == (tmp_path / "photo.mask.png").read_bytes()


def folder(tmp_path: Path, count: int = 3) -> Path:
    source = tmp_path / "in"
    source.mkdir()
    for i in range(count):
        (source / f"p{i}.png").write_bytes(encode(scene()[0], "PNG"))
    (source / "p1b-nobody.png").write_bytes(encode(np.full((90, 90, 3), 90, np.uint8), "PNG"))
    (tmp_path / "out").mkdir()
    return source


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_folder_in_order_and_what_fails_last(run, tmp_path, jobs):
    source, target = folder(tmp_path), tmp_path / "new" / "out"
    status, out, err = run("restore", source, "-o", target, "--json", "--jobs", jobs)
    assert status == 1
    lines = [json.loads(line) for line in out.splitlines()]
    names = [Path(line["input"]).name for line in lines]
    assert names == ["p0.png", "p1.png", "p1b-nobody.png", "p2.png"]
    assert lines[2].keys() == {"input", "error"}
    assert "no face found" in lines[2]["error"]
    assert sorted(p.name for p in target.iterdir()) == [f"p{i}.restored.png" for i in range(3)]
    assert "p1b-nobody.png: no face found" in err.splitlines()[-2]
    assert err.splitlines()[-1] == "unveil: 1 of 4 failed"


def test_a_folder_goes_on_where_it_was_stopped(run, tmp_path):
    source = folder(tmp_path, 2)
    (source / "p1b-nobody.png").unlink()
    (tmp_path / "out" / "p0.restored.png").write_bytes(b"done before")
    status, out, err = run(
        "restore", source, "-o", tmp_path / "out", "--skip-existing", "--json"
    )  # fmt: skip
    assert status == 0
    assert len(out.splitlines()) == 1
    assert "1 of 2 are done" in err
    assert (tmp_path / "out" / "p0.restored.png").read_bytes() == b"done before"
    assert run("segment", source, "--skip-existing")[0] == 0
    assert sorted(p.name for p in source.iterdir()) == [
        "p0.mask.png", "p0.png", "p1.mask.png", "p1.png",
    ]  # fmt: skip


def test_a_folder_of_masks_by_name(run, tmp_path):
    source, masks = folder(tmp_path, 2), tmp_path / "masks"
    (source / "p1b-nobody.png").unlink()
    masks.mkdir()
    (masks / "p0.mask.png").write_bytes(encode(scene()[1].astype(np.uint8) * 255, "PNG"))
    (masks / "p10.png").write_bytes(b"another's")
    invented = tmp_path / "invented"
    invented.mkdir()
    status, _, err = run(
        "restore", source, "--mask", masks, "-o", tmp_path / "out", "--invented", invented
    )
    assert status == 1
    assert "p1.png: --mask" in err
    assert "one image named p1.mask or p1 is needed, there is nothing" in err
    mask = read_image(invented / "p0.invented.png").photo[..., 0] == 255
    assert np.array_equal(mask, scene()[1])


def test_masks_may_lie_beside_their_photos(run, photo, tmp_path):
    """Found by `segment`, or drawn by hand; a photo is never its own mask."""
    status, _, err = run("restore", tmp_path, "--mask", tmp_path, "-o", tmp_path / "out")
    assert status == 1
    assert "one image named photo.mask or photo is needed, there is nothing" in err
    assert run("segment", photo)[0] == 0
    for call in ([tmp_path], [photo], [f"{tmp_path}/*.png"]):
        invented = tmp_path / "photo.invented.png"
        status, _, err = run(
            "restore", *call, "--mask", tmp_path, "-o", tmp_path / "out", "--invented", invented
        )
        assert status == 0, err
        found = read_image(tmp_path / "photo.mask.png").photo
        assert np.array_equal(read_image(invented).photo, found)


def test_pipe(run, photo):
    status, out, _ = run("restore", "-", stdin=photo.read_bytes())
    assert status == 0
    assert (read_image(io.BytesIO(out)).photo != scene()[0]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--faces", "0"], "--faces 0: say all, largest, or a number"),
        (["--faces", "both"], "--faces both"),
        (["--jobs", "0"], "--jobs must be 1 or more"),
        (["--min-face", "3"], "'--min-face': Input should be greater than or equal to 8"),
    ],
)
def test_wrong_calls(run, photo, arguments, message):
    status, _, err = run("restore", photo, *arguments)
    assert status == 2
    assert message in err


@pytest.mark.parametrize("jobs", [1, 4])
def test_for_each_goes_on_and_keeps_the_order(capsys, jobs):
    import time

    def do(path):
        time.sleep(0.02 if path.name == "0" else 0)
        if int(path.name) % 3 == 2:
            raise ImageError("broken")
        return path.name

    failures = for_each([Path(str(i)) for i in range(12)], do, jobs)
    assert failures == [Failure(Path(str(i)), "broken") for i in (2, 5, 8, 11)]
    assert capsys.readouterr().out.split() == ["0", "1", "3", "4", "6", "7", "9", "10"]


def no_memory():
    raise MemoryError


def no_memory_in_opencv():
    cv2.resize(np.zeros((9, 9), np.uint8), (10**6, 10**6))


@pytest.mark.parametrize("fail", [no_memory, no_memory_in_opencv])
def test_for_each_goes_on_after_a_photo_too_large_for_the_memory(fail):
    def do(path):
        if path.name == "0":
            fail()

    (failure,) = for_each([Path("0"), Path("1")], do)
    assert failure == Failure(Path("0"), "too large for the memory of this machine")


def test_for_each_hides_no_error_of_ours():
    with pytest.raises(cv2.error):
        for_each([Path("0")], lambda path: cv2.cvtColor(np.zeros((0, 0), np.uint8), 4))


def test_for_each_stops_at_a_wrong_call():
    def do(path):
        raise UsageError("no")

    with pytest.raises(UsageError):
        for_each([Path("a"), Path("b")], do, 2)


def test_cores_are_shared():
    assert share_cores(1, 50)[0] == 1
    assert share_cores(3, 2)[0] == 2
    jobs, threads = share_cores(None, 100)
    assert 1 <= jobs <= 4
    assert threads >= 1


def test_results_keep_the_folders_that_their_photos_lie_in(run, tmp_path):
    photos_of, masks, out = tmp_path / "in", tmp_path / "masks", tmp_path / "out"
    photo, hidden = scene()
    places = [Path("a.png"), Path("2020/a.png"), Path("2020/may.1/a.png")]
    for i, place in enumerate(places):
        (photos_of / place).parent.mkdir(parents=True, exist_ok=True)
        (photos_of / place).write_bytes(encode(np.roll(photo, i, axis=0), "PNG"))
        (masks / place).parent.mkdir(parents=True, exist_ok=True)
        shown = np.roll(hidden, i, axis=0).astype(np.uint8) * 255
        (masks / place).write_bytes(encode(shown, "PNG"))
    (photos_of / "2021").mkdir()
    (photos_of / "2021" / "text.txt").write_text("no photo")
    result = run("restore", photos_of, "-o", out, "--mask", masks, "--invented", tmp_path / "known")
    assert result[0] == 0, result[2]
    for i, place in enumerate(places):
        made = out / place.with_suffix(".restored.png")
        invented = read_image(tmp_path / "known" / place.with_suffix(".invented.png")).photo
        assert np.array_equal(invented[..., 0] > 0, np.roll(hidden, i, axis=0)), place
        known = invented[..., 0] == 0
        assert np.array_equal(read_image(made).photo[known], np.roll(photo, i, axis=0)[known])
    assert len([*out.rglob("*.*g")]) == len(places)
    assert run("segment", photos_of, "-o", out)[0] == 0
    assert (out / "2020" / "may.1" / "a.mask.png").is_file()
    skipped = run("restore", photos_of, "-o", out, "--skip-existing")
    assert skipped[0] == 0
    assert "3 of 3 are done" in skipped[2]
