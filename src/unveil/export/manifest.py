"""Writes a model's files and its entry in the manifest that the runtime reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unveil.errors import WeightsError
from unveil.export.check import check, round_to_half
from unveil.export.onnx import HALF_FROM, export, fold, load_generator
from unveil.files import atomic_path, write_bytes
from unveil.imaging import Photo, occlude
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle
from unveil.runtime.session import CONTRACT
from unveil.runtime.weights import MANIFEST
from unveil.training import checkpoint

ROLES = ("face", "mask")


def export_model(
    path: Path,
    folder: Path,
    name: str,
    faces: Photo,
    *,
    licence: str,
    training_data: str,
    tell: Callable[[str], None],
) -> None:
    """Export both branches of a checkpoint, check them against torch, and list them.

    Args:
        path: the checkpoint.
        folder: gets NAME-face.onnx, NAME-mask.onnx and manifest.json.
        faces: (N, 256, 256, 3) uint8 real faces, for the check.
        licence, training_data: words for the manifest.
        tell: is given a line for each network.

    Raises:
        WeightsError: a file does not compute what its network does.
    """
    state = checkpoint.load(path)
    masks = np.stack([paper_rectangle(Seeded(0, i)) for i in range(len(faces))])
    occluded = occlude(faces, masks)
    files: list[dict[str, Any]] = []
    for role in ROLES:
        network = load_generator(path, role)
        target = folder / f"{name}-{role}.onnx"
        with atomic_path(target) as partial:
            export(network, role, partial)
            rounded = round_to_half(fold(network), HALF_FROM)
            worst = check(rounded, partial, occluded)
        data = target.read_bytes()
        files.append(
            {
                "role": role,
                "file": target.name,
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
            }
        )
        tell(f"{target.name}: {len(data):,} bytes, differs from torch by {worst:.1e}")
    entry = {
        "name": name,
        "files": files,
        "licence": licence,
        "training_data": training_data,
        "faces_seen": state["faces_seen"],
        "input_contract": CONTRACT,
        "scores": {},
    }
    write_entry(folder, entry)


def write_entry(folder: Path, entry: dict[str, Any]) -> None:
    """Put a model's entry into the folder's manifest in place of an older one of its name."""
    path = folder / MANIFEST
    models: list[dict[str, Any]] = []
    if path.exists():
        try:
            models = json.loads(path.read_text(encoding="utf-8"))["models"]
        except (ValueError, KeyError) as error:
            raise WeightsError(f"{path} is damaged: {error}") from None
    models = [m for m in models if m["name"] != entry["name"]] + [entry]
    models.sort(key=lambda m: str(m["name"]))
    text = json.dumps({"models": models}, indent=2) + "\n"
    write_bytes(path, text.encode())


def write_scores(folder: Path, name: str, scores: dict[str, float]) -> None:
    """Put measured scores into a model's entry.

    Raises:
        WeightsError: the manifest has no model of that name.
    """
    models = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["models"]
    for entry in models:
        if entry["name"] == name:
            write_entry(folder, entry | {"scores": scores})
            return
    raise WeightsError(f"{folder / MANIFEST} has no model {name}")
