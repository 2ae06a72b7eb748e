import json
import re
import shutil
from pathlib import Path

from typer.testing import CliRunner

from unveil.cli import app
from unveil.runtime import detector
from unveil.runtime.weights import SHIPPED, list_weights


def call(*arguments: str):
    return CliRunner().invoke(app, ["weights", *arguments])


def test_list_names_what_is_shipped():
    out = call().stdout
    assert out.startswith("lite (default): ")
    assert "\npaper: 14." in out
    assert "non-commercial" in out
    assert call("list").stdout == out


def test_list_another_folder(model):
    out = call("list", "--folder", str(Path(model).parent)).stdout
    assert "stand-in: 0.0 MB, 0 faces seen" in out
    assert "psnr 1.5" in out


def test_list_as_json(model):
    lines = [json.loads(line) for line in call("list", "--json").stdout.splitlines()]
    assert [line["name"] for line in lines if line["restores"]] == ["lite", "paper"]
    assert {line["name"] for line in lines} == {w.name for w in list_weights()}
    ours = json.loads(call("list", "--json", "--folder", str(Path(model).parent)).stdout)
    assert ours["scores"] == {"psnr": 1.5}
    assert [file["role"] for file in ours["files"]] == ["face", "mask"]
    assert Path(ours["files"][0]["path"]).stat().st_size == ours["files"][0]["size"]


def test_verify(model, tmp_path):
    folder = tmp_path / "w"
    shutil.copytree(Path(model).parent, folder)
    assert call("verify", "--folder", str(folder)).exit_code == 0
    with open(folder / "stand-in-mask.onnx", "ab") as file:
        file.write(b"x")
    done = call("verify", "--folder", str(folder))
    assert done.exit_code == 1
    assert "stand-in-face.onnx: whole" in done.stdout
    assert "stand-in-mask.onnx is damaged" in done.output


def test_the_detector_is_verified_too(monkeypatch, tmp_path):
    """It has a folder of its own, which is a part of the package: what helps is installing."""
    done = call("verify")
    assert done.exit_code == 0
    assert "retinaface-mobilenet0.25.onnx: whole" in done.stdout
    package = tmp_path / "runtime"
    shutil.copytree(detector.WEIGHTS.parent, package / "detector")
    with open(next((package / "detector").glob("*.onnx")), "ab") as file:
        file.write(b"x")
    monkeypatch.setattr(detector, "WEIGHTS", package / "detector" / "retinaface")
    monkeypatch.setattr("unveil.runtime.weights.SHIPPED", package)
    shutil.copy(SHIPPED / "manifest.json", package)
    done = call("verify")
    assert done.exit_code == 1
    assert re.search(r"retinaface\S+ is damaged.*: install unveil again", done.output)
