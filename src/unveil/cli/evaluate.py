"""unveil evaluate"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from unveil.cli import protocols
from unveil.cli.chosen import (
    check_there,
    check_used,
    list_models,
    load_chosen,
    specify_models,
    split_names,
)
from unveil.cli.options import OUT, Without, some_path
from unveil.cli.protocols import RECOGNITION, RELIABILITY, WHOLE_PHOTOS
from unveil.errors import UsageError
from unveil.runtime.weights import SEGMENTER

GROUPS = "groups"
LEAST = 2
# Whose faces --grid draws: those with a mask for each.
DRAWN = ("paper", "tables", "strokes", "objects", "centre", "robust", RECOGNITION)


def evaluate(
    models: Annotated[
        str,
        typer.Option(
            help="Names, comma-separated, the first to be compared with each of the others: all "
            "(whatever is installed), telea, navier-stokes, patchmatch, gmic-matchpatch, "
            "gmic-pde, mean-face, eigenface, a name of `unveil weights`, FOLDER/NAME or FOLDER of "
            "other weights, with @DETAIL (lite@0), with +blend as `unveil restore` joins them to "
            "their surroundings, or an .onnx file. recognition: also with +found (it finds what "
            "is hidden), and last +seen (the hidden face counts as well) or +alike (what hides one "
            "photo is put on the other, too)."
        ),
    ],
    data: Annotated[
        list[Path],
        typer.Option(
            help="Folder, .tar or index.csv of aligned faces; give it again for more. recognition: "
            "a CSV of pairs (fold, image_a, image_b, same) with its photos beside it. photos: a "
            "folder of whole photographs of faces that nothing hides.",
            parser=some_path,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            *OUT, help="Folder for PROTOCOL.json; a stopped run goes on.", parser=some_path
        ),
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
        Path | None, typer.Option(help="The prior of eigenface and mean-face.", parser=some_path)
    ] = None,
    grid: Annotated[
        int, typer.Option(min=0, help=f"Also draw this many faces, as PNG: {', '.join(DRAWN)}.")
    ] = 0,
    occluders: Annotated[
        Path | None,
        typer.Option(
            help="segmenter: a folder of RGBA occluders; its held-back third is used.",
            parser=some_path,
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            help="squeezenet_weights.pkl of ndf 0.1.4, for the perceptual and Fréchet distances.",
            parser=some_path,
        ),
    ] = None,
    faceres: Annotated[
        Path | None,
        typer.Option(
            help="faceres.json of the npm package @vladmandic/human 3.3.6, faceres.bin beside it. "
            "recognition: a second recogniser; groups: by sex and age, too.",
            parser=some_path,
        ),
    ] = None,
    without: Without = None,
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
    check_used("--occluders", occluders, chosen, (SEGMENTER,))
    check_used("--faceres", faceres, chosen, (RECOGNITION, GROUPS))
    check_used("--without", without, chosen, (WHOLE_PHOTOS,))
    check_used("--pairs", pairs, chosen, (RECOGNITION,))
    check_used("--grid", grid, chosen, DRAWN)
    check_used("--features", features, chosen, choices, but=(RECOGNITION, WHOLE_PHOTOS))
    check_used("--prior", prior, chosen, choices, but=(WHOLE_PHOTOS,))
    check_used("--faces", first, chosen, choices, but=(RECOGNITION, timing.COST))
    check_used("--split", split, chosen, choices, but=(RECOGNITION, WHOLE_PHOTOS))
    one_process = (WHOLE_PHOTOS, SEGMENTER, RELIABILITY, timing.COST)
    check_used("--jobs", jobs, chosen, choices, but=one_process)
    # All protocols take both, so that one line serves them all; not all of them open the file.
    check_there("--features", features)
    check_there("--prior", prior)
    processes = jobs or os.cpu_count() or 1
    for alone in (RECOGNITION, WHOLE_PHOTOS):
        if alone in chosen and (len(chosen) > 1 or len(data) > 1):
            raise UsageError(f"--protocol {alone} takes one --data, and no protocol beside it")
    if RECOGNITION in chosen:
        listed = list_models(models, prior)
        results = protocols.recognition(
            listed, data[0], out, prior, faceres, pairs, grid, processes
        )
        typer.echo(markdown(results))
        return
    if WHOLE_PHOTOS in chosen:
        listed = list_models(models)
        results = protocols.whole_photos(listed, data[0], out, first, without)
        typer.echo(markdown(results))
        return
    specs = specify_models(models, prior)
    for alone in (SEGMENTER, RELIABILITY):
        if alone in chosen and len(specs) != 1:
            raise UsageError(f"--models {models}: the {alone} protocol takes one model")
        # Segmenters have neither, and reliability is of the whole model, which blends.
        if alone in chosen and (specs[0].blend or (alone == SEGMENTER and "@" in specs[0].label)):
            raise UsageError(f"--models {models}: no such choice in the protocol {alone}")
    if chosen == [timing.COST]:  # which is of one face of ours
        for source in data:
            check_there("--data", source)
        protocols.make_folder(out)
        typer.echo(markdown(protocols.cost(specs, out)))
        return
    faces, name = load_chosen(data, split, first)
    known = units(len(faces), faces.people)
    if known < LEAST:
        what = "faces" if faces.people is None else "people"
        raise UsageError(f"{name}: intervals take {LEAST} {what} at least, not {known}")
    protocols.make_folder(out)
    for each in chosen:
        if each == SEGMENTER:
            results = protocols.segmenter(specs[0], faces, occluders, out, name)
        elif each == RELIABILITY:
            results = protocols.reliability(specs[0], faces.faces, out, name)
        elif each == timing.COST:
            results = protocols.cost(specs, out)
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
