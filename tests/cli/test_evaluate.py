"""`unveil fit-prior` and `unveil evaluate`, from faces to numbers."""

import json
import weakref

import numpy as np
import pytest
from drawn import draw_face, write_faces, write_tar
from evaluation_results import make_cost

from unveil.evaluation import whole_photos
from unveil.evaluation.parts import networks
from unveil.files import encode, read_image
from unveil.models.prior import FacePrior


@pytest.fixture
def prior(unveil, tmp_path):
    write_faces(tmp_path / "train", 30, 64)
    path = tmp_path / "prior.npz"
    status, out, err = unveil(
        "fit-prior",
        "--data",
        tmp_path / "train",
        "--size",
        16,
        "--components",
        12,
        "--turned",
        0,
        "-o",
        path,
    )
    assert (status, err) == (0, "")
    assert "12 eigenfaces of 16x16 from 30 faces" in out
    return path


def test_from_faces_to_numbers(unveil, prior, tmp_path):
    assert FacePrior.load(prior).front.components.shape == (3 * 16 * 16, 12)
    write_faces(tmp_path / "faces", 2, 256)
    status, out, _ = unveil(
        *("evaluate", "--models", "telea,eigenface", "--data", tmp_path / "faces"),
        *("--out", tmp_path / "out", "--prior", prior, "--jobs", 1, "--grid", 1),
    )
    assert status == 0
    results = json.loads((tmp_path / "out" / "paper.json").read_text(encoding="utf-8"))
    assert results["data"]["name"] == f"{tmp_path.name}/faces"
    assert str(tmp_path) not in json.dumps(results)
    for name, of_set in results["sets"].items():
        psnr = of_set["models"]["eigenface"]["psnr_pasted"]["mean"]
        assert f"| eigenface | {psnr:.2f} (" in out
        grid = read_image(tmp_path / "out" / f"{name}.png").photo
        assert grid.shape == (20 + 256, 4 * 256, 3)
        assert np.ptp(grid) == 255


def test_scores_by_skin_tone(unveil, tmp_path):
    write_faces(tmp_path / "faces", 4, 256)
    options = ("--models", "telea", "--data", tmp_path / "faces", "--jobs", 1)
    status, out, _ = unveil("evaluate", "--protocol", "groups", *options, "--out", tmp_path / "out")
    assert status == 0
    results = json.loads((tmp_path / "out" / "groups.json").read_text(encoding="utf-8"))
    assert sum(results["attributes"]["skin tone"]["faces"].values()) == 4
    assert "By skin tone: rectangle" in out
    # The scores are those of the protocol paper, and are not measured twice.
    parts = sorted((tmp_path / "out" / ".cache").iterdir())
    times = [path.stat().st_mtime_ns for path in parts]
    unveil("evaluate", "--protocol", "paper", *options, "--out", tmp_path / "out")
    assert [path.stat().st_mtime_ns for path in parts] == times
    assert sorted((tmp_path / "out" / ".cache").iterdir()) == parts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", "telea", "--protocol", "objects9"], "choose from paper, strokes"),
        (["--models", "eigenface"], "needs --prior"),
        (["--models", "telea,telea"], "a name of its own"),
        (["--models", ","], "one or more models"),
        (["--models", ",", "--protocol", "recognition"], "one or more models"),
        (["--models", ",", "--protocol", "photos"], "one or more models"),
        (["--models", "telea", "--protocol", "recognition,cost"], "no protocol beside it"),
        (["--models", "telea", "--protocol", "recognition", "--data", "more"], "takes one --data"),
        (["--models", "telea", "--occluders", "x"], "--occluders is for --protocol segmenter"),
        (["--models", "telea", "--faceres", "x"], "is for --protocol recognition, groups"),
        (
            ["--models", "telea", "--protocol", "cost", "--grid", "1"],
            "--grid is for --protocol paper",
        ),
        (["--models", "telea", "--pairs", "1"], "--pairs is for --protocol recognition"),
        (
            ["--models", "telea", "--protocol", "recognition", "--faces", "1"],
            "--faces is for --protocol all but recognition, cost",
        ),
        (
            ["--models", "telea", "--protocol", "recognition", "--split", "test"],
            "--split is for --protocol all but recognition, photos",
        ),
        (
            ["--models", "lite", "--protocol", "photos", "--prior", "x"],
            "--prior is for --protocol all but photos",
        ),
        (
            ["--models", "telea", "--protocol", "recognition", "--features", "x"],
            "--features is for --protocol all but recognition",
        ),
        *(
            (
                ["--models", "lite", "--protocol", protocol, "--jobs", "2"],
                "--jobs is for --protocol all but photos, segmenter, reliability, cost",
            )
            for protocol in ("photos", "segmenter", "reliability", "cost")
        ),
        (
            ["--models", "telea", "--protocol", "cost", "--faces", "2"],
            "--faces is for --protocol all but recognition, cost",
        ),
        (["--models", "paper@0.5"], "paper has no detail to choose"),
        (["--models", "lite@0", "--protocol", "segmenter"], "in the protocol segmenter"),
        (["--models", "lite+blend", "--protocol", "reliability"], "in the protocol reliability"),
        (["--models", "lite+blend", "--protocol", "recognition"], "joins its fill to the face"),
        (["--models", "lite+blend", "--protocol", "photos"], "takes one model's name"),
        (["--models", "all", "--protocol", "photos"], "takes one model's name"),
    ],
)
def test_wrong_calls_exit_with_2(unveil, tmp_path, options, message):
    status, out, err = unveil("evaluate", "--data", tmp_path, "--out", tmp_path / "out", *options)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("protocol", ["cost", "reliability", "segmenter"])
