"""unveil occlude"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from unveil.cli.options import OUT, Split, some_path
from unveil.errors import DataError, ImageError, UsageError
from unveil.names import is_occluded, leads_out

if TYPE_CHECKING:
    from unveil.cli.inputs import Failure
    from unveil.data.sources import Entry
    from unveil.data.triplets import Triplet
    from unveil.imaging import Mask, Photo
    from unveil.occlusion.objects.files import FileOccluders

# What a face's files end in, those of --triplets and those without it.
TRIPLET, MASK, OCCLUDED = ".triplet.png", ".mask.png", ".occluded.png"
STROKES_COVERAGE = (0.10, 0.15)  # the first of the paper's two bins


class Shape(StrEnum):
    """What hides."""

    rectangle = "rectangle"
    strokes = "strokes"
    objects = "objects"


def occlude(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            help="Aligned faces: files, folders, globs, tars of images, an index.csv, or -.",
        ),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write to.", parser=some_path)],
    shape: Annotated[Shape, typer.Option(help="What hides.")] = Shape.rectangle,
    coverage: Annotated[
        str | None,
        typer.Option(
            metavar="LOW-HIGH",
            help="Hidden part of the face, as 0.10-0.15, up to 0.6. Default: the paper's "
            "rectangles of 50..100 px a side (of 256); for strokes 0.10-0.15. Not for objects, "
            "which have their own size.",
        ),
    ] = None,
    occluders: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="For objects: RGBA images with anchors, taken for a part of the faces.",
            parser=some_path,
        ),
    ] = None,
    split: Split = "",
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the occluders.")] = 0,
    size: Annotated[
        int, typer.Option(min=16, max=2048, help="Side of the faces written, in pixels.")
    ] = 256,
    triplets: Annotated[
        bool,
        typer.Option("--triplets", help="One image a face: mask, clean and occluded side by side."),
    ] = False,
) -> None:
    """Hide a part of aligned faces, to look at or to measure with.

    Training does not need it: it hides faces by itself.

    Rectangles and strokes are black; objects are masks, glasses, hats, hands and more in the light
    of the photo, where a pixel counts as hidden that is more occluder than face.

    Writes NAME.occluded.png and NAME.mask.png (white = hidden), or NAME.triplet.png, and
    occlusions.csv, a line a face; what stands there of other files stays. NAME is the input's path
    within its folder or tar, and with the seed all that its occluder depends on: faces added or
    left out do not change the others'.
    """
    from unveil.cli.inputs import for_each, report
    from unveil.cli.table import TABLE, read_table, write_table
    from unveil.progress import track

    if output == Path("-"):
        raise UsageError("-o -: a folder is needed, for several files are written")
    if output.exists() and not output.is_dir():
        raise UsageError(f"-o {output}: not a folder")
    read_table(output / TABLE)  # a damaged one: better said before the work
    rows: dict[str, list[object]] = {}
    faces, failures = _find(inputs, split)
    _check_apart(output, faces.values(), (TRIPLET,) if triplets else (OCCLUDED, MASK))
    occluder = _occluder(shape, coverage, occluders, seed, size)
    written: dict[str, Path] = {}

    def one(place: Path) -> None:
        entry = faces[place]
        name = _output_name(entry)
        if name in written:
            raise DataError(f"{name}.* was already written from {written[name]}")
        hidden = occluder.hide(name, _read(entry, size))
        file = _write_triplet(output, name, hidden) if triplets else None
        file = file or _write_pair(output, name, hidden)
        written[name] = place
        rows[file] = [file, place.as_posix(), *occluder.describe(hidden.mask)]

    occluder.check()
    try:
        failures += for_each(track(faces, "occluding", len(faces)), one)
    finally:
        if written:  # when it is stopped, too
            # Read anew: others may have written into it meanwhile.
            write_table(output / TABLE, read_table(output / TABLE) | rows)
    raise typer.Exit(report(failures, len(written) + len(failures)))


def _find(inputs: Iterable[str], split: str) -> tuple[dict[Path, Entry], list[Failure]]:
    """The faces by the place where they lie, each once; and the sources that cannot be listed."""
    from unveil.cli.inputs import STDIN, Failure, expand
    from unveil.data.sources import Entry, list_entries

    faces: dict[Path, Entry] = {}
    failures = []
    for argument in inputs:
        source = Path(argument)
        if split and source.suffix != ".csv":
            raise UsageError(f"--split is for an index.csv: {argument} has no splits")
        if (argument and os.path.isdir(source)) or source.suffix in (".tar", ".csv"):
            try:
                entries = list_entries(source, split)
            except DataError as error:
                failures.append(Failure(source, str(error)))
                continue
        else:
            # The size is asked when the file is read: a missing one fails then, like a bad one.
            entries = [
                Entry("stdin.png" if path == STDIN else path.name, path, 0, -1)
                for path in expand([argument])
            ]
        # A file is taken whatever its name, if it was named itself.
        entries = [e for e in entries if e.path == source or not is_occluded(PurePath(e.name))]
        if not entries:
            raise UsageError(f"{argument}: no images")
        faces.update((entry.place, entry) for entry in entries)
    return faces, failures


def _check_apart(output: Path, faces: Iterable[Entry], endings: Iterable[str]) -> None:
    """Refuse to write over a face before it is read."""
    from unveil.cli.outputs import check_apart

    names = [_output_name(face) for face in faces if not leads_out(face.name)]
    written = (output / f"{name}{ending}" for name in names for ending in endings)
    there = filter(os.path.exists, written)  # no other one can be an input
    check_apart({"-o": there}, {"an input too": (face.path for face in faces)})


def _read(entry: Entry, size: int) -> Photo:
    from unveil.cli import images
    from unveil.cli.inputs import STDIN
    from unveil.data.sources import decode_face, to_face

    if entry.path == STDIN:
        return to_face(images.read(STDIN)[0].photo, size)
    return decode_face(entry, size)


def _output_name(entry: Entry) -> str:
    """The entry's name without its suffix, as a path below the output folder."""
    if leads_out(entry.name):
        raise DataError(f"its name leads out of the output folder: {entry.name!r}")
    return str(PurePosixPath(entry.name).with_suffix(""))


