"""The runtime must start fast and never load what only training needs."""

import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "lightning_fabric", "skimage", "matplotlib", "onnx", "ray", "pyarrow", "fsspec")


def modules_after(code: str) -> set[str]:
    program = f"{code}\nimport sys; print(*sys.modules)"
    # Of this process's own, or set by a test of the command line before this one.
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    return set(done.stdout.split())


def test_import_is_light():
    loaded = modules_after("import unveil")
    assert not loaded & {"numpy", "cv2", "onnxruntime", "torch", "PIL"}


def test_what_the_package_offers_is_named_and_there():
    import unveil

    assert set(unveil.__all__) <= set(dir(unveil))
    for name in ("Face", "Restoration", "Restorer", "restore"):
        assert getattr(unveil, name).__name__ == name


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


@pytest.mark.parametrize(
    "verb", ["restore", "occlude", "evaluate", "report", "train", "export", "fit-prior"]
)
def test_help_loads_nothing_heavy(verb):
    code = (
        "import sys; from unveil.cli import app\n"
        f"try: app(['{verb}', '--help'])\nexcept SystemExit: pass\n"
    )
    assert not modules_after(code) & {*HEAVY, "numpy", "cv2", "onnxruntime"}