@pytest.mark.parametrize("option", ["--features", "--prior", "--data"])
def test_files_that_are_not_there_are_named_whoever_opens_them(unveil, tmp_path, option, protocol):
    model = "segmenter" if protocol == "segmenter" else "lite"
    call = ("evaluate", "--models", model, "--protocol", protocol, "--data", tmp_path)
    status, _, err = unveil(*call, option, tmp_path / "none.x", "--out", tmp_path / "o")
    assert status == 1
    assert "none.x: " in err
    assert "o such file" in err


def test_cost_does_not_open_the_faces(unveil, tmp_path, monkeypatch):
    (tmp_path / "bad.png").write_bytes(b"no face")
    monkeypatch.setattr("unveil.evaluation.timing.measure", lambda specs: make_cost(("telea",)))
    call = ("evaluate", "--models", "telea", "--protocol", "cost", "--data", tmp_path)
    assert unveil(*call, "--split", "test", "--out", tmp_path / "o")[0] == 0


def test_cost_and_a_folder_that_is_not_there_yet(unveil, tmp_path):
    write_faces(tmp_path / "faces", 2, 32)
    call = ("evaluate", "--models", "telea", "--data", tmp_path / "faces", "--protocol", "cost")
    status, out, _ = unveil(*call, "--out", tmp_path / "new" / "folder")
    assert status == 0
    assert "| `telea` | not learned |" in out
    assert json.loads((tmp_path / "new" / "folder" / "cost.json").read_text())["threads"] == 1
    (tmp_path / "file").write_text("")
    status, _, err = unveil(*call, "--out", tmp_path / "file")
    assert status == 1
    assert "file: cannot be made" in err


