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
from unveil.export.onnx import HALF_FROM, Exported, export, load_exportable
from unveil.files import atomic_path, write_bytes
from unveil.imaging import Photo, occlude, to_network
from unveil.models.prior import FacePrior
from unveil.models.prior_fit import calibrate
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle, rectangle
from unveil.runtime.model import FaceModel
from unveil.runtime.weights import MANIFEST
from unveil.training import checkpoint
from unveil.training.lite_task import prior_of

CHECKED = 32
CALIBRATION_FACES = 200


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
    """Export all networks of a checkpoint, check them against torch, and list them.

    Args:
        path: the checkpoint.
        folder: gets NAME-face.onnx, NAME-mask.onnx, NAME-align.onnx, NAME-prior.npz, as the model
            has them, and manifest.json.
        faces: (N, 256, 256, 3) uint8 real faces, not of the training, for the check and for the
            calibration of a model with a prior.
        licence, training_data: words for the manifest.
        tell: is given a line for each file.

    Raises:
        UsageError: as `load_exportable`, before anything is written.
        WeightsError: a file does not compute what its network does.
    """
    networks = load_exportable(path)
    state = checkpoint.load(path)
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for exported in networks:
        target = folder / f"{name}-{exported.role}.onnx"
        with atomic_path(target) as partial:
            export(exported, partial)
            rounded = round_to_half(exported.network, HALF_FROM)
            prior = prior_of(state) if exported.filled else None
            worst = check(rounded, partial, _inputs(exported, prior, faces[:CHECKED]))
        written[exported.role] = target
        tell(f"{target.name}: {target.stat().st_size:,} bytes, differs from torch by {worst:.1e}")
        if prior:
            written["prior"] = folder / f"{name}-prior.npz"
            prior.save(written["prior"])
    write_entry(
        folder,
        {
            "name": name,
            "files": [_file_entry(role, target) for role, target in written.items()],
            "licence": licence,
            "training_data": training_data,
            "faces_seen": state["faces_seen"],
            "input_contract": exported.contract,
            "reimplementation": exported.reimplementation,
            "scores": {},
        },
    )
    if "prior" in written:
        calibrated = _calibrate(folder / name, faces[:CALIBRATION_FACES])
        calibrated.save(written["prior"])
        entry = _read_models(folder)[name]
        entry["files"] = [_file_entry(role, target) for role, target in written.items()]
        write_entry(folder, entry)
        tell(f"expected error: {calibrated.calibration} of variance and texture")


def _inputs(exported: Exported, prior: FacePrior | None, faces: Photo) -> dict[str, Any]:
    """The inputs that the runtime gives for faces with the paper's rectangles."""
    masks = np.stack([paper_rectangle(Seeded(0, i)) for i in range(len(faces))])
    if prior is None:
        inputs = {"face": to_network(occlude(faces, masks))}
    else:
        filled = np.stack([prior.fill(f, m) for f, m in zip(faces, masks, strict=True)])
        inputs = {"face": to_network(filled)}
    if "mask" in exported.inputs:
        inputs["mask"] = masks[:, None].astype(np.float32)
    if "detail" in exported.inputs:
        inputs["detail"] = np.linspace(0, 1, len(faces), dtype=np.float32)[:, None, None, None]
    if exported.noise:
        shape = (len(faces), *exported.noise)
        inputs["noise"] = np.random.default_rng(0).standard_normal(shape, np.float32)
    return inputs


def _calibrate(model: Path, faces: Photo) -> FacePrior:
    """The prior with the expected error of the network on top of it."""
    network = FaceModel.load(model)
    masks = [rectangle(Seeded(1, i), 0.1, 0.3) for i in range(len(faces))]
    return calibrate(
        network.prior, faces, masks, lambda face, mask: network.fill(face[None], mask[None])[0]
    )


def _file_entry(role: str, path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return {"role": role, "file": path.name, "sha256": digest, "size": len(data)}


def _read_models(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / MANIFEST
    try:
        models = json.loads(path.read_text(encoding="utf-8"))["models"]
        return {m["name"]: m for m in models}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from None


def write_entry(folder: Path, entry: dict[str, Any]) -> None:
    """Put a model's entry into the folder's manifest in place of an older one of its name."""
    models = _read_models(folder) | {entry["name"]: entry}
    ordered = [models[name] for name in sorted(models)]
    write_bytes(folder / MANIFEST, (json.dumps({"models": ordered}, indent=2) + "\n").encode())
