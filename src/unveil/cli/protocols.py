"""Protocols of `unveil evaluate` that are not of models under masks, from options to a JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from unveil.errors import DataError, ImageError, UsageError
from unveil.runtime.weights import SEGMENTER

RELIABILITY, RECOGNITION, WHOLE_PHOTOS = "reliability", "recognition", "photos"

if TYPE_CHECKING:
    from unveil.data.faces import FaceSet
    from unveil.evaluation.candidates import Spec
    from unveil.imaging import Photo


def make_folder(out: Path) -> None:
    """Make the folder of the results, rather than find out after an hour of measuring."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be made: {error.strerror or error}") from None


def cost(specs: list[Spec], out: Path) -> dict[str, Any]:
    """Measure what the models cost; write and give back `cost.json`."""
    from unveil.evaluation import timing
    from unveil.evaluation.benchmark import write_json

    results = timing.measure(specs)
    write_json(out / f"{timing.COST}.json", results)
    return results


def recognition(
    names: list[str],
    data: Path,
    out: Path,
    prior: Path | None,
    faceres: Path | None,
    pairs: int,
    grid: int,
    jobs: int,
) -> dict[str, Any]:
    """Compare hidden and restored faces; write and give back `recognition.json`, draw grids."""
    from unveil.data.pairs import load_pairs
    from unveil.evaluation.arms import Arm
    from unveil.evaluation.candidates import Candidate
    from unveil.evaluation.grid import write_grid
    from unveil.evaluation.identity import treatment
    from unveil.evaluation.protocols import RECOGNITION as SETS
    from unveil.evaluation.recognisers import dlib, hse_faceres
    from unveil.evaluation.recognition import measure

    arms = [Arm.of(name, prior) for name in names]
    listed = load_pairs(data)
    results, faces = measure(
        arms,
        listed.thinned(pairs) if pairs else listed,
        out,
        data="/".join(data.resolve().parts[-2:]),
        judges=[dlib(), *([hse_faceres(faceres)] if faceres else [])],
        jobs=jobs,
    )
    if grid:
        # One that compares more than the restored face restores as without.
        candidates = [Candidate(arm.label, treatment(arm)) for arm in arms if not arm.compared]
        for mask_set in SETS:
            path = out / f"{mask_set.name}.png"
            write_grid(path, candidates, faces.faces, mask_set, grid, faces.places)
    return results


def whole_photos(
    names: list[str], data: Path, out: Path, first: int, without: Path | None = None
) -> dict[str, Any]:
    """Hide faces of photos, restore them, and tell what each step costs; writes `photos.json`.

    Photos that the list `without` names, as they are named in the folder, are left out.
    """
    from unveil.cli.inputs import expand
    from unveil.data.left_out import read_names
    from unveil.evaluation import whole_photos
    from unveil.evaluation.benchmark import write_json
    from unveil.evaluation.candidates import specify
    from unveil.evaluation.parts import networks
    from unveil.restorer import Restorer

    spec = specify(names[0]) if len(names) == 1 else None
    if spec is None or spec.blend or "@" in spec.label:
        raise UsageError(f"--models {','.join(names)}: the photos protocol takes one model's name")
    if "mask" not in dict(spec.sha256):
        raise UsageError(f"--models {names[0]}: it does not look for occluders")
    make_folder(out)
    absent = read_names(without) if without else frozenset()
    there = {path: (below / path.name).as_posix() for path, below in expand([str(data)]).items()}
    paths = [path for path, name in there.items() if name not in absent][: first or None]
    if not paths:
        raise DataError(f"{without} leaves no photos of {data}")
    for path in paths:
        _read(path)  # a damaged one: better said before the work
    named = "/".join(data.resolve().parts[-2:])
    results = whole_photos.measure(
        Restorer(spec.name),
        map(_read, paths),
        len(paths),
        name=spec.label,
        data=named,
        left_out=sum(name in absent for name in there.values()),
    )
    # All that takes part: who finds a face and aligns it, too.
    write_json(out / f"{WHOLE_PHOTOS}.json", results | {"sha256": networks(spec.name)})
    return results


def _read(path: Path) -> Photo:
    from unveil.files import read_image

    try:
        return read_image(path).photo
    except ImageError as error:
        raise DataError(f"{path}: {error}") from None


def segmenter(
    spec: Spec, faces: FaceSet, occluders: Path | None, out: Path, data: str
) -> dict[str, Any]:
    """Measure how well a model finds occluders; write and give back `segmenter.json`."""
    from unveil.evaluation import segmentation
    from unveil.evaluation.benchmark import write_json
    from unveil.evaluation.candidates import build
    from unveil.occlusion.objects.files import FileOccluders

    find = build(spec).find_mask
    if find is None:
        raise UsageError(f"--models {spec.label}: it does not look for occluders")
    files = FileOccluders.load(occluders).split("held-back") if occluders else None
    results = segmentation.measure(
        find, faces.faces, files, name=spec.label, data=data, people=faces.people
    )
    write_json(out / f"{SEGMENTER}.json", results | {"sha256": dict(spec.sha256)})
    return results


def reliability(spec: Spec, faces: Photo, out: Path, data: str) -> dict[str, Any]:
    """Compare stated with measured errors; write and give back `reliability.json`, and a plot."""
    from unveil.evaluation import reliability
    from unveil.evaluation.benchmark import write_json
    from unveil.evaluation.protocols import PROTOCOLS
    from unveil.runtime.model import FaceModel, Manner

    model = FaceModel.load(spec.name, threads=0)
    results = reliability.measure(
        model.prior,
        lambda face, mask: model.fill(face[None], mask[None], Manner(spec.detail))[0],
        faces,
        PROTOCOLS["paper"][1],
        name=spec.label,
        data=data,
    )
    write_json(out / f"{RELIABILITY}.json", results | {"sha256": dict(spec.sha256)})
    reliability.plot(results, out / f"{RELIABILITY}.png")
    return results