@dataclass(frozen=True)
class _Occluder:
    """Hides faces by name, and describes the masks for the table."""

    shape: Shape
    bounds: tuple[float, float] | None
    files: FileOccluders | None
    seed: int
    size: int

    def check(self) -> None:
        """A coverage that cannot be reached is a wrong call, before any work."""
        if self.shape is not Shape.objects:
            self.draw("")

    def hide(self, name: str, face: Photo) -> Triplet:
        import numpy as np

        from unveil.data.triplets import Triplet, make_triplet
        from unveil.occlusion.compose import LEAST, compose
        from unveil.occlusion.objects.choose import draw
        from unveil.occlusion.objects.head import Head
        from unveil.occlusion.seeded import Seeded

        if self.shape is not Shape.objects:
            return make_triplet(face, self.draw(name))
        words = Seeded.for_name(self.seed, name)
        seed = [words.integer(0, 2**32 - 1) for _ in range(4)]
        rng = np.random.Generator(np.random.PCG64(seed))
        occluded, mask = compose(face, draw(rng, Head.of(face), self.files), rng)
        return Triplet(occluded, face, mask >= LEAST)

    def draw(self, name: str) -> Mask:
        from unveil.occlusion.seeded import Seeded
        from unveil.occlusion.shapes import paper_rectangle, rectangle, strokes

        rng = Seeded.for_name(self.seed, name)
        if self.shape is Shape.strokes:
            return strokes(rng, *(self.bounds or STROKES_COVERAGE), self.size)
        if self.bounds:
            return rectangle(rng, *self.bounds, self.size)
        return paper_rectangle(rng, self.size)

    def describe(self, mask: Mask) -> list[object]:
        """The columns from seed on; the box only where the occluder is one."""
        import numpy as np

        box: list[object] = [""] * 4
        if self.shape is Shape.rectangle:
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            box = [columns[0], rows[0], len(columns), len(rows)]
        return [self.seed, self.shape.value, *box, mask.sum(), f"{mask.mean():.6f}"]


def _occluder(
    shape: Shape, coverage: str | None, folder: Path | None, seed: int, size: int
) -> _Occluder:
    from unveil.occlusion.shapes import parse_coverage

    if shape is Shape.objects and coverage:
        raise UsageError("--coverage is not for --shape objects: an object has its own size")
    if folder and shape is not Shape.objects:
        raise UsageError(f"--occluders needs --shape objects, not {shape.value}")
    files = None
    if folder:
        from unveil.occlusion.objects.files import FileOccluders

        try:
            files = FileOccluders.load(folder)
        except DataError as error:
            raise UsageError(f"--occluders {error}") from None
    return _Occluder(shape, parse_coverage(coverage) if coverage else None, files, seed, size)


def _write_triplet(folder: Path, name: str, hidden: Triplet) -> str:
    from unveil.data.triplets import stitch

    _write_all(folder, {f"{name}{TRIPLET}": stitch(hidden)})
    return f"{name}{TRIPLET}"


def _write_pair(folder: Path, name: str, hidden: Triplet) -> str:
    import numpy as np

    occluded = f"{name}{OCCLUDED}"
    white = hidden.mask.astype(np.uint8) * 255
    _write_all(folder, {f"{name}{MASK}": white, occluded: hidden.occluded})
    return occluded


def _write_all(folder: Path, images: dict[str, Photo]) -> None:
    """Write a face's images, or none of them: those of an earlier call stay a pair, too."""
    from unveil.files import atomic_path, encode

    try:
        with ExitStack() as stack:
            for name, image in images.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(atomic_path(path)).write_bytes(encode(image, "PNG"))
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror or error}") from None
