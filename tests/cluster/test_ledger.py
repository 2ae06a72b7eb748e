"""The ledger, the manifest and a worker, in this process and without Ray."""

import io

import numpy as np
import photos
import pyarrow as pa
import pytest
from PIL import Image

from unveil.cluster import worker as worker_module
from unveil.cluster.ledger import Ledger
from unveil.cluster.manifest import Manifest, done
from unveil.cluster.places import Place
from unveil.cluster.worker import Recipe, Worker
from unveil.errors import UsageError
from unveil.files import encode


def row(name, **values):
    return {"input": name, "output": f"{name}.out", "faces": 1, "error": None, **values}


@pytest.fixture
def manifest(tmp_path):
    return Manifest.of(Place(str(tmp_path / "out")), {"model": "m"})


def test_one_row_an_input_the_last_one(manifest):
    first = Ledger(manifest)
    first.add([row("a"), row("b", error="broken", output=None)])
    first.add([row("a", faces=9)])  # told twice: the first time counts
    assert first.flush() == 2
    assert manifest.gather()["faces"].to_pylist() == [1, 1]
    second = Ledger(manifest)
    second.add([row("b", faces=2), row("c", output=None, faces=0)])
    second.flush()
    rows = manifest.gather()
    assert rows["input"].to_pylist() == ["a", "b", "c"]
    assert rows["faces"].to_pylist() == [1, 2, 0]
    assert done(rows, {"a.out", "b.out"}) == {"a", "b", "c"}
    assert done(rows, {"b.out"}) == {"b", "c"}


def test_another_setting_is_refused(manifest):
    ledger = Ledger(manifest)
    ledger.add([row("a")])
    ledger.flush()
    other = Manifest(manifest.place, {"model": "n"})
    with pytest.raises(UsageError, match=r"other settings \(model m\)"):
        other.gather()


def test_another_source_is_refused_but_not_with_a_manifest_that_tells_none(manifest):
    def filled(source):
        one = Manifest(manifest.place, manifest.settings, source)
        ledger = Ledger(one)
        ledger.add([row(f"of {source}")])
        ledger.flush()
        return one.gather()["input"].to_pylist()

    assert filled("") == ["of "]
    assert filled("file:///a") == ["of ", "of file:///a"]
    assert filled("file:///a") == ["of ", "of file:///a"]
    other = Manifest(manifest.place, manifest.settings, "file:///b")
    with pytest.raises(UsageError, match="the results of file:///a: give file:///b another -o"):
        other.gather()


def test_who_died_with_what_in_hand(manifest):
    ledger = Ledger(manifest)
    assert ledger.begin(["a", "b", "c"]) == (["a", "b", "c"], False)
    ledger.add([row("a")])
    assert ledger.begin(["a", "b", "c"]) == (["b", "c"], True)
    assert [ledger.try_alone("b") for _ in range(3)] == [0, 1, 2]
    assert ledger.begin(["d"]) == (["d"], False)


@pytest.fixture
def work(tmp_path, model, manifest):
    source, ledger = Place(str(tmp_path / "in")), Ledger(manifest)
    source.write("a.png", encode(photos.scene(photos.TWO[0])[0], "PNG"))
    source.write("b.png", b"broken")
    source.write("c.png", encode(photos.scene()[0], "PNG"))
    source.write("d.png", encode(photos.scene(photos.TWO[0])[0], "PNG"))
    recipe = Recipe(model, False, None, None, 1.0, True)
    target = Place(str(tmp_path / "out"))
    return Worker(recipe, source, target, ledger, threads=2), ledger


def block(*names, **columns):
    return pa.table({"name": list(names), **columns})


def rows_of(ledger):
    ledger.flush()
    return {row["input"]: row for row in ledger._manifest.gather().to_pylist()}


