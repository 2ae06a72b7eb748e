"""The runtime must start fast and never load what only training needs."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import unveil
from unveil.cli import EXTRAS

HEAVY = ("torch", "lightning_fabric", "skimage", "matplotlib", "onnx", "ray", "pyarrow", "fsspec")


def modules_after(code: str) -> set[str]:
    program = f"{code}\nimport sys; print(*sys.modules)"
    # Of this process's own, or set by a test of the command line before this one.
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    return set(done.stdout.split())


def test_its_types_are_for_its_users_too():
    assert (Path(unveil.__file__).parent / "py.typed").is_file()  # PEP 561


def test_import_is_light():
    loaded = modules_after("import unveil")
    assert not loaded & {"numpy", "cv2", "onnxruntime", "torch", "PIL"}


def test_what_the_package_offers_is_named_and_there():
    import unveil

    assert set(unveil.__all__) <= set(dir(unveil))
    for name in ("Face", "Restoration", "Restorer", "restore"):
        assert getattr(unveil, name).__name__ == name
    assert issubclass(unveil.errors.ImageError, unveil.errors.UnveilError)


def test_verbs_of_many_faces_leave_blas_one_thread():
    code = (
        "import os, sys; from unveil.cli import main\n"
        "assert 'numpy' not in sys.modules  # it would not read the variable any more\n"
        "sys.argv = ['unveil', '{}', 'no-such-file.png', *{}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.modules['threads=' + os.environ.get('OPENBLAS_NUM_THREADS', 'all')] = None"
    )
    assert "threads=1" in modules_after(code.format("segment", []))
    assert "threads=1" not in modules_after(code.format("occlude", ["-o", "x"]))


def test_a_restoration_never_loads_torch():
    loaded = modules_after(
        "import unveil, numpy as np\n"
        "photo = np.zeros((256, 256, 3), np.uint8)\n"
        "mask = np.zeros((256, 256), bool); mask[:9] = True\n"
        "unveil.restore(photo, mask, aligned=True)"
    )
    assert "onnxruntime" in loaded
    assert not loaded & set(HEAVY)


def test_an_export_needs_no_training_task():
    loaded = modules_after("import unveil.export.manifest")
    assert "torch" in loaded
    assert "lightning_fabric" not in loaded
    assert not [name for name in loaded if name.endswith("_task")]


@pytest.mark.parametrize(
    "verb", ["restore", "occlude", "evaluate", "report", "train", "export", "fit-prior"]
)
def test_help_loads_nothing_heavy(verb):
    code = (
        "import sys; from unveil.cli import app\n"
        f"try: app(['{verb}', '--help'])\nexcept SystemExit: pass\n"
    )
    assert not modules_after(code) & {*HEAVY, "numpy", "cv2", "onnxruntime"}


def test_a_package_that_is_not_there_is_told_with_its_extra():
    """All that is imported comes with Python, the default install or an extra that we can name."""
    default = {"PIL", "cv2", "numpy", "onnxruntime", "rich", "typer", "unveil"}
    of_others = {"gmic", "patchmatch"}  # `baselines` looks for these itself
    found = set()
    for path in Path(unveil.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    assert found - sys.stdlib_module_names - default - of_others <= EXTRAS.keys()


def test_nothing_is_kept_or_sent_of_what_is_restored(tmp_path):
    """onnxruntime's telemetry would keep an identifier and a queue in these folders."""
    told = ("CI", "ORT_RUNNING_UNIT_TESTS", "ORT_DISABLE_TELEMETRY")
    folders = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    environment = {k: v for k, v in os.environ.items() if k not in told} | folders
    program = (
        "import unveil, numpy as np\n"
        "photo = np.zeros((256, 256, 3), np.uint8)\n"
        "mask = np.zeros((256, 256), bool); mask[:9] = True\n"
        "unveil.restore(photo, mask, aligned=True)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    assert list(tmp_path.rglob("*")) == []


def test_onnxruntime_is_loaded_in_one_place():
    imports = ("import onnxruntime", "from onnxruntime import")
    files = Path(unveil.__file__).parent.rglob("*.py")
    found = {
        path.name
        for path in files
        for line in path.read_text("utf-8").splitlines()
        if line.strip().startswith(imports) and "InferenceSession" not in line  # a type
    }
    assert found == {"ort.py"}
