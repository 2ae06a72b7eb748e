import io
import json
import os
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from drawn import draw_face
from PIL import Image
from stand_in import COLOUR

from unveil.cli import main
from unveil.files import encode, read_image
from unveil.restorer import Restorer


@pytest.fixture
def run(monkeypatch, capsysbinary, model):
    """Run a verb as the shell would: exit status, standard output, standard error."""

    def call(*arguments: object, stdin: bytes = b"") -> tuple[int, bytes, str]:
        arguments = [str(a) for a in arguments]
        monkeypatch.setattr(sys, "argv", ["unveil", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        out, err = capsysbinary.readouterr()
        text = err.decode()
        assert "Traceback" not in text
        return status, out, text

    def restore(*arguments: object, stdin: bytes = b"") -> tuple[int, bytes, str]:
        return call("restore", "--aligned", "--model", model, *arguments, stdin=stdin)

    restore.verb = call
    return restore


@pytest.fixture
def face() -> np.ndarray:
    return np.clip(draw_face(3), 4, 255)


@pytest.fixture
def occluded(face, tmp_path) -> Path:
    face[100:160, 60:140] = 0
    (tmp_path / "face.png").write_bytes(encode(face, "PNG"))
    return tmp_path / "face.png"


def mask_file(folder: Path, size: int = 256, value: int = 255, name: str = "mask.png") -> Path:
    mask = np.zeros((size, size), np.uint8)
    mask[100:160, 60:140] = value
    (folder / name).write_bytes(encode(mask, "PNG"))
    return folder / name


def test_blind(run, occluded, face):
    assert run(occluded)[0] == 0
    out = read_image(occluded.with_name("face.restored.png")).photo
    changed = (out != face).any(-1)
    assert changed[100:160, 60:140].all()
    assert out[110:150, 70:130].max(-1).min() > 20
    assert not changed[:90].any()


def test_mask_invented_and_json(run, occluded, face, tmp_path):
    status, out, _ = run(
        occluded, "-o", tmp_path / "o.png", "--mask", mask_file(tmp_path), "--invented",
        tmp_path / "i.png", "--json",
    )  # fmt: skip
    assert status == 0
    restored, invented = read_image(tmp_path / "o.png").photo, read_image(tmp_path / "i.png").photo
    hidden = invented[..., 0] == 255
    assert hidden.sum() == 60 * 80
    assert np.array_equal(restored[~hidden], face[~hidden])
    line = json.loads(out)
    assert line["model"].startswith("stand-in:")
    assert line["faces"][0]["coverage"] == pytest.approx(4800 / 65536, abs=1e-6)
    assert line["invented"] == pytest.approx(4800 / 65536, abs=1e-9)


def test_samples_are_numbered_files_that_differ_and_json_names_them(run, occluded, tmp_path):
    mask = mask_file(tmp_path)
    status, out, _ = run.verb(
        "restore", "--aligned", occluded, "--mask", mask, "--samples", "2", "--json",
        "-o", tmp_path / "o.png",
    )  # fmt: skip
    assert status == 0
    names = json.loads(out)["output"]
    assert names == [str(tmp_path / "o-1.png"), str(tmp_path / "o-2.png")]
    first, second = (read_image(Path(name)).photo.astype(int) for name in names)
    assert np.abs(first - second)[100:160, 60:140].mean() > 2
    assert np.array_equal(first[:100], second[:100])
    assert 0 < json.loads(out)["faces"][0]["confidence"] < 1


def test_a_sample_is_drawn_when_the_one_before_is_written(run, occluded, tmp_path, monkeypatch):
    draw, there = Restorer.draw, []

    def drawing(self, *arguments):
        for sample in draw(self, *arguments):
            there.append(sorted(path.name for path in (tmp_path / "o").iterdir()))
            yield sample

    monkeypatch.setattr(Restorer, "draw", drawing)
    call = ["restore", "--aligned", occluded, "--samples", "3", "-o", f"{tmp_path}/o/"]
    assert run.verb(*call)[0] == 0
    names = [f"face.restored-{i}.png" for i in (1, 2)]
    assert there == [[], names[:1], names]


def test_samples_go_on_where_one_is_missing(run, occluded, tmp_path):
    call = ["restore", "--aligned", occluded, "--samples", "2", "--skip-existing", "--json"]
    (tmp_path / "face.restored.png").write_bytes(b"of a call without --samples")
    status, out, _ = run.verb(*call)
    assert (status, len(out.splitlines())) == (0, 1)
    status, out, err = run.verb(*call)
    assert (status, out) == (0, b"")
    assert "1 of 1 are done" in err
    second = tmp_path / "face.restored-2.png"
    before = second.read_bytes()
    second.unlink()
    assert run.verb(*call)[0] == 0
    assert second.read_bytes() == before


def test_pipe(run, occluded, face):
    status, out, _ = run("-", stdin=occluded.read_bytes())
    assert status == 0
    assert read_image(io.BytesIO(out)).photo[110:150, 70:130].max(-1).min() > 20


def test_folder_with_a_bad_file_among_good_ones(run, face, tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    face[:20] = 0
    for name in ("a", "c"):
        (source / f"{name}.png").write_bytes(encode(face, "PNG"))
    (source / "b.png").write_bytes(b"no image")
    (source / "notes.txt").write_text("not taken from a folder")
    status, _, err = run(source, "-o", target)
    assert status == 1
    assert sorted(p.name for p in target.iterdir()) == ["a.restored.png", "c.restored.png"]
    assert err.splitlines()[-2:] == [
        f"unveil: {source / 'b.png'}: not an image, or of a format that cannot be read: "
        "save it as JPEG or PNG",
        "unveil: 1 of 3 failed",
    ]


def test_what_a_format_cannot_hold_fails_and_the_others_are_done(run, face, tmp_path, monkeypatch):
    monkeypatch.setattr("unveil.files.LONGEST", {"WEBP": 200})
    face[:20] = 0
    for name in ("a.webp", "b.png"):
        (tmp_path / name).write_bytes(saved(Image.fromarray(face), Path(name).suffix[1:]))
    status, _, err = run(tmp_path, "--format", "same", "-o", tmp_path / "out")
    assert status == 1
    assert "a.webp: cannot be written as WEBP: 256 pixels wide or high, where 200 are the" in err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["b.restored.png"]


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is large and holds nothing."""
    chunk = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    body = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + body + b"\x00\x00\x00\x00IDAT" + zlib.crc32(b"IDAT").to_bytes(4)


def gif() -> bytes:
    frames = [Image.fromarray(draw_face(i)) for i in range(2)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an image"),
        (b"hello, this is text", "not an image"),
        (encode(draw_face(0), "PNG")[:3000], "damaged"),
        (encode(draw_face(0), "JPEG")[:3000], "damaged"),
        (png_header(20_000, 20_000), "too large"),
        (gif(), "animated"),
        (encode(draw_face(0)[:, :100], "PNG"), "an aligned face is square, this image is 100x256"),
    ],
    ids=["empty", "text", "cut png", "cut jpeg", "huge", "animated", "not square"],
)
def test_bad_images(run, tmp_path, data, message):
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    status, _, err = run(path)
    assert status == 1
    assert message in err
    assert err.startswith(f"unveil: {path}: ")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.png"]


def saved(photo: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["grey", "16 bit", "cmyk", "palette", "alpha", "1x1", "rotated"])
def test_unusual_images_are_restored(run, tmp_path, face, form):
    face[100:160, 60:140] = 0
    image = Image.fromarray(face)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the file's rows are the picture's columns
    data = {
        "grey": lambda: saved(image.convert("L"), "PNG"),
        "16 bit": lambda: saved(
            Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG"
        ),
        "cmyk": lambda: saved(image.convert("CMYK"), "JPEG", quality=95),
        "palette": lambda: saved(image.quantize(64), "PNG", transparency=3),
        "alpha": lambda: saved(image.convert("RGBA"), "PNG"),
        "1x1": lambda: saved(image.crop((100, 120, 101, 121)), "PNG"),
        "rotated": lambda: saved(image.rotate(90), "PNG", exif=exif),
    }[form]()
    path = tmp_path / "in.png"
    path.write_bytes(data)
    assert run(path, "-o", tmp_path / "out.png")[0] == 0
    out = read_image(tmp_path / "out.png").photo
    if form == "1x1":
        assert out.shape == (1, 1, 3)
        return
    middle = out[110:150, 70:130].reshape(-1, 3)
    assert middle.max(-1).min() > 20
    expected = np.asarray(
        Image.fromarray(face).convert("L" if form in ("grey", "16 bit") else "RGB")
    )
    outside = out[:90] if expected.ndim == 3 else out[:90, :, 0]
    assert np.abs(outside.astype(int) - expected[:90]).mean() < 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: mask_file(d, 128 + 64), "the mask is 192x192, the photo 256x256"),
        (lambda d: d / "none.png", "no such file"),
        (lambda d: (d / "bad.png").write_bytes(b"x") and d / "bad.png", "--mask"),
        (lambda d: d / "face.png", "face.png: a picture, not a mask: white is what is hidden"),
    ],
)
def test_bad_masks(run, occluded, tmp_path, make, message):
    status, _, err = run(occluded, "--mask", make(tmp_path))
    assert status == 1
    assert message in err
    assert not (tmp_path / "face.restored.png").exists()


def test_empty_mask_changes_nothing_and_says_so(run, occluded, face, tmp_path):
    status, _, err = run(occluded, "--mask", mask_file(tmp_path, value=0))
    assert status == 0
    assert "face.png: the mask hides nothing: white is what is hidden; left as it is\n" in err
    assert np.array_equal(read_image(tmp_path / "face.restored.png").photo, face)


def test_mask_of_everything(run, occluded, tmp_path):
    everything = tmp_path / "all.png"
    everything.write_bytes(encode(np.full((256, 256), 255, np.uint8), "PNG"))
    status, _, err = run(occluded, "--mask", everything)
    assert status == 0
    assert "face 1 is 100% hidden: most of it is invented, with low confidence (0." in err
    assert (read_image(tmp_path / "face.restored.png").photo == COLOUR).all()


def test_a_photo_without_a_face_fails_with_a_clear_error_and_writes_nothing(run, model, tmp_path):
    (tmp_path / "grey.png").write_bytes(encode(np.full((200, 300, 3), 120, np.uint8), "PNG"))
    status, _, err = run.verb("restore", tmp_path / "grey.png", "--model", model)
    assert status == 1
    assert "no face found" in err
    assert [p.name for p in tmp_path.iterdir()] == ["grey.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["face.png", "-o", "face.png"], "is the input itself"),
        (["face.png", "-o", "link.png"], "is the input itself"),
        (["face.png", "other.png", "-o", "one.png"], "need a folder"),
        (["face.png", "-o", "o.png", "--invented", "o.png"], "--invented o.png is a file of -o"),
        (["face.png", "--invented", "./face.png"], "--invented face.png is the input itself"),
        (["face.png", "--invented", "face.restored.png"], "is a file of the result too"),
        (["face.png", "--mask", "other.png", "-o", "other.png"], "-o other.png is the mask"),
        (["face.png", "--mask", "other.png", "--invented", "other.png"], "is the mask"),
        (["face.png", "--mask", "masks", "-o", "masks/face.png"], "face.png is the mask"),
        (["face.png", "--mask", "masks", "--invented", "masks/face.png"], "png is the mask"),
        (["face.png", "old.png", "old.restored.png"], "result old.restored.png is an input too"),
        (["face.png", "other.png", "--invented", "i.png"], "need a folder"),
        (["-", "--json"], "both go to standard output"),
        (["face.png", "--invented", "-", "--json"], "both go to standard output"),
        (["-", "--invented", "-"], "-o and --invented would both go to standard output"),
        (["face.png", "-o", "-", "--invented", "-"], "would both go to standard output"),
        (["face.png", "-o", "none/o.png"], "-o none/o.png: there is no folder none"),
        (["face.png", "--invented", "none/i.png"], "--invented none/i.png: there is no folder"),
        (["face.png", "--page", "none/p.html"], "--page none/p.html: there is no folder none"),
        (["face.png", "-o", "o/", "--page", "p/p.html"], "--page p/p.html: there is no folder p"),
        (["face.png", "--page", "p.txt"], "must end in .html"),
        (["face.png", "--format", "same", "-o", "o.jpg"], "-o o.jpg has a suffix of its own"),
        (["face.png", "--seed", "1"], "--seed is for --samples"),
        (["face.png", "--faces", "1"], "--faces is not for --aligned"),
        (["face.png", "--min-face", "20"], "--min-face is not for --aligned"),
        (["*.tiff"], "no images"),
        ([""], "IN is empty"),
        (["face.png", "-o", ""], "-o is empty"),
        (["face.png", "--invented", ""], "--invented is empty"),
        (["empty"], "no images"),
        (["face.png", "--nonsense"], "No such option"),
        (["face.png", "--samples", "2"], "gives one result only"),
        (["face.png", "--detail", "0.5"], "has no prior to add detail to"),
        (["-", "--samples", "2"], "several files"),
        (["face.png", "--samples", "1001"], "less than or equal to 1000"),
        (["face.png", "--detail", "2"], "less than or equal to 1"),
        (["face.png", "--engine", "steam"], "--engine steam: choose from local, ray"),
        (["face.png", "--gpus", "1"], "need --engine ray"),
        (["face.png", "--engine", "ray"], "takes one IN and -o OUT"),
    ],
)
def test_wrong_calls_exit_with_2(run, occluded, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.png").write_bytes(occluded.read_bytes())
    (tmp_path / "link.png").symlink_to(occluded)
    (tmp_path / "old.restored.png").write_bytes(occluded.read_bytes())
    (tmp_path / "empty").mkdir()
    for folder in ("deep", "masks"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "face.png").write_bytes(occluded.read_bytes())
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.png")}
    status, _, err = run(*arguments)
    assert status == 2
    assert message in err
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.png")} == before


def test_unknown_output_format(run, occluded, tmp_path):
    status, _, err = run(occluded, "-o", tmp_path / "out.xyz")
    assert status == 2
    assert "write to .png" in err


@pytest.mark.parametrize("verb", ["restore", "segment"])
@pytest.mark.parametrize("name", ["out", "out/", "year.2020/"])
@pytest.mark.parametrize("several", [False, True])
def test_a_folder_is_made_for_one_input_and_for_several(
    run, model, occluded, tmp_path, verb, name, several
):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    places = ["deep/a", "b"] if several else ["deep/a"]
    for place in places:
        (source / f"{place}.png").write_bytes(occluded.read_bytes())
    call = [verb, "--aligned", "--model", model, source, "-o", f"{tmp_path}/{name}"]
    assert run.verb(*call)[0] == 0
    kind = "restored" if verb == "restore" else "mask"
    found = {str(p.relative_to(tmp_path / name)) for p in (tmp_path / name).rglob("*.png")}
    assert found == {f"{place}.{kind}.png" for place in places}


def test_a_wrong_call_makes_no_folder(run, occluded, tmp_path):
    for arguments in (["--samples", "2"], ["--detail", "0.5"]):
        assert run(occluded, "-o", f"{tmp_path}/out/", *arguments)[0] == 2
    assert not (tmp_path / "out").exists()


def test_unwritable_output(run, occluded, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    status, _, err = run(occluded, "-o", f"{tmp_path}/file/deep/")
    assert status == 2
    assert "cannot be made" in err
    (tmp_path / "out" / "face.restored.png").mkdir(parents=True)
    status, _, err = run(occluded, "-o", tmp_path / "out")
    assert status == 1
    assert "cannot be written: Is a directory" in err


def test_missing_input_and_missing_model(run, occluded, tmp_path):
    status, _, err = run(tmp_path / "nobody.png", occluded)
    assert status == 1
    assert "nobody.png: no such file" in err
    assert (tmp_path / "face.restored.png").exists()
    status, _, err = run.verb("restore", "--aligned", "--model", "nobody", occluded)
    assert status == 2
    assert "no model 'nobody'" in err


def test_a_folder_of_modern_photos(run, face, occluded, tmp_path):
    source = tmp_path / "phone"
    source.mkdir()
    Image.fromarray(read_image(occluded).photo).save(source / "a.jp2", irreversible=False)
    (source / "b.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (source / "notes.txt").write_bytes(b"no photo")
    status, _, err = run(source)
    assert status == 1
    assert f"{source / 'b.HEIC'}: not an image, or of a format" in err
    assert "1 of 2 failed" in err
    assert (source / "a.restored.png").exists()


def test_a_photo_and_its_twin_that_is_not_read(run, occluded, tmp_path):
    """As a phone leaves them: what can be read is done."""
    source = tmp_path / "phone"
    source.mkdir()
    (source / "IMG_1.HEIC").write_bytes(occluded.read_bytes())  # whatever is in it
    (source / "IMG_1.PNG").write_bytes(occluded.read_bytes())
    (source / "IMG_2.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    status, _, err = run(source, "-o", tmp_path / "out")
    assert status == 1
    assert f"{source / 'IMG_1.HEIC'}: not an image, or of a format" in err
    assert "2 of 3 failed" in err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["IMG_1.restored.png"]


@pytest.mark.parametrize("verb", ["restore", "segment"])
def test_photos_of_one_name_fail_and_the_others_are_done(run, model, occluded, tmp_path, verb):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    data = occluded.read_bytes()
    for name in ("a.png", "a.bmp", "b.png", "deep/b.png"):
        (source / name).write_bytes(data)
    call = [verb, "--aligned", "--model", model, "-o", f"{tmp_path}/out/"]
    status, _, err = run.verb(*call, source)
    assert status == 1
    kind = "restored" if verb == "restore" else "mask"
    target = tmp_path / "out" / f"a.{kind}.png"
    for one, other in (("a.png", "a.bmp"), ("a.bmp", "a.png")):
        assert f"{source / one}: {source / other} would become {target}, too: rename one" in err
    found = sorted(p.relative_to(tmp_path / "out").as_posix() for p in target.parent.rglob("*.png"))
    assert found == [f"b.{kind}.png", f"deep/b.{kind}.png"]
    # Named one by one, they keep no folder, and go into one place.
    target.write_bytes(b"of another call")
    inputs = [source / "b.png", source / "deep" / "b.png", source / "a.png"]
    status, _, err = run.verb(*call, *inputs)
    assert status == 1
    assert "2 of 3 failed" in err
    assert target.read_bytes() != b"of another call"
    status, _, err = run.verb(*call, source, "--skip-existing")
    assert "2 of 4 are done" in err
    assert "2 of 2 failed" in err


def test_own_results_are_not_restored_again(run, occluded, tmp_path):
    assert run(tmp_path)[0] == 0
    assert run(tmp_path)[0] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["face.png", "face.restored.png"]


def test_only_the_end_of_a_name_makes_a_result_of_ours(run, occluded, tmp_path):
    """Photos of masks, and of restored chairs, are photos."""
    source, data = tmp_path / "in", occluded.read_bytes()
    source.mkdir()
    photos = ["a.mask.2.png", "b.restored.old.jpe", "c.restored-x.jfif", "d.invented.ppm", "e.mpo"]
    for name in photos:
        (source / name).write_bytes(data)
    for name in ("a.restored.png", "a.restored-12.png", "a.mask.png", "a.invented.png"):
        (source / name).write_bytes(data)
    assert run(source, "-o", tmp_path / "out")[0] == 0
    done = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert done == [f"{Path(name).stem}.restored.png" for name in photos]
    for name in photos:
        (source / name).unlink()
    for call in (source, f"{source}/*"):
        status, _, err = run(call)
        assert status == 2
        assert f"{call}: no images but 4 results of unveil: name a file" in err
    assert run(source / "a.mask.png", "-o", tmp_path / "x.png")[0] == 0


def test_segment_writes_the_mask_that_restore_uses(run, occluded, model, tmp_path):
    assert run.verb("segment", "--aligned", "--model", model, occluded)[0] == 0
    assert run(occluded, "--invented", tmp_path / "i.png")[0] == 0
    mask = read_image(tmp_path / "face.mask.png").photo
    assert np.array_equal(mask, read_image(tmp_path / "i.png").photo)
    assert mask[110:150, 70:130].all()


def test_the_format_of_each_input(run, occluded, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    image = Image.open(occluded)
    for name in ("a.JPG", "a.png", "b.jfif", "c.tif", "d.gif", "e.webp"):
        image.save(source / name)
    status, out, err = run(source, "-o", tmp_path / "out", "--format", "same", "--json")
    assert (status, err) == (0, "")
    kinds = {"a.restored.JPG": "JPEG", "a.restored.png": "PNG", "b.restored.jfif": "JPEG"}
    kinds |= {"c.restored.tif": "TIFF", "d.restored.png": "PNG", "e.restored.webp": "WEBP"}
    found = {path.name: Image.open(path).format for path in (tmp_path / "out").iterdir()}
    assert found == kinds
    assert sorted(Path(json.loads(line)["output"]).name for line in out.splitlines()) == sorted(
        kinds
    )
    # What was written so is no input of the next call.
    for path in (tmp_path / "out").iterdir():
        path.rename(source / path.name)
    assert run(source, "--format", "same", "--skip-existing")[2] == "unveil: 6 of 6 are done\n"
    for form, kind in (("same", "JPEG"), ("png", "PNG")):
        data = run("-", "--format", form, stdin=(source / "a.JPG").read_bytes())[1]
        assert Image.open(io.BytesIO(data)).format == kind
    # Their masks would overwrite one another.
    call = ("--format", "same", "--invented", f"{tmp_path}/i/", "-o", f"{tmp_path}/o/")
    status, _, err = run(source / "a.JPG", source / "a.png", *call)
    assert status == 1
    assert "would become" in err


def test_what_is_written_of_a_photo_with_nothing_hidden(run, face, tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(face).save(buffer, "JPEG")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    assert "nothing is hidden (1 face), written as PNG\n" in run(tmp_path / "a.jpg")[2]
    err = run(tmp_path / "a.jpg", "--format", "same")[2]
    assert "nothing is hidden (1 face), left as it is\n" in err
    assert (tmp_path / "a.restored.jpg").read_bytes() == buffer.getvalue()
    (tmp_path / "zeros.png").write_bytes(encode(np.zeros((256, 256), np.uint8), "PNG"))
    err = run(tmp_path / "a.jpg", "--mask", tmp_path / "zeros.png")[2]
    assert "the mask hides nothing: white is what is hidden; written as PNG\n" in err


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("colours", [True, False])
def test_fewer_bits_than_before_are_told(run, occluded, tmp_path, suffix, colours):
    photo = read_image(occluded).photo.astype(np.uint16) * 257
    path = tmp_path / f"deep.{suffix}"
    assert cv2.imwrite(str(path), photo if colours else photo[..., 0])
    note = f"unveil: {path}: more than 8 bits a channel: written with 8\n"
    assert run(path)[2] == note
    clean = photo.copy()
    clean[100:160, 60:140] = 9000
    assert cv2.imwrite(str(path), clean if colours else clean[..., 0])
    err = run(path, "--format", "same")[2]
    assert "left as it is" in err
    assert note not in err
    assert run(occluded)[2] == ""


def test_masks_of_what_is_invented_are_looked_for_too(run, occluded, tmp_path):
    call = (occluded, "--skip-existing")
    assert run(*call)[0] == 0
    call = (*call, "--invented", tmp_path / "i.png")
    assert run(*call)[2] == ""
    assert (tmp_path / "i.png").exists()
    assert "1 of 1 are done" in run(*call)[2]


def test_a_page_in_the_new_folder_of_the_results(run, occluded, tmp_path):
    folder = tmp_path / "new" / "out"
    call = ("-o", f"{folder}/", "--invented", tmp_path / "new" / "i.png")
    assert run(occluded, *call, "--page", folder / "p.html")[0] == 0
    assert (folder / "p.html").exists()


STOPPED_AT_THE_THIRD = """
import os, signal, sys
from unveil.cli import images, main
read, seen = images.read, []
def stop(path):
    seen.append(path)
    if len(seen) == 3:
        os.kill(os.getpid(), {number})
    return read(path)
images.read = stop
main()
"""


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("number", "status"), [("signal.SIGINT", 130), ("signal.SIGTERM", 143)])
def test_stopped_it_says_what_is_done(occluded, model, tmp_path, number, status, jobs):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for i in range(20):
        (source / f"{i:02d}.png").write_bytes(b"no image" if i == 1 else occluded.read_bytes())
    call = [sys.executable, "-c", STOPPED_AT_THE_THIRD.format(number=number), "restore", "--json"]
    call += ["--aligned", "--model", model, "--jobs", str(jobs), source, "-o", out]
    done = subprocess.run(
        call, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    files = [path.name for path in out.iterdir()]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == status
    assert done.stderr.splitlines() == [
        f"unveil: {source / '01.png'}: not an image, or of a format that cannot be read: "
        "save it as JPEG or PNG",
        f"unveil: stopped: {len(files)} done, 1 failed",
    ]
    assert 1 <= len(files) < 19
    assert all(name.endswith(".restored.png") for name in files)
    assert sorted(Path(x["output"]).name for x in lines if "output" in x) == sorted(files)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
def test_json_goes_to_its_file_while_a_bar_is_shown(occluded, model, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for i in range(3):
        (source / f"{i}.png").write_bytes(occluded.read_bytes())
    ours, terminal = os.openpty()
    shown = []

    def look():  # all the time: a terminal that nobody reads is full after some pages
        with suppress(OSError):  # it is closed
            while piece := os.read(ours, 4096):
                shown.append(piece)

    looking = Thread(target=look)
    looking.start()
    command = [sys.executable, "-m", "unveil", "restore", "--aligned", "--model", model]
    command += [source, "-o", f"{tmp_path}/out/", "--json", "--jobs", "1"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=terminal, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"},
    )  # fmt: skip
    os.close(terminal)
    looking.join()
    os.close(ours)
    assert done.returncode == 0
    names = [Path(json.loads(line)["input"]).name for line in done.stdout.splitlines()]
    assert names == ["0.png", "1.png", "2.png"]
    text = b"".join(shown).decode()
    assert "restoring" in text
    assert "{" not in text


@pytest.mark.parametrize("long", ["read", "written"])
def test_a_name_that_is_too_long_fails_alone(run, occluded, tmp_path, monkeypatch, long):
    monkeypatch.chdir(tmp_path)
    name = f"{'x' * 300}.png" if long == "read" else f"{'x' * 245}.png"
    if long == "written":
        Path(name).write_bytes(occluded.read_bytes())
    status, _, err = run(name, occluded, "-o", "o/", "--skip-existing")
    assert status == 1
    assert "name too long" in err
    assert [path.name for path in Path("o").iterdir()] == ["face.restored.png"]


def test_a_closed_pipe_is_no_traceback(occluded, model):
    command = [sys.executable, "-m", "unveil", "restore", "--aligned", "--model", model, "-"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    process.stdout.close()
    _, err = process.communicate(occluded.read_bytes())
    assert b"Traceback" not in err
    assert process.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [["-"], ["-", "-o", "face.png", "--json"], ["--help"]])
def test_a_full_output_is_no_traceback(occluded, model, tmp_path, arguments):
    command = [sys.executable, "-m", "unveil", "restore", "--aligned", "--model", model]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*command, *arguments], input=occluded.read_bytes(), stdout=full,
            stderr=subprocess.PIPE, cwd=tmp_path, check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    expected = b"unveil: standard output: cannot be read or written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, expected)
