"""Calls the page's own TypeScript under Node, to hold it against the library."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
WEB = HERE.parents[1] / "web"
ESBUILD = WEB / "node_modules" / ".bin" / "esbuild"
NODE = shutil.which("node")


def for_browser(*names: str) -> str:
    """A script that makes the functions of files under web/src those of a global `port`."""
    if not ESBUILD.exists():
        pytest.skip("nothing built: cd web && npm ci")
    made = subprocess.run(
        [ESBUILD, "--bundle", "--format=iife", "--global-name=port", "--loader=ts"],
        input="\n".join(f'export * from "{WEB}/src/{name}";' for name in names),
        text=True,
        check=True,
        cwd=WEB,
        capture_output=True,
    )
    return made.stdout


class Port:
    """Functions of files under web/src/device, bundled for Node; `call` runs many at once.

    `more` is TypeScript of the test's own, for what is no function.
    """

    def __init__(self, folder: Path, *names: str, more: str = "") -> None:
        self.folder = folder
        self.bundle = folder / "port.bundle.mjs"
        entry = "\n".join(f'export * from "{WEB}/src/device/{name}";' for name in names)
        options = ["--bundle", "--format=esm", "--platform=node", "--log-level=error"]
        subprocess.run(
            [ESBUILD, *options, f"--outfile={self.bundle}", "--loader=ts", f"--sourcefile={WEB}/a"],
            input=f"{entry}\n{more}",
            text=True,
            check=True,
            cwd=WEB,
        )

    def call(self, *calls: list[Any]) -> list[Any]:
        """The results of [name, argument, ...]; arrays go in and come out."""
        self.files = 0
        prepared = json.dumps([self._write(call) for call in calls])
        (self.folder / "calls.json").write_text(prepared, encoding="utf-8")
        subprocess.run([NODE, HERE / "port.mjs", self.bundle, self.folder], check=True, timeout=300)
        text = (self.folder / "results.json").read_text(encoding="utf-8")
        return [self._read(value) for value in json.loads(text)]

    def _write(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._write(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._write(each) for each in value]
        if not isinstance(value, np.ndarray):
            return value
        array = np.ascontiguousarray(value.astype(np.uint8) if value.dtype == bool else value)
        self.files += 1
        name = f"given-{self.files}"
        array.tofile(self.folder / name)
        return {"file": name, "shape": array.shape, "dtype": str(array.dtype)}

    def _read(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._read(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "dtype" not in value:
            return {key: self._read(each) for key, each in value.items()}
        return np.fromfile(self.folder / value["file"], value["dtype"]).reshape(value["shape"])


def off_by(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """The largest difference, and the share of values that differ at all."""
    assert ours.shape == theirs.shape
    off = np.abs(ours.astype(np.float64) - theirs)
    return float(off.max(initial=0)), float((off > 0).mean())