def test_bad_inputs_exit_with_1(unveil, tmp_path):
    write_faces(tmp_path / "train", 4, 32)
    (tmp_path / "prior.npz").write_bytes(b"PK not a prior")
    calls = {
        "no images": (
            "evaluate",
            "--models",
            "telea",
            "--data",
            tmp_path / "cache",
            "--out",
            tmp_path / "x",
        ),
        # All models are known to this protocol, too; it is the pairs that are not there.
        "none.csv": (
            *("evaluate", "--models", "all", "--protocol", "recognition"),
            *("--data", tmp_path / "none.csv", "--out", tmp_path / "x"),
        ),
        "needs an index.csv": (
            *("fit-prior", "--data", tmp_path / "train"),
            *("--split", "val", "-o", tmp_path / "p.npz"),
        ),
    }
    (tmp_path / "cache").mkdir()
    for message, call in calls.items():
        status, _, err = unveil(*call)
        assert status == 1
        assert message in err
    assert not (tmp_path / "p.npz").exists()


def test_people_of_an_index_are_the_units(unveil, tmp_path):
    faces = {f"{i}.png": encode(draw_face(i, 256), "PNG") for i in range(4)}
    write_tar(tmp_path / "faces.tar", faces)
    header, index = "image,identity,archive,paper_split\n", tmp_path / "index.csv"
    call = ("evaluate", "--models", "telea", "--data", index, "--jobs", 1, "--out", tmp_path / "o")

    index.write_text(header + "".join(f"{name},{name},faces.tar,test\n" for name in faces))
    assert unveil(*call)[0] == 0
    own = json.loads((tmp_path / "o" / "paper.json").read_text(encoding="utf-8"))
    index.write_text(
        header + "".join(f"{name},{i // 2},faces.tar,test\n" for i, name in enumerate(faces))
    )
    status, out, _ = unveil(*call)
    assert status == 0
    assert "4 faces of 2 people" in out
    two = json.loads((tmp_path / "o" / "paper.json").read_text(encoding="utf-8"))
    assert (own["data"]["people"], two["data"]["people"]) == (4, 2)
    before, after = (
        each["sets"]["rectangle-20-30"]["models"]["telea"]["psnr_hidden"] for each in (own, two)
    )
    assert after["mean"] == before["mean"]
    assert after["low"] < before["low"]

    index.write_text(header + "".join(f"{name},1,faces.tar,test\n" for name in faces))
    status, _, err = unveil(*call)
    assert status == 2
    assert "intervals take 2 people at least, not 1" in err


def test_an_index_beside_faces_without_splits_needs_one(unveil, tmp_path):
    write_tar(tmp_path / "faces.tar", {"0.png": encode(draw_face(0, 256), "PNG")})
    index = tmp_path / "index.csv"
    index.write_text("image,archive,paper_split\n0.png,faces.tar,train\n")
    write_faces(tmp_path / "more", 2, 256)
    sources = ("--data", index, "--data", tmp_path / "more")
    call = ("evaluate", "--models", "telea", *sources, "--out", tmp_path / "o", "--jobs", 1)
    status, _, err = unveil(*call, "--protocol", "tables")
    assert status == 2
    assert "an index.csv beside faces without splits: say --split ''" in err
    status, _, _ = unveil(*call, "--protocol", "tables", "--split", "")
    assert status == 0
    results = json.loads((tmp_path / "o" / "tables.json").read_text(encoding="utf-8"))
    assert results["data"]["faces"] == 3


def test_one_face_has_no_interval(unveil, tmp_path):
    write_faces(tmp_path / "faces", 1, 256)
    call = ("evaluate", "--models", "telea", "--data", tmp_path / "faces", "--out", tmp_path / "o")
    status, _, err = unveil(*call)
    assert status == 2
    assert "faces: intervals take 2 faces at least, not 1" in err
    assert not (tmp_path / "o").exists()


