"""All results in one document: tables, quality against cost, restored faces, the worst cases."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unveil.data.faces import FaceSet
from unveil.errors import UsageError
from unveil.evaluation import figures, plots, report, tables
from unveil.evaluation.benchmark import faces_sha256, measure_parts
from unveil.evaluation.candidates import Candidate, Spec, build
from unveil.evaluation.document import Block, Document, Section
from unveil.evaluation.protocols import PROTOCOLS, MaskSet
from unveil.evaluation.summary import summarise
from unveil.evaluation.timing import COST

Results = dict[str, Any]

TITLE = "Faces restored: what was measured"
LEAD = (
    "Every number names its faces and its masks; intervals are of 95 %. The hidden part of every "
    "restored face is invented: it is one plausible face, not the face that was there."
)
MEASURED = (
    "*Raw* is a model's whole output; *pasted*: known pixels are the input's. PSNR in dB and SSIM: "
    "more is better; L1 (0..255), perceptual and Fréchet distance: less is better. The perceptual "
    "distance is in SqueezeNet's features and is not LPIPS; the Fréchet distance, of the set of "
    "restored faces from the set of clean ones, is in the same features and is not FID. `lite` was "
    "trained with these features, so both favour it over networks that were not. *IoU of the mask "
    "found*: of the hidden part that a model finds by itself and the true one, 1 = the same; of "
    "our models, `paper` and `paper-1k` have a network of their own for it, all others the shared "
    "segmenter."
)
TITLES = {
    "paper": "Rectangles, as in the paper",
    "tables": "Rectangles, as in the paper's Tables 2 and 3",
    "strokes": "Brush strokes",
    "objects": "Realistic occluders",
    "centre": "A hole in the middle",
    "robust": "Photos of other kinds",
    COST: "What each model costs",
    "segmenter": "Finding what hides a face",
    "real_occluders": "What real people wear and hold",
    "reliability": "Is the stated error the real one?",
    "groups": "For whom it works less well",
    "recognition": "What restoration does for recognition",
    "photos": "Whole photographs, step by step",
    "video": "Through time",
    "scale": "What an archive costs",
    "speed": "Speed and memory of whole photographs",
    "load": "The service under load",
}


@dataclass(frozen=True)
class Shown:
    """The faces that a report shows, and who restores them.

    Attributes:
        faces: any; where they are not those of the results, the worst are looked for among them.
        specs: the models, ours first.
    """

    faces: FaceSet
    specs: tuple[Spec, ...]


def compile_document(
    results: Sequence[Results], shown: Shown | None = None, logs: Sequence[Path] = ()
) -> Document:
    """The report of these results.

    Args:
        results: of `report.read_results`, each of another protocol.
        shown: faces to restore for the paper's figures; None: no faces.
        logs: CSV files of trainings, for the curve in the place of Figure 4.

    Raises:
        UsageError: two results of one protocol, or models to show that are not those measured.
        DataError: a log that is none.
    """
    by_name: dict[str, Results] = {}
    for each in results:
        if each["protocol"] in by_name:
            raise UsageError(f"two results of the protocol {each['protocol']}: give one of each")
        by_name[each["protocol"]] = each
    sections = [_section(each) for each in results]
    if COST in by_name:
        measured = [each for each in results if each["protocol"] in PROTOCOLS]
        sets = {name: s for each in measured for name, s in each["sets"].items()}
        wanted = [name for name in tables.TABLE_2 if name in sets] or [*sets][:1]
        drawn = [
            plot
            for name in wanted
            for plot in plots.quality_against_cost(sets[name], name, by_name[COST])
        ]
        if drawn:
            text = "Circles: learned; squares: not learned; the first model in its own colour."
            sections.append(Section("Quality against cost", [text, *drawn]))
    if logs:
        text = (
            "In the place of the paper's Figure 4, its first results of training, whose weights "
            "nobody keeps: what the logs say of validation faces."
        )
        sections.append(Section("Training", [text, *plots.training_curves(logs)]))
    if shown:
        sections += _faces(results, shown)
    sections.append(Section("What is measured", [MEASURED]))
    return Document(TITLE, LEAD, tuple(sections))


def _section(results: Results) -> Section:
    protocol = results["protocol"]
    blocks: list[Block] = [text for text in (report.lead(results),) if text]
    if protocol not in report.OTHERS:
        if set(tables.TABLE_2) <= results["sets"].keys():
            blocks += [*tables.table_2(results), *tables.table_3(results)]
            if results["sets"][tables.TABLE_3]["differences"]:
                blocks += tables.ahead(results)
        blocks += tables.of_sets(results)
        blocks += [*tables.in_full(results), *tables.differences(results), *tables.worst(results)]
    else:
        blocks += report.main_tables(results)
    return Section(TITLES.get(protocol) or str(protocol), blocks)


def _faces(results: Sequence[Results], shown: Shown) -> list[Section]:
    _check_models(results, shown.specs)
    models = [build(spec) for spec in shown.specs]
    names = ", ".join(f"`{model.name}`" for model in models)
    text = f"{len(shown.faces)} faces, restored by {names}."
    sections = [
        Section("The paper's figures", [text, *figures.paper_figures(models, shown.faces.faces)])
    ]
    sha256 = faces_sha256(shown.faces.faces)
    for each in results:
        sets = [s for s in PROTOCOLS.get(each["protocol"], ()) if s.name in tables.TABLE_2]
        if sets and len(models) > 1:
            same = each["data"]["sha256"] == sha256
            sections.append(_worst(models, shown, sets, each if same else None))
            break
    return sections


def _worst(
    models: Sequence[Candidate], shown: Shown, sets: Sequence[MaskSet], results: Results | None
) -> Section:
    """Of the results where they are of these very faces; else found among these faces."""
    faces = shown.faces
    if results:
        summaries = results["sets"]
    else:
        with tempfile.TemporaryDirectory() as folder:
            parts = measure_parts(shown.specs, sets, faces, Path(folder))
        summaries = {
            s.name: summarise(
                s, {m.label: parts[s.name, m.label] for m in shown.specs}, len(faces), faces.people
            )
            for s in sets
        }
    whose = "of the tables" if results else "of the figures above, not of the tables"
    text = (
        f"The faces on which `{models[0].name}` falls behind each of the others by most, ten at "
        f"most, among the {len(faces):,} faces {whose}; known pixels are the input's."
    )
    blocks: list[Block] = [text]
    for mask_set in sets:
        blocks += figures.worst_figures(models, faces.faces, mask_set, summaries[mask_set.name])
    if len(blocks) == 1:
        blocks.append("It falls behind none of them on any of these faces.")
    return Section("The worst cases", blocks)


def _check_models(results: Sequence[Results], specs: Sequence[Spec]) -> None:
    for each in results:
        if each["protocol"] not in (*PROTOCOLS, COST):
            continue
        for spec in specs:
            measured = each["models"].get(spec.label)
            if measured and measured["sha256"] != dict(spec.sha256):
                raise UsageError(
                    f"--models {spec.label}: its weights are not those of the {each['protocol']} "
                    "results: evaluate again, or show the model that was measured"
                )
