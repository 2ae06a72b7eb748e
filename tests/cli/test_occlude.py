"""`unveil occlude` as a user meets it: a process, its files, its messages, its exit status."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn import draw_face, write_faces, write_tar
from PIL import Image

from unveil.cli import main
from unveil.data.triplets import read_triplet
from unveil.files import encode, read_image

SIZE = 64
PNG = encode(draw_face(0, SIZE), "PNG")


@pytest.fixture
def unveil(monkeypatch, capsys):
    """Runs `unveil occlude ARGUMENTS`: its exit status and what it says on standard error."""

    def run(*arguments, stdin=b""):
        argv = ["unveil", "occlude", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as done:
            main()
        return done.value.code or 0, capsys.readouterr().err

    return run


def table(folder):
    with open(folder / "occlusions.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def faces(tmp_path):
    write_faces(tmp_path / "in", 3, SIZE)
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_pairs_and_table_agree(unveil, faces, out):
    assert unveil(faces, "-o", out, "--size", SIZE, "--seed", 3) == (0, "")
    rows = table(out)
    assert [row["file"] for row in rows] == [f"{i:03d}.occluded.png" for i in range(3)]
    for seed, row in enumerate(rows):
        occluded = read_image(out / row["file"]).photo
        mask = read_image(out / row["file"].replace("occluded", "mask")).photo[..., 0]
        assert set(np.unique(mask)) == {0, 255}
        hidden = mask == 255
        np.testing.assert_array_equal(occluded[~hidden], draw_face(seed, SIZE)[~hidden])
        assert (occluded[hidden] == 0).all()
        x, y, width, height = (int(row[k]) for k in ("x", "y", "width", "height"))
        assert hidden[y : y + height, x : x + width].all()
        assert int(row["hidden"]) == hidden.sum() == width * height
        assert float(row["coverage"]) == pytest.approx(hidden.mean(), abs=1e-6)
        # The paper's 50..100 of 256 pixels, at 64.
        assert 12 <= width <= 25
        assert 12 <= height <= 25
        assert row["seed"] == "3"
        assert row["source"] == (faces / f"{seed:03d}.png").as_posix()


def test_triplets_come_apart_again(unveil, faces, out):
    assert unveil(faces, "-o", out, "--size", SIZE, "--triplets") == (0, "")
    for seed, row in enumerate(table(out)):
        triplet = read_triplet(out / row["file"])
        np.testing.assert_array_equal(triplet.clean, draw_face(seed, SIZE))
        assert triplet.mask.sum() == int(row["hidden"])
    assert len(content(out)) == 4


@pytest.mark.parametrize("shape", ["rectangle", "strokes"])
def test_coverage_is_kept(unveil, faces, out, shape):
    unveil(faces, "-o", out, "--shape", shape, "--coverage", "0.20-0.30", "--size", SIZE)
    rows = table(out)
    assert len(rows) == 3
    assert all(0.2 <= float(row["coverage"]) <= 0.3 for row in rows)
    assert all((row["x"] == "") == (shape == "strokes") for row in rows)


def test_same_seed_gives_the_same_bytes_and_another_does_not(unveil, faces, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        unveil(faces, "-o", tmp_path / name, "--seed", seed, "--size", SIZE)
    a, b, c = (content(tmp_path / name) for name in "abc")
    assert a == b
    assert all(a[name] != c[name] for name in a)


def test_a_face_keeps_its_occluder_whatever_stands_beside_it(unveil, faces, tmp_path):
    unveil(faces, "-o", tmp_path / "a", "--size", SIZE)
    (faces / "000a.png").write_bytes(PNG)
    (faces / "002.png").unlink()
    unveil(faces, "-o", tmp_path / "b", "--size", SIZE)
    tar = write_tar(tmp_path / "x.tar", {"001.png": (faces / "001.png").read_bytes()})
    unveil(tar, "-o", tmp_path / "c", "--size", SIZE)
    a, b, c = (content(tmp_path / name) for name in "abc")
    for name in ("001.occluded.png", "001.mask.png"):
        assert a[name] == b[name] == c[name]
    masks = [a[f"{i:03d}.mask.png"] for i in range(3)]
    assert len(set(masks)) == 3


def test_tar_index_glob_and_pipe_are_inputs_too(unveil, faces, tmp_path, out):
    write_tar(tmp_path / "s.tar", {"people/t.png": PNG})
    (tmp_path / "index.csv").write_text(
        "image,identity,archive,paper_split\npeople/t.png,1,s.tar,train\n"
    )
    kept = ["people/t.occluded.png"]
    for source in (tmp_path / "s.tar", tmp_path / "index.csv"):
        assert unveil(source, "-o", out, "--size", SIZE) == (0, "")
        assert [row["file"] for row in table(out)] == kept
        assert table(out)[0]["source"].endswith("s.tar/people/t.png")
    assert unveil(f"{faces}/*1.png", "-", "-o", out, "--size", SIZE, stdin=PNG) == (0, "")
    kept += ["001.occluded.png", "stdin.occluded.png"]
    assert [row["file"] for row in table(out)] == kept


def test_the_table_keeps_what_was_written_before(unveil, faces, out):
    assert unveil(faces / "001.png", faces / "002.png", "-o", out, "--size", SIZE) == (0, "")
    before = table(out)
    assert unveil(faces, "-o", out, "--size", SIZE, "--seed", 5, "--triplets") == (0, "")
    assert unveil(faces / "001.png", "-o", out, "--size", SIZE, "--seed", 7) == (0, "")
    names = [f"{i:03d}.triplet.png" for i in range(3)]
    rows = table(out)
    assert [row["file"] for row in rows] == [*(row["file"] for row in before), *names]
    assert [row["seed"] for row in rows] == ["7", "0", "5", "5", "5"]
    assert rows[1] == before[1]


def test_rows_that_others_write_meanwhile_stay(unveil, faces, out, monkeypatch):
    from unveil.cli import occlude

    written, write = [], occlude._write_pair

    def and_another_call(output, name, hidden):
        if not written:
            written.append(name)
            assert unveil(faces / "002.png", "-o", out, "--size", SIZE) == (0, "")
        return write(output, name, hidden)

    monkeypatch.setattr(occlude, "_write_pair", and_another_call)
    assert unveil(faces / "001.png", "-o", out, "--size", SIZE) == (0, "")
    assert {row["file"] for row in table(out)} == {"001.occluded.png", "002.occluded.png"}


@pytest.mark.parametrize("other", [b"mask.png,eye,1\n", b"", b"\xff\0", b"file,source\na,b\n"])
def test_a_table_of_others_is_left_alone(unveil, faces, out, other):
    out.mkdir()
    (out / "occlusions.csv").write_bytes(other)
    status, said = unveil(faces, "-o", out)
    assert status == 2
    assert "is no table of `unveil occlude`: choose another folder" in said
    assert content(out) == {"occlusions.csv": other}


def test_rows_of_an_index(unveil, out, tmp_path):
    write_tar(tmp_path / "s.tar", {"a.png": PNG, "b.png": PNG})
    index = tmp_path / "index.csv"
    index.write_text(
        "image,identity,archive,paper_split\na.png,1,s.tar,train\nb.png,2,s.tar,test\n"
    )
    assert unveil(index, "-o", out, "--size", SIZE, "--split", "test") == (0, "")
    assert [row["file"] for row in table(out)] == ["b.occluded.png"]
    status, said = unveil(index, "-o", out, "--split", "none")
    assert status == 1
    assert "it has test, train" in said
    status, said = unveil(tmp_path / "s.tar", "-o", out, "--split", "test")
    assert status == 2
    assert "--split is for an index.csv" in said


def test_bad_inputs_among_good_ones(unveil, faces, out, tmp_path):
    (faces / "001.png").write_bytes(PNG[:100])
    (faces / "wide.png").write_bytes(encode(draw_face(0, SIZE)[:20], "PNG"))
    status, said = unveil(faces, tmp_path / "none.png", tmp_path / "no.tar", "-o", out)
    assert status == 1
    lines = said.splitlines()
    assert "no.tar: no such file or folder" in lines[0]
    assert "001.png: damaged or cut off" in lines[1]
    assert "wide.png: not an aligned face: 64x20" in lines[2]
    assert "none.png: no such file" in lines[3]
    assert lines[4:] == ["unveil: 4 of 6 failed"]
    names = ["000.mask.png", "000.occluded.png", "002.mask.png", "002.occluded.png"]
    assert list(content(out)) == [*names, "occlusions.csv"]
    assert [row["file"] for row in table(out)] == names[1::2]


def test_an_input_is_not_written_over_before_it_is_read(unveil, tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    for name in ("x.png", "x.occluded.png", "x.mask.png"):
        (folder / name).write_bytes(PNG)
    before = content(folder)
    for other in ("x.occluded.png", "x.mask.png"):
        status, said = unveil(folder / "x.png", folder / other, "-o", folder, "--size", SIZE)
        assert (status, said) == (2, f"unveil: -o {folder / other} is an input too: "
            "choose another name\n")  # fmt: skip
    assert content(folder) == before
    assert unveil(folder, "-o", folder, "--size", SIZE) == (0, "")  # those are results of before
    inputs = [folder / name for name in ("x.png", "x.occluded.png")]
    assert unveil(*inputs, "-o", folder, "--size", SIZE, "--triplets") == (0, "")


def test_two_inputs_of_one_name_do_not_overwrite_each_other(unveil, faces, out, tmp_path):
    (tmp_path / "000.jpg").write_bytes(encode(draw_face(9, SIZE), "JPEG"))
    status, said = unveil(faces / "000.png", tmp_path / "000.jpg", "-o", out, "--size", SIZE)
    assert status == 1
    assert "000.jpg: 000.* was already written from" in said
    np.testing.assert_array_equal(
        read_image(out / "000.occluded.png").photo.max(), draw_face(0, SIZE).max()
    )


def test_member_that_would_leave_the_folder_is_refused(unveil, out, tmp_path):
    tar = write_tar(tmp_path / "evil.tar", {"../../evil.png": PNG, "/abs.png": PNG, "ok.png": PNG})
    status, said = unveil(tar, "-o", out, "--size", SIZE)
    assert status == 1
    assert said.count("leads out of the output folder") == 2
    assert set(content(out)) == {"ok.mask.png", "ok.occluded.png", "occlusions.csv"}
    assert set(content(tmp_path)) == {"evil.tar", *(f"out/{name}" for name in content(out))}
    assert not list(tmp_path.parent.glob("evil*"))


def test_second_run_over_its_own_folder_takes_the_same_faces(unveil, faces):
    for source in (faces, faces, f"{faces}/*"):
        assert unveil(source, "-o", faces, "--size", SIZE) == (0, "")
        assert len(table(faces)) == 3
    status, _ = unveil(faces / "000.mask.png", "-o", faces, "--size", SIZE)
    assert status == 0
    assert [row["file"] for row in table(faces)][3:] == ["000.mask.occluded.png"]


def test_unwritable_output_is_said_and_leaves_no_half(unveil, faces, tmp_path, out):
    out.mkdir()
    (out / "001.occluded.png").mkdir()  # a folder stands where the file would go
    status, said = unveil(faces, "-o", out, "--size", SIZE)
    assert status == 1
    assert "001.occluded.png: cannot be written: Is a directory" in said
    assert "001.mask.png" not in content(out)
    assert len(table(out)) == 2


def test_objects_hide_what_their_masks_say(unveil, faces, out):
    assert unveil(faces, "-o", out, "--shape", "objects", "--size", SIZE) == (0, "")
    for seed, row in enumerate(table(out)):
        clean = draw_face(seed, SIZE)
        occluded = read_image(out / row["file"]).photo
        mask = read_image(out / row["file"].replace("occluded", "mask")).photo[..., 0]
        assert set(np.unique(mask)) == {0, 255}
        hidden = mask == 255
        assert int(row["hidden"]) == hidden.sum()
        assert 0.02 < float(row["coverage"]) < 0.7
        assert row["shape"] == "objects"
        assert row["x"] == row["width"] == ""
        assert (occluded[hidden] != clean[hidden]).any(axis=1).mean() > 0.9
        # Beside it a shadow, and nothing of the occluder's soft rim; farther away nothing.
        assert (occluded[~hidden] <= clean[~hidden]).all()
        far = cv2.dilate(mask, np.ones((25, 25), np.uint8)) == 0
        np.testing.assert_array_equal(occluded[far], clean[far])


def test_objects_in_triplets_tars_and_again(unveil, faces, tmp_path):
    tar = write_tar(tmp_path / "x.tar", {"001.png": (faces / "001.png").read_bytes()})
    options = ("--shape", "objects", "--size", SIZE)
    for source, name, more in (
        (faces, "a", ()),
        (tar, "b", ()),
        (faces, "c", ("--triplets",)),
        (faces, "d", ("--seed", 1)),
    ):
        assert unveil(source, "-o", tmp_path / name, *options, *more) == (0, "")
    a, b, d = (content(tmp_path / name) for name in "abd")
    for name in ("001.occluded.png", "001.mask.png"):
        assert a[name] == b[name] != d[name]
    triplet = read_triplet(tmp_path / "c" / "001.triplet.png")
    np.testing.assert_array_equal(
        triplet.occluded, read_image(tmp_path / "a" / "001.occluded.png").photo
    )
    mask = read_image(tmp_path / "a" / "001.mask.png").photo[..., 0]
    np.testing.assert_array_equal(triplet.mask, mask == 255)


def test_occluders_from_a_folder_are_taken_for_a_part(unveil, tmp_path, out):
    write_faces(tmp_path / "in", 12, SIZE)
    (tmp_path / "rgba").mkdir()
    red = np.zeros((40, 60, 4), np.uint8)
    red[5:35, 5:55] = (250, 0, 0, 255)
    Image.fromarray(red).save(tmp_path / "rgba" / "sunglasses.png")
    status, said = unveil(
        tmp_path / "in", "-o", out, "--shape", "objects", "--occluders", tmp_path / "rgba"
    )
    assert (status, said) == (0, "")
    reds = 0
    for row in table(out):
        photo = read_image(out / row["file"]).photo.astype(int)
        mask = read_image(out / row["file"].replace("occluded", "mask")).photo[..., 0] > 0
        median = np.median(photo[mask], axis=0)
        reds += bool(median[0] > 60 and median[1:].max() < 25)
    assert 1 <= reds <= 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shape", "objects", "--coverage", "0.1-0.2"], "--coverage is not for --shape objects"),
        (["--occluders", "x"], "--occluders needs --shape objects, not rectangle"),
        (["--shape", "objects", "--occluders", "no-folder"], "--occluders no-folder"),
        (["--coverage", "0.3"], "coverage must look like"),
        (["--coverage", "0.3-0.2"], "0 < low < high"),
        (["--coverage", "0.10001-0.10002", "--size", "16"], "narrower than a pixel"),
        (["--shape", "hexagon"], "hexagon"),
        (["--size", "2"], "size"),
        (["--seed", "-1"], "seed"),
        (["--seed", "x"], "seed"),
        (["--no-such-option"], "no-such-option"),
    ],
)
def test_wrong_calls(unveil, faces, out, arguments, message):
    status, said = unveil(faces, "-o", out, *arguments)
    assert status == 2
    assert message in said
    assert not out.exists()


def test_wrong_places(unveil, faces, out, tmp_path):
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ([faces, "-o", faces / "000.png"], "000.png: not a folder"),
        ([faces, "-o", "-"], "-o -: a folder is needed"),
        ([tmp_path / "empty", "-o", out], "empty: no images"),
        ([tmp_path / "*.xyz", "-o", out], "no images"),
        ([faces], "--output"),
        (["-o", out], "IN"),
    ):
        status, said = unveil(*arguments)
        assert status == 2
        assert message in said


@pytest.mark.skipif(
    not (Path(__file__).parents[3] / "shared" / "data" / "celeba").is_dir(),
    reason="needs the CelebA shards beside the repository",
)
def test_celeba_faces_from_a_folder(unveil, tmp_path, out):
    from unveil.data.sources import list_entries

    shard = Path(__file__).parents[3] / "shared" / "data" / "celeba" / "val.tar"
    (tmp_path / "in").mkdir()
    for entry in list_entries(shard)[:2]:
        (tmp_path / "in" / entry.name).write_bytes(entry.read())
    assert unveil(tmp_path / "in", "-o", out, "--triplets") == (0, "")
    for row in table(out):
        triplet = read_triplet(out / row["file"])
        assert triplet.clean.shape == (256, 256, 3)
        assert triplet.mask.sum() == int(row["hidden"])


def test_a_disk_that_fills_up_leaves_the_images_of_an_earlier_call_as_they_were(
    unveil, faces, out, monkeypatch
):
    assert unveil(faces / "000.png", "-o", out) == (0, "")
    before = content(out)
    write, room = Path.write_bytes, iter([True])  # for one of the two

    def filled(path, data):
        if not next(room, False):
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", filled)
    status, told = unveil(faces / "000.png", "-o", out, "--seed", 1)
    assert (status, told.endswith("cannot be written: No space left on device\n")) == (1, True)
    assert content(out) == before


def test_as_a_process_through_a_pipe(out):
    def run(stdin):
        return subprocess.run(
            [sys.executable, "-m", "unveil", "occlude", "-", "-o", str(out), "--size", "16"],
            input=stdin,
            capture_output=True,
            check=False,
        )

    done = run(PNG)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert read_image(out / "stdin.occluded.png").photo.shape == (16, 16, 3)
    done = run(b"no image")
    assert done.returncode == 1
    assert done.stderr.startswith(b"unveil: -: not an image, or of a format that cannot be read")
    assert done.stderr.count(b"\n") == 1
