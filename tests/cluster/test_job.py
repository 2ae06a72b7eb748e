"""Archives on a real Ray of two cores."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import photos
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unveil.cli import main
from unveil.errors import ClusterError
from unveil.files import encode

ray = pytest.importorskip("ray")
from unveil.cluster import pool  # noqa: E402
from unveil.cluster.worker import READERS  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def cluster():
    paths = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    assert pool.start_ray(pool.Pool(workers=2))
    yield
    ray.shutdown()
    os.environ.pop("PYTHONPATH")
    if paths is not None:
        os.environ["PYTHONPATH"] = paths


@pytest.fixture
def run(monkeypatch, capsys, model):
    def call(*arguments: object) -> tuple[int, str]:
        line = ["unveil", "restore", "--model", model, *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", line)
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        text = capsys.readouterr().err
        assert "Traceback" not in text
        return status, text

    return call


def archive(folder: Path, count: int) -> Path:
    (folder / "sub").mkdir(parents=True)
    data = encode(photos.scene(photos.TWO[0], size=(360, 360))[0], "PNG")
    for i in range(count):
        (folder / ("sub" if i % 3 == 1 else "") / f"{i:02d}.png").write_bytes(data)
    return folder


def rows_of(path: Path) -> dict[str, dict]:
    table = pq.read_table(path)
    rows = {row["input"]: row for row in table.to_pylist()}
    assert len(rows) == len(table)
    return rows


def test_a_folder_then_only_what_is_missing_or_failed(run, tmp_path):
    source, out = archive(tmp_path / "in", 5), tmp_path / "out"
    (source / "03.png").write_bytes(b"damaged")
    (source / "nobody.png").write_bytes(encode(photos.scene(size=(90, 90))[0], "PNG"))
    ray_call = ("--engine", "ray", "--jobs", 2)
    status, text = run(source, "-o", out, *ray_call)
    assert status == 1
    assert "03.png: not an image" in text
    assert "1 show no face" in text
    rows = rows_of(out / "manifest.parquet")
    assert set(rows) == {"00.png", "sub/01.png", "02.png", "03.png", "sub/04.png", "nobody.png"}
    assert [name for name, row in rows.items() if row["error"]] == ["03.png"]
    assert rows["nobody.png"]["faces"] == 0
    (tmp_path / "local").mkdir()
    assert run(source / "00.png", "-o", tmp_path / "local", "--engine", "local")[0] == 0
    ours, theirs = out / "00.restored.png", tmp_path / "local" / "00.restored.png"
    assert ours.read_bytes() == theirs.read_bytes()

    (source / "03.png").write_bytes((source / "00.png").read_bytes())
    (out / "sub" / "01.restored.png").unlink()
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    status, text = run(source, "-o", out, *ray_call)
    assert status == 0
    assert "4 of 6 were done before" in text
    assert "2 restored, 0 failed" in text
    after = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    assert {p.name for p in after.keys() - before.keys()} == {"01.restored.png", "03.restored.png"}
    assert all(after[p] == before[p] for p in before)
    assert not any(row["error"] for row in rows_of(out / "manifest.parquet").values())
    assert "0 restored" in run(source, "-o", out, *ray_call)[1]
    status, text = run(source, "-o", out, *ray_call, "--faces", 1)
    assert status == 2
    assert "other settings (faces None)" in text


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs the worker's process id")
def test_a_killed_worker_loses_nothing_and_only_what_it_had_in_hand_is_done_again(run, tmp_path):
    source, out = archive(tmp_path / "in", 48), tmp_path / "out"
    seen: dict[Path, tuple[int, bytes]] = {}

    def kill() -> None:
        end = time.monotonic() + 240
        while time.monotonic() < end and len(list(out.rglob("*.png"))) < READERS + 2:
            time.sleep(0.02)
        actors = ray._private.state.actors().values()
        pids = [
            a["Pid"] for a in actors if a["State"] == "ALIVE" and "Worker" in a["ActorClassName"]
        ]
        assert len(pids) == 1
        os.kill(pids[0], signal.SIGKILL)
        seen.update({p: (p.stat().st_mtime_ns, p.read_bytes()) for p in out.rglob("*.png")})

    killer = threading.Thread(target=kill)
    killer.start()
    status, text = run(source, "-o", out, "--engine", "ray", "--jobs", 1)
    killer.join()
    assert status == 0, text
    assert "48 restored, 0 failed" in text
    rows = rows_of(out / "manifest.parquet")
    assert len(rows) == 48
    assert {row["output"] for row in rows.values()} == {
        p.relative_to(out).as_posix() for p in out.rglob("*.png")
    }
    assert READERS + 2 <= len(seen) < 48
    # Each thread that writes can have a file there whose row the ledger was not told yet.
    again = [p for p, (written, _) in seen.items() if p.stat().st_mtime_ns != written]
    assert len(again) <= READERS
    assert all(p.read_bytes() == data for p, (_, data) in seen.items())


def test_parquet_behind_a_url_to_parquet(run, tmp_path):
    data = encode(photos.scene(photos.TWO[0], size=(360, 360))[0], "PNG")
    names = [f"{i}.png" for i in range(4)]
    (tmp_path / "in.parquet").mkdir()
    for part in (names[:2], names[2:]):
        table = pa.table({"path": part, "bytes": [data if n != "2.png" else b"" for n in part]})
        pq.write_table(table, tmp_path / "in.parquet" / f"{part[0]}.parquet")
    call = (f"file://{tmp_path}/in.parquet", "-o", f"file://{tmp_path}/out.parquet")
    status, text = run(*call, "--engine", "ray", "--jobs", 1)
    assert status == 1
    assert "2.png: not an image" in text
    results = pq.read_table(tmp_path / "out.parquet")
    assert sorted(results["name"].to_pylist()) == [f"{i}.restored.png" for i in (0, 1, 3)]
    rows = rows_of(tmp_path / "out.manifest.parquet")
    assert [rows[name]["error"] is None for name in names] == [True, True, False, True]
    again = (*call, "--engine", "ray", "--jobs", 1)
    assert "3 of 4 were done before" in run(*again)[1]
    assert pq.read_table(tmp_path / "out.parquet").equals(results)
    gone = next((tmp_path / "out.parquet").iterdir())
    lost = len(pq.read_table(gone))
    gone.unlink()
    assert f"{lost} restored, 1 failed" in run(*again)[1]
    assert pq.read_table(tmp_path / "out.parquet").sort_by("name") == results.sort_by("name")


def test_results_in_a_data_set_are_not_restored_again(run, tmp_path):
    data = encode(photos.scene(photos.TWO[0], size=(360, 360))[0], "PNG")
    names = ["a.png", "a.restored.png", "b.png"]
    pq.write_table(pa.table({"name": names, "bytes": [data] * 3}), tmp_path / "in.parquet")
    out = tmp_path / "out.parquet"
    status, text = run(tmp_path / "in.parquet", "-o", out, "--engine", "ray", "--jobs", 1)
    assert status == 0, text
    assert "2 restored, 0 failed" in text
    assert sorted(pq.read_table(out)["name"].to_pylist()) == ["a.restored.png", "b.restored.png"]


def test_what_a_killed_command_left_in_a_data_set_is_not_there_twice(run, tmp_path):
    source, out = archive(tmp_path / "in", 3), tmp_path / "out.parquet"
    call = (source, "-o", out, "--engine", "ray", "--jobs", 1)
    assert run(*call)[0] == 0
    left = {path.name for path in out.iterdir()}
    (tmp_path / "out.manifest.parquet").unlink()  # killed before it was told
    for i in (3, 4):  # so that the blocks are cut anew
        (source / f"{i:02d}.png").write_bytes((source / "00.png").read_bytes())
    status, text = run(*call)
    assert status == 0
    assert "5 restored, 0 failed" in text
    names = pq.read_table(out)["name"].to_pylist()
    rows = rows_of(tmp_path / "out.manifest.parquet")
    assert sorted(names) == sorted(row["output"] for row in rows.values())
    assert left.isdisjoint(path.name for path in out.iterdir())
    assert "5 of 5 were done before" in run(*call)[1]


def test_another_folder_needs_another_target(run, tmp_path):
    first, second = archive(tmp_path / "a", 1), archive(tmp_path / "b", 1)
    call = ("-o", tmp_path / "out", "--engine", "ray", "--jobs", 1)
    assert run(first, *call)[0] == 0
    status, text = run(second, *call)
    assert status == 2
    assert f"of the results of file://{first}: give file://{second} another -o" in text
    assert "1 of 1 were done before" in run(f"{first}/", *call)[1]


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of any bytes")
def test_a_name_that_is_no_text_fails_by_itself(run, tmp_path):
    source, out = archive(tmp_path / "in", 1), tmp_path / "out"
    odd = source / os.fsdecode(b"\xe9.png")
    odd.write_bytes((source / "00.png").read_bytes())
    for done in ("1 restored, 1 failed", "0 restored, 1 failed"):
        status, text = run(source, "-o", out, "--engine", "ray", "--jobs", 1)
        assert status == 1
        assert r"\udce9.png: its name is no UTF-8: rename it" in text
        assert done in text
        assert set(rows_of(out / "manifest.parquet")) == {"00.png", r"\udce9.png"}


def test_a_photo_and_its_twin_that_is_not_read(run, tmp_path):
    source, out = archive(tmp_path / "in", 2), tmp_path / "out"
    (source / "00.heic").write_bytes((source / "00.png").read_bytes())  # whatever is in it
    status, text = run(source, "-o", out, "--engine", "ray", "--jobs", 1)
    assert status == 1
    assert "00.heic: not an image, or of a format that cannot be read" in text
    assert "2 restored, 1 failed" in text


def test_nobody_at_an_address():
    with pytest.raises(ClusterError, match="Connection refused"):
        pool._check_reached("127.0.0.1:1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in"], "takes one IN and -o OUT"),
        (["in", "-o", "out", "--samples", "2"], "--samples: --engine ray does not have it"),
        (["in", "-o", "out", "--jobs", "1", "--gpus", "1"], "give one of them"),
        (["in", "-o", "out", "--gpus", "1"], "--gpus 1: Ray sees 0 here"),
        (["twins", "-o", "out"], "a.png and a.jpg would have one result"),
        (["double.parquet", "-o", "out"], "x.heic comes twice: rename one"),
        (["double.parquet", "-o", "./double.parquet/"], "double.parquet/ is the input itself"),
        (["in", "-o", "file", "--aligned"], "-o file is a file, and must be a folder"),
        (["in", "-o", "file.parquet"], "-o file.parquet is a file, and must be a folder"),
        (
            ["in", "-o", "out", "--min-face", "3"],
            "'--min-face': Input should be greater than or equal to 8",
        ),
        (["in", "-o", "out", "--detail", "0.5"], "has no prior to add detail to"),
    ],
)
def test_wrong_calls(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    archive(tmp_path / "in", 1)
    archive(tmp_path / "twins", 0)
    for name in ("a.jpg", "a.png"):
        (tmp_path / "twins" / name).write_bytes(b"")
    pq.write_table(pa.table({"name": ["x.heic"] * 2, "bytes": [b""] * 2}), "double.parquet")
    pq.write_table(pa.table({"name": ["x"], "bytes": [b""]}), "file.parquet")
    (tmp_path / "file").write_bytes(b"")
    status, text = run(*arguments, "--engine", "ray")
    assert status == 2
    assert message in text
    assert not (tmp_path / "out").exists()
