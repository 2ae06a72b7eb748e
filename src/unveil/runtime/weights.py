"""The weights that exist: a manifest beside the files, each checked by its sha256 when loaded."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unveil.errors import ModelError, WeightsError

MANIFEST = "manifest.json"
SHIPPED = Path(__file__).parent
DEFAULT_MODEL = "lite"
DEFAULT_DETAIL = 0.5  # of a model that has the choice; docs/log.md says why
SEGMENTER = "segmenter"  # finds the occluder for every model without a mask network of its own
ALIGNER = "aligner"  # aligns a face anew by what can be seen of it, for every model


@dataclass(frozen=True)
class WeightFile:
    """One file of a model.

    Its `role` is "face" (restores, .onnx), "mask" (finds the occluder, .onnx), "prior" (fills
    first, .npz), "align" (aligns anew, .onnx) or "detector" (finds faces, .onnx)."""

    role: str
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True)
class Weights:
    """A model as the manifest tells it.

    `reimplementation`: a network of others, written from their paper and trained here."""

    name: str
    files: tuple[WeightFile, ...]
    licence: str
    training_data: str
    faces_seen: int
    input_contract: str
    scores: dict[str, float]
    reimplementation: bool = False

    def has(self, role: str) -> bool:
        """Whether there is a file of this role."""
        return any(file.role == role for file in self.files)

    def file(self, role: str) -> WeightFile:
        """The file of a role.

        Raises:
            WeightsError: the model has none.
        """
        for file in self.files:
            if file.role == role:
                return file
        raise WeightsError(f"model {self.name} has no {role} network")

    @property
    def fingerprint(self) -> str:
        """`name:` and the first 16 digits of the sha256 of the network that restores."""
        return f"{self.name}:{self.file('face').sha256[:16]}"


def list_weights(folder: Path = SHIPPED) -> tuple[Weights, ...]:
    """All models of a folder's manifest, the default first.

    Raises:
        WeightsError: the manifest is missing or damaged.
    """
    path = folder / MANIFEST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["models"]
        found = [parse_entry(entry, folder) for entry in entries]
    except FileNotFoundError:
        raise WeightsError(f"{path} is missing: {_remedy(folder)}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} is damaged ({error}): {_remedy(folder)}") from None
    return tuple(sorted(found, key=lambda w: (w.name != DEFAULT_MODEL, w.name)))


def _remedy(folder: Path) -> str:
    if folder.is_relative_to(SHIPPED):
        return "install unveil again"
    return "`unveil export --name` writes such a folder"


def parse_entry(entry: dict[str, Any], folder: Path) -> Weights:
    """A model of a manifest whose files lie in a folder.

    Raises:
        KeyError, TypeError: something is missing, or of another kind.
    """
    _check_kinds(entry, _OF_A_MODEL)
    for each in entry["files"]:
        _check_kinds(each, _OF_A_FILE)
    files = tuple(
        WeightFile(f["role"], folder / f["file"], f["sha256"], f["size"]) for f in entry["files"]
    )
    return Weights(
        name=entry["name"],
        files=files,
        licence=entry["licence"],
        training_data=entry["training_data"],
        faces_seen=entry["faces_seen"],
        input_contract=entry["input_contract"],
        scores=entry["scores"],
        reimplementation=entry.get("reimplementation", False),
    )


_OF_A_MODEL = {
    "name": str,
    "files": list,
    "licence": str,
    "training_data": str,
    "faces_seen": int,
    "input_contract": str,
    "scores": dict,
}
_OF_A_FILE = {"role": str, "file": str, "sha256": str, "size": int}


def _check_kinds(entry: dict[str, Any], kinds: dict[str, type]) -> None:
    for name, kind in kinds.items():
        if not isinstance(entry[name], kind):
            raise TypeError(f"{name}: {entry[name]!r}")
    for name, score in entry.get("scores", {}).items():
        if not isinstance(score, int | float):
            raise TypeError(f"the score {name}: {score!r}")


def folder_of(name: str | Path) -> tuple[Path, str]:
    """A model's folder, and its name there.

    >>> folder_of("lite")[0] == SHIPPED, folder_of("./lite")[0] == Path()
    (True, True)
    """
    path = Path(name)  # which drops "./"
    return path.parent if os.path.dirname(name) else SHIPPED, path.name


def find_weights(name: str | Path) -> Weights:
    """A shipped model by name, or a model of another folder by `FOLDER/NAME`.

    Raises:
        ModelError: no such model, or a folder of them; names those that restore.
        WeightsError: the manifest is missing or damaged.
    """
    inside = (Path(name) / MANIFEST).is_file()
    if not (inside and os.path.dirname(name)):
        folder, own = folder_of(name)
        known = list_weights(folder)
        for weights in known:
            if weights.name == own:
                return weights
        if not inside:
            raise ModelError(f"no model {own!r}; there are: {', '.join(_restoring(known))}")
    names = ", ".join(str(Path(name) / own) for own in _restoring(list_weights(Path(name))))
    raise ModelError(f"{name} is a folder of models; there are: {names}")


def _restoring(known: Iterable[Weights]) -> list[str]:
    return [weights.name for weights in known if weights.has("face")]


def read_checked(file: WeightFile) -> bytes:
    """The bytes of a weight file, whose sha256 is that of the manifest.

    Raises:
        WeightsError: missing, cut off or altered.
    """
    try:
        data = file.path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise WeightsError(f"{file.path}: {reason}: {_remedy(file.path.parent)}") from None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise WeightsError(
            f"{file.path} is damaged, its sha256 is not that of the manifest: "
            f"{_remedy(file.path.parent)}"
        )
    return data
