"""The files of --mask: one for all inputs, or in a folder one for each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from unveil.cli.inputs import stem_of
from unveil.errors import ImageError, UsageError
from unveil.files import same_file
from unveil.names import is_image


@dataclass(frozen=True)
class Masks:
    """Which file is the mask of each input.

    Attributes:
        file_of: the file of each input that has one.
        reason_of: of each other one, why it has none; empty without --mask.
    """

    file_of: dict[Path, Path]
    reason_of: dict[Path, str]

    @classmethod
    def of(cls, mask: Path | None, folders: dict[Path, Path]) -> Masks:
        """As --mask says: `mask` itself, or in a folder of masks the one of the input's name.

        That is NAME.mask.png, as `unveil segment` writes it, or else NAME.png, but never the input:
        the masks may lie beside the photos. Each folder is listed once, whatever lies in it.

        Args:
            mask: a file or a folder; None: masks are found by the model.
            folders: the inputs, and the folder that each keeps: if there is one like it among the
                masks, its are meant.

        Raises:
            UsageError: a folder cannot be read.
        """
        if mask is None or not mask.is_dir():
            return cls(dict.fromkeys(folders, mask) if mask else {}, {})
        above = {under: mask / under for under in folders.values()}
        above = {under: each if each.is_dir() else mask for under, each in above.items()}
        named = {folder: _by_stem(folder) for folder in set(above.values())}
        file_of: dict[Path, Path] = {}
        reason_of: dict[Path, str] = {}
        for path, under in folders.items():
            files, stem = named[above[under]], stem_of(path)
            found = [p for p in files.get(f"{stem}.mask", ()) if p.is_file()]
            found = found or [
                p for p in files.get(stem, ()) if p.is_file() and not same_file(p, path)
            ]
            if len(found) == 1:
                file_of[path] = found[0]
            else:
                reason_of[path] = _reason(above[under], stem, found)
        return cls(file_of, reason_of)

    def file(self, path: Path) -> Path | None:
        """The mask's file of an input; None: there is no --mask.

        Raises:
            ImageError: it has none, or several.
        """
        if path in self.reason_of:
            raise ImageError(self.reason_of[path])
        return self.file_of.get(path)


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    """The images of a folder by their names without a suffix, in order."""
    named: dict[str, list[Path]] = {}
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"--mask {folder}: cannot be read: {error.strerror or error}") from None
    for file in files:
        if is_image(file):
            named.setdefault(file.stem, []).append(file)
    return named


def _reason(folder: Path, stem: str, found: Collection[Path]) -> str:
    there = ", ".join(p.name for p in found) or "nothing"
    return f"--mask {folder}: one image named {stem}.mask or {stem} is needed, there is {there}"