def test_a_damaged_photo_is_named(unveil, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    call = ("evaluate", "--models", "lite", "--protocol", "photos", "--data", tmp_path)
    status, _, err = unveil(*call, "--out", tmp_path / "o")
    assert status == 1
    assert "bad.jpg: not an image" in err
    # A folder that cannot be made is told before the photos are read.
    (tmp_path / "file").write_text("")
    status, _, err = unveil(*call, "--out", tmp_path / "file")
    assert status == 1
    assert "file: cannot be made" in err


def test_photos_are_held_one_at_a_time(unveil, tmp_path, monkeypatch):
    for i in range(6):
        grey = np.full((200, 200, 3), 90, np.uint8)
        (tmp_path / f"{i}.png").write_bytes(encode(grey, "PNG"))
    read, held = [], []

    def watched(path):
        held.append(sum(photo() is not None for photo in read))
        found = read_image(path)
        read.append(weakref.ref(found.photo))
        return found

    monkeypatch.setattr("unveil.files.read_image", watched)
    call = ("evaluate", "--models", "lite", "--protocol", "photos", "--data", tmp_path)
    status, _, err = unveil(*call, "--faces", 5, "--out", tmp_path / "o")
    assert status == 1
    assert "0 of 5 photos show one" in err
    assert max(held) < 2


def test_photos_that_a_list_names_are_left_out(unveil, tmp_path, monkeypatch):
    for name in ("a", "b", "in/a", "in/c"):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(np.full((32, 32, 3), ord(name[-1]), np.uint8), "PNG"))
    taken = []

    def measure(_, photos, count, *, name, data, left_out):
        taken.append(([int(photo[0, 0, 0]) for photo in photos], count, left_out))
        described = {"name": data, "photos": count, "left_out": left_out, "faces": 0}
        nothing = {"kinds": {}, "all": {"found": 0}}
        return {"protocol": "photos", "model": name, "data": described, **nothing}

    monkeypatch.setattr(whole_photos, "measure", measure)
    (tmp_path / "list.txt").write_text("# worn already\na.png\nin/c.png\nz.png\n")
    call = ("evaluate", "--models", "lite", "--protocol", "photos", "--data", tmp_path / "photos")
    call = (*call, "--without", tmp_path / "list.txt", "--out", tmp_path / "o")
    status, out, _ = unveil(*call)
    assert status == 0
    assert "0 faces of 2 photos (" in out
    assert "photos, 2 left out)" in out
    assert unveil(*call, "--faces", 1)[0] == 0
    assert taken == [([ord("b"), ord("a")], 2, 2), ([ord("b")], 1, 2)]
    (tmp_path / "list.txt").write_text("a.png\nb.png\nin/a.png\nin/c.png\n")
    status, _, err = unveil(*call)
    assert status == 1
    assert "list.txt leaves no photos of" in err


def test_results_of_photos_name_all_networks_that_take_part(unveil, tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(encode(np.zeros((32, 32, 3), np.uint8), "PNG"))
    data = {"name": "drawn", "photos": 1, "faces": 0}
    none = {"protocol": "photos", "model": "lite", "data": data, "kinds": {}, "all": {"found": 0}}
    monkeypatch.setattr(whole_photos, "measure", lambda *_, **__: none)
    call = ("evaluate", "--models", "lite", "--protocol", "photos", "--data", tmp_path)
    assert unveil(*call, "--out", tmp_path / "o")[0] == 0
    results = json.loads((tmp_path / "o" / "photos.json").read_text(encoding="utf-8"))
    assert results["sha256"] == networks("lite")


def test_reliability_is_that_of_the_detail_asked_for(unveil, tmp_path):
    write_faces(tmp_path / "faces", 2, 256)
    found = {}
    for name in ("lite", "lite@0", "lite@0.5"):
        call = ("evaluate", "--models", name, "--protocol", "reliability", "--out", tmp_path / "o")
        assert unveil(*call, "--data", tmp_path / "faces")[0] == 0
        found[name] = json.loads((tmp_path / "o" / "reliability.json").read_text())["all"]
    assert found["lite"] == found["lite@0.5"] != found["lite@0"]


def test_sigterm_is_an_exception_which_ends_the_processes_too(ended_at, tmp_path):
    write_faces(tmp_path / "faces", 2, 256)
    call = ("evaluate", "--models", "telea", "--data", tmp_path / "faces", "--out", tmp_path / "o")
    assert ended_at("unveil.evaluation.benchmark", "measured", *call) == 143