def test_each_photo_has_its_row(work, tmp_path):
    worker, ledger = work
    assert worker(block("a.png", "b.png", "c.png", "x.png"))["done"].to_pylist() == [4]
    rows = rows_of(ledger)
    assert rows["a.png"]["output"] == "a.restored.png"
    assert rows["a.png"]["faces"] == 1
    assert 0 < rows["a.png"]["coverage"] < 0.2
    assert 0 < rows["a.png"]["confidence"] < 1
    assert rows["a.png"]["seconds"] > 0
    assert "not an image" in rows["b.png"]["error"]
    assert rows["x.png"]["error"] == "no such file"
    assert (rows["c.png"]["faces"], rows["c.png"]["output"], rows["c.png"]["error"]) == (
        0,
        None,
        None,
    )
    assert Place(str(tmp_path / "out")).listed().count("a.restored.png") == 1


def test_a_photo_that_breaks_the_pipeline_is_its_own_error(work, monkeypatch):
    worker, ledger = work
    restore = worker.restorer.restore_many

    def breaks(photos, **options):
        if any(photo.shape[0] != 420 for photo in photos):
            raise ZeroDivisionError("odd")
        return restore(photos, **options)

    monkeypatch.setattr(worker.restorer, "restore_many", breaks)
    worker.source.write("c.png", encode(np.zeros((50, 60, 3), np.uint8), "PNG"))
    worker(block("a.png", "c.png", "d.png"))
    assert {k: v["error"] for k, v in rows_of(ledger).items()} == {
        "a.png": None, "c.png": "ZeroDivisionError: odd", "d.png": None
    }  # fmt: skip


def test_a_photo_that_kills_workers_is_left_out_and_its_neighbours_are_done(work):
    worker, ledger = work
    names = ["a.png", "d.png", "c.png"]
    ledger.begin(names)  # a worker that died
    for _ in range(worker_module.MOST_TRIES):
        ledger.begin(names)  # others that died, each with this one by itself
        ledger.try_alone("d.png")
    worker(block(*names))
    errors = {k: v["error"] for k, v in rows_of(ledger).items()}
    assert errors == {
        "a.png": None, "d.png": "2 workers died while they had this photo in hand", "c.png": None
    }  # fmt: skip


def test_large_photos_come_in_smaller_batches(work, monkeypatch):
    worker, _ = work
    sizes = []
    restore = worker.restorer.restore_many
    monkeypatch.setattr(
        worker.restorer, "restore_many", lambda p, **o: (sizes.append(len(p)), restore(p, **o))[1]
    )
    monkeypatch.setattr(worker_module, "BATCH_PIXELS", 2 * 420 * 900)
    worker(block("a.png", "c.png", "d.png"))
    assert sizes == [2, 1]


@pytest.mark.parametrize("name", ["../evil.png", "/tmp/evil.png", "x/../../evil.png"])
def test_a_name_that_leads_out_of_the_folder_is_an_error(work, tmp_path, name):
    worker, ledger = work
    files = [worker.source.read("a.png")] * 2
    before = {path.name for path in tmp_path.iterdir()} | {"out"}
    worker(block(name, "a.png", bytes=files))
    rows = rows_of(ledger)
    assert "leads out" in rows[name]["error"]
    assert rows["a.png"]["output"] == "a.restored.png"
    assert {path.name for path in tmp_path.iterdir()} == before


def test_files_that_come_with_the_block_and_go_into_a_data_set(work, tmp_path):
    worker, ledger = work
    files = [worker.source.read(name) for name in ("a.png", "b.png")]
    worker.target = Place(str(tmp_path / "out.parquet"))
    worker(block("x/a.png", "x/b.png", bytes=files))
    table = worker.target.inside(worker.target.listed()[0]).read_table()
    assert table["name"].to_pylist() == ["x/a.restored.png"]
    assert Image.open(io.BytesIO(table["bytes"][0].as_py())).size == (900, 420)
    assert rows_of(ledger)["x/a.png"]["output"] == "x/a.restored.png"
