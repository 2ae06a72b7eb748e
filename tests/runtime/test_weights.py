import re
import shutil
from pathlib import Path

import pytest

from unveil.errors import ModelError, WeightsError
from unveil.restorer import Restorer
from unveil.runtime.weights import SHIPPED, find_weights, list_weights, read_checked
from unveil.server.engine import Engine


@pytest.fixture
def copy(model, tmp_path) -> Path:
    shutil.copytree(Path(model).parent, tmp_path / "w")
    return tmp_path / "w"


def test_shipped_weights_are_whole_and_small():
    total = 0
    for weights in list_weights(SHIPPED):
        for file in weights.files:
            data = read_checked(file)
            assert len(data) == file.size
            total += len(data)
        assert "non-commercial" in weights.licence
        assert weights.faces_seen > 0
    assert 0 < total <= 30e6


def test_damaged_file_is_named(copy):
    path = copy / "stand-in-face.onnx"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    restorer = Restorer(str(copy / "stand-in"))
    import numpy as np

    with pytest.raises(WeightsError, match=r"stand-in-face\.onnx is damaged"):
        restorer.restore(np.zeros((9, 9, 3), np.uint8), np.ones((9, 9), bool), aligned=True)


def test_missing_file_is_named(copy):
    (copy / "stand-in-mask.onnx").unlink()
    with pytest.raises(WeightsError, match=r"stand-in-mask\.onnx: No such file"):
        read_checked(find_weights(copy / "stand-in").file("mask"))


def test_who_names_a_folder_of_models_is_told_which_there_are(copy, monkeypatch):
    monkeypatch.chdir(copy.parent)
    for folder, named in (("w", "w/stand-in"), ("./w/", "w/stand-in"), (str(copy), copy)):
        with pytest.raises(ModelError, match=f"a folder of models; there are: {named}"):
            find_weights(folder)
    monkeypatch.chdir(copy)
    with pytest.raises(ModelError, match="a folder of models; there are: stand-in"):
        find_weights(".")


def test_a_model_of_this_folder_is_not_the_shipped_one(copy, monkeypatch):
    """`./NAME` is one, whatever is shipped under that name."""
    monkeypatch.chdir(copy)
    text = (copy / "manifest.json").read_text(encoding="utf-8").replace('"stand-in"', '"lite"')
    (copy / "manifest.json").write_text(text, encoding="utf-8")
    for name in ("./lite", str(copy / "lite")):
        assert find_weights(name).file("face").path.name == "stand-in-face.onnx"
        (found,) = Engine(name).weights.values()
        assert found.file("face").path.name == "stand-in-face.onnx"
        assert Engine(name, 1).restorer().model.weights == find_weights(name)
    assert find_weights("lite").file("face").path.parent == SHIPPED


@pytest.mark.parametrize("text", ["", "{}", '{"models": [{"name": "x"}]}', "[1"])
def test_damaged_manifest(copy, text):
    (copy / "manifest.json").write_text(text)
    with pytest.raises(WeightsError, match=r"manifest\.json is damaged"):
        list_weights(copy)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r'"faces_seen": \d+', '"faces_seen": "many"'),
        (r'"size": \d+', '"size": "x"'),
        (r'"scores": \{[^}]*\}', '"scores": [1]'),
        (r'"scores": \{[^}]*\}', '"scores": {"psnr": "high"}'),
        (r'"name": "[^"]*"', '"name": null'),
    ],
)
def test_a_manifest_with_values_of_another_kind_is_damaged(copy, old, new):
    text, changed = re.subn(old, new, (copy / "manifest.json").read_text(encoding="utf-8"))
    assert changed
    (copy / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match=r"manifest\.json is damaged"):
        list_weights(copy)


def test_missing_manifest(tmp_path):
    with pytest.raises(WeightsError, match="missing: `unveil export --name` writes"):
        list_weights(tmp_path)


def test_role_that_a_model_lacks(copy):
    with pytest.raises(WeightsError, match="no nose network"):
        find_weights(copy / "stand-in").file("nose")
