"""unveil restore, on this machine"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from unveil.cli import describe, images, outputs
from unveil.cli.asked import Asked
from unveil.cli.inputs import for_each, report, share_cores
from unveil.cli.options import NO_FACE
from unveil.cli.page import Page
from unveil.cli.places import Places
from unveil.errors import ImageError, NoFaceError, UsageError
from unveil.files import ImageFile
from unveil.imaging import Mask
from unveil.output import restored_file
from unveil.progress import track
from unveil.restorer import Restorer
from unveil.runtime.model import Manner
from unveil.types import Restoration

LEFT = "left as it is"


@dataclass(frozen=True)
class Wanted:
    """The options that say which files there are to be, and what is told of them."""

    out: str | None
    same: bool
    mask: Path | None
    samples: int
    seed: int | None
    invented: str | None
    page: Path | None
    as_json: bool


def restore_here(
    inputs: list[str], asked: Asked, wanted: Wanted, jobs: int | None, skip_existing: bool
) -> int:
    """Restore inputs, tell how it went on standard error; the exit status."""
    page = Page(wanted.page) if wanted.page else None
    places = Places.of(
        inputs, wanted.out, wanted.mask, wanted.samples, wanted.invented, wanted.same
    )
    places.check(wanted.out, wanted.invented, wanted.page, wanted.as_json)
    paths, count = list(places.folders), asked.count
    at_once, threads = share_cores(jobs, len(paths))
    clashing = outputs.clashes(places.target_of, places.invented_of)
    if skip_existing:
        paths = outputs.without_existing(paths, places.of_each(), clashing)
    restorer = asked.restorer(threads)
    if wanted.samples and not restorer.model.network.draws:
        raise UsageError(f"--samples: model {asked.model} gives one result only")
    mask = wanted.mask
    only_mask = images.read_mask(mask) if mask and not mask.is_dir() else None
    outputs.make_folders("-o", wanted.out, places.target_of.values())
    outputs.make_folders("--invented", wanted.invented, places.invented_of.values())
    call = _Call(asked, wanted, restorer, count, places, only_mask, clashing, page)
    told_of = describe.failed_as_json if wanted.as_json else None
    failures = for_each(track(paths, "restoring", len(paths)), call.one, at_once, told_of)
    status = report(failures, len(paths))  # first: the page may not be writable
    if page and not paths:
        print(f"unveil: {page.path}: left as it is: all is done", file=sys.stderr)
    elif page:
        page.write([(places.name(each.path), each.reason) for each in failures])
    return status


@dataclass(frozen=True)
class _Call:
    """What the inputs of a call have in common.

    Attributes:
        asked, wanted: its options.
        restorer: the model.
        count: the most faces of a photo; None: all.
        places: where results go, and masks lie.
        mask: that of all inputs, if there is one.
        clashing: inputs that cannot be done, and why.
        page: that of before and after.
    """

    asked: Asked
    wanted: Wanted
    restorer: Restorer
    count: int | None
    places: Places
    mask: Mask | None
    clashing: dict[Path, str]
    page: Page | None

    def one(self, path: Path) -> str | None:
        """Do one input; its line of JSON, if that is wanted."""
        if path in self.clashing:
            raise ImageError(self.clashing[path])
        source, data = images.read(path)
        hidden = self._mask_of(path)
        results = self._restored(source, hidden)
        result = next(results)
        if not result.faces:
            raise NoFaceError(NO_FACE)
        written = self._write(path, result, results, source, data)
        if self.page:
            self.page.add(self.places.name(path), source.photo, result)
        told = describe.notes(result, hidden, written)
        if source.deep and written != LEFT:
            told.append("more than 8 bits a channel: written with 8")
        for note in told:
            print(f"unveil: {path}: {note}", file=sys.stderr)
        targets = self.places.written[path]
        return describe.as_json(path, targets, result) if self.wanted.as_json else None

    def _mask_of(self, path: Path) -> Mask | None:
        file = self.places.masks.file(path) if self.mask is None else None
        return images.read_mask(file) if file else self.mask

    def _restored(self, source: ImageFile, hidden: Mask | None) -> Iterator[Restoration]:
        """One, or the samples, each made when it is asked for: there may be more than memory."""
        aligned, detail = self.asked.aligned, self.asked.share
        manners = [Manner(detail)]
        if self.wanted.samples:
            manners = Manner.several(detail, self.wanted.seed or 0, self.wanted.samples)
        return self.restorer.draw(source.photo, manners, hidden, aligned, self.count)

    def _write(
        self,
        path: Path,
        first: Restoration,
        others: Iterator[Restoration],
        source: ImageFile,
        data: bytes,
    ) -> str:
        """Write an input's files; what was made of it, in words."""
        written = LEFT
        results = chain([first], others)
        for target, each in zip(self.places.written[path], results, strict=True):
            kind = images.kind_of(target, source.kind if self.wanted.same else "PNG")
            file = restored_file(each, kind, source, data, disclose=self.asked.disclose)
            images.write_data(target, file)
            written = written if file is data else f"written as {kind}"
        if self.wanted.invented:
            mask = first.invented.astype("uint8") * 255
            images.write(self.places.invented_of[path], mask)
        return written
