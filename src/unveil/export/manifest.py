"""Writes a model's files and its entry in the manifest that the runtime reads."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from unveil.errors import WeightsError
from unveil.export.check import check, round_to_half
from unveil.export.onnx import HALF_FROM, Exported, export, exportable
from unveil.files import atomic_path, write_bytes
from unveil.imaging import Photo, occlude, to_network
from unveil.models.prior import FacePrior
from unveil.models.prior_fit import calibrate
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import paper_rectangle, rectangle
from unveil.runtime.model import FaceModel
from unveil.runtime.session import FaceNetwork
from unveil.runtime.weights import MANIFEST, Weights, parse_entry
from unveil.training import checkpoint
from unveil.training.lite_model import prior_of

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

    A model of the same name is replaced when all that can fail is done.

    Args:
        path: the checkpoint.
        folder: gets NAME-face.onnx, NAME-mask.onnx, NAME-align.onnx, NAME-prior.npz, as the model
            has them, and manifest.json.
        faces: (N, 256, 256, 3) uint8 real faces, not of the training, for the check and for the
            calibration of a model with a prior.
        licence, training_data: words for the manifest.
        tell: is given a line for each file.

    Raises:
        UsageError: as `exportable`, before anything is written.
        WeightsError: a file does not compute what its network does, or the folder's manifest is
            damaged.
    """
    _read_models(folder)  # a damaged one: better said before the work
    state = checkpoint.load(path)
    networks = exportable(state, path)
    entry = {
        "name": name,
        "files": [],
        "licence": licence,
        "training_data": training_data,
        "faces_seen": state["faces_seen"],
        "input_contract": networks[-1].contract,
        "reimplementation": networks[-1].reimplementation,
        "scores": {},
    }
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{name}.", dir=folder) as made:
        prior = prior_of(state) if any(network.filled for network in networks) else None
        written = _write_networks(Path(made), name, networks, prior, faces[:CHECKED], tell)
        if prior:
            written["prior"] = Path(made) / f"{name}-prior.npz"
            prior.save(written["prior"])
            weights = parse_entry(entry | {"files": _file_entries(written)}, Path(made))
            calibrated = _calibrate(weights, faces[:CALIBRATION_FACES])
            calibrated.save(written["prior"])
            tell(f"expected error: {calibrated.calibration} of variance and texture")
        entry["files"] = _file_entries(written)
        for file in written.values():
            with atomic_path(folder / file.name) as partial:
                shutil.move(file, partial)
    write_entry(folder, entry)


def _write_networks(
    folder: Path,
    name: str,
    networks: Sequence[Exported],
    prior: FacePrior | None,
    faces: Photo,
    tell: Callable[[str], None],
) -> dict[str, Path]:
    """The files of checked networks, by role."""
    written = {}
    for exported in networks:
        target = folder / f"{name}-{exported.role}.onnx"
        export(exported, target)
        rounded = round_to_half(exported.network, HALF_FROM)
        worst = check(rounded, target, _inputs(exported, prior, faces))
        tell(f"{target.name}: {target.stat().st_size:,} bytes, differs from torch by {worst:.1e}")
        written[exported.role] = target
    return written


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


def _calibrate(weights: Weights, faces: Photo) -> FacePrior:
    """The prior with the expected error of the network on top of it."""
    network = FaceModel(FaceNetwork(weights))
    masks = [rectangle(Seeded(1, i), 0.1, 0.3) for i in range(len(faces))]
    return calibrate(
        network.prior, faces, masks, lambda face, mask: network.fill(face[None], mask[None])[0]
    )


def _file_entries(files: Mapping[str, Path]) -> list[dict[str, Any]]:
    """What the manifest says of files, which are given by their role."""
    entries = []
    for role, path in files.items():
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        entries.append({"role": role, "file": path.name, "sha256": digest, "size": len(data)})
    return entries


def _read_models(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / MANIFEST
    try:
        models = json.loads(path.read_text(encoding="utf-8"))["models"]
        return {str(m["name"]): m for m in models}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from None


def write_entry(folder: Path, entry: dict[str, Any]) -> None:
    """Put a model's entry into the folder's manifest in place of an older one of its name."""
    models = _read_models(folder) | {entry["name"]: entry}
    ordered = [models[name] for name in sorted(models)]
    write_bytes(folder / MANIFEST, (json.dumps({"models": ordered}, indent=2) + "\n").encode())
