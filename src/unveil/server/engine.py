"""The models of a server: each loaded once, when it is first asked for, and then kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from unveil.errors import UsageError
from unveil.imaging import FACE_SIZE
from unveil.restorer import Restorer
from unveil.runtime.detector import WEIGHTS as DETECTOR
from unveil.runtime.weights import (
    ALIGNER,
    MANIFEST,
    SEGMENTER,
    SHIPPED,
    WeightFile,
    Weights,
    find_weights,
    folder_of,
    list_weights,
)
from unveil.server.problems import Problem, bad_option

Loader = Callable[[str], Restorer]


class Engine:
    """Gives the restorer of a name.

    Args:
        model: the default; a name of `unveil weights`, or FOLDER/NAME for weights of one's own.
        threads: threads of one restoration, 0 = all cores.
        load: makes a restorer of a name.

    Raises:
        UsageError: there is no such model or folder, or it does not restore.
        WeightsError: the manifest of its folder is damaged.
    """

    def __init__(self, model: str, threads: int = 0, load: Loader | None = None) -> None:
        self.folder, self.default = folder_of(model)
        if self.folder != SHIPPED and not (self.folder / MANIFEST).is_file():
            raise UsageError(f"there is no model {model!r}: {self.folder} has no {MANIFEST}")
        # A request names a model of this list and never a path.
        self.weights: dict[str, Weights] = {
            w.name: w for w in list_weights(self.folder) if w.has("face")
        }
        if self.default not in self.weights:
            raise UsageError(
                f"there is no model {self.default!r} that restores; there are: {self._known}"
            )
        self._load = load or (lambda name: Restorer(name, threads))
        self._loaded: dict[str, Restorer] = {}
        self._lock = threading.Lock()
        self.ready = self.failed = False

    def restorer(self, name: str | None = None) -> Restorer:
        """The restorer of a model; waits while it is loaded.

        Raises:
            Problem: bad-option, when there is no such model.
            WeightsError: its files are missing or damaged.
        """
        name = self.check_name(name)
        with self._lock:
            if name not in self._loaded:
                shipped = self.folder == SHIPPED
                self._loaded[name] = self._load(
                    name if shipped else os.path.join(self.folder, name)
                )
                if self.failed and name == self.default:
                    self.ready = True  # what failed once works now
            return self._loaded[name]

    def file(self, name: str, role: str) -> WeightFile:
        """The file that does a part of a model's work, be it the model's own or a shared one.

        Raises:
            Problem: not-found.
        """
        found = self.weights.get(name)
        if found is not None:
            shared: dict[str, str | Path] = {
                "mask": SEGMENTER,
                "align": ALIGNER,
                "detector": DETECTOR,
            }
            if not found.has(role) and role in shared:
                found = find_weights(shared[role])
            if found.has(role):
                return found.file(role)
        raise Problem("not-found", "there is no such model, or no such file of it")

    def check_name(self, name: str | None) -> str:
        """The model's name, the default one for None.

        Raises:
            Problem: bad-option, when there is no such model.
        """
        name = name or self.default
        if name not in self.weights:
            raise bad_option({"model": f"there is no {name[:60]!r}; there are: {self._known}"})
        return name

    @property
    def _known(self) -> str:
        return ", ".join(self.weights)

    def warm_up(self) -> None:
        """Load the default model and every network that a photo needs, so that no user waits."""
        face = np.full((FACE_SIZE, FACE_SIZE, 3), 128, np.uint8)
        mask = np.zeros((FACE_SIZE, FACE_SIZE), bool)
        mask[:9, :9] = True
        try:
            restorer = self.restorer()
            restorer.restore(face, mask, aligned=True)
            restorer.find(face, aligned=True)
            restorer.find(face)
            self.ready = True
        finally:
            self.failed = not self.ready

    def check(self) -> str:
        """Why the server cannot work yet, or "" when it can."""
        if self.ready:
            return ""
        failed = "the model could not be loaded; the log of the server says why"
        return failed if self.failed else "the model is still being loaded"


def describe(weights: Weights) -> dict[str, object]:
    """What `GET /v1/models` says of a model."""
    return {
        "name": weights.name,
        "fingerprint": weights.fingerprint,
        "licence": weights.licence,
        "training_data": weights.training_data,
        "faces_seen": weights.faces_seen,
        "bytes": sum(file.size for file in weights.files),
        "prior": weights.has("prior"),
        "scores": weights.scores,
    }
