"""Where the results of `unveil restore` go, all of them, before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unveil.cli.inputs import STDIN, expand
from unveil.cli.masks import Masks
from unveil.cli.options import check_place
from unveil.cli.outputs import check_apart, folders_of, outputs_for
from unveil.errors import UsageError
from unveil.names import INVENTED, RESTORED


@dataclass(frozen=True)
class Places:
    """The files of a call.

    Attributes:
        folders: the inputs, and the folder that each keeps.
        target_of: the result of each, before samples are numbered.
        written: the results of each.
        invented_of: the mask of each; none, where it is not asked for.
        masks: what is hidden of each, where --mask says it.
    """

    folders: dict[Path, Path]
    target_of: dict[Path, Path]
    written: dict[Path, list[Path]]
    invented_of: dict[Path, Path]
    masks: Masks

    @classmethod
    def of(
        cls,
        inputs: list[str],
        out: str | None,
        mask: Path | None,
        samples: int,
        invented: str | None,
        same: bool,
    ) -> Places:
        """As the options of these names say, `same` for --format same.

        Raises:
            UsageError: there are no inputs, or results cannot go where they should.
        """
        folders = expand(inputs)
        target_of = outputs_for(folders, out, RESTORED, same=same)
        if same and out is not None and Path(out) != STDIN and Path(out) in target_of.values():
            raise UsageError(f"--format same: -o {out} has a suffix of its own")
        if samples and STDIN in target_of.values():
            raise UsageError("--samples writes several files: give -o FILE or -o FOLDER")
        written = {path: _numbered(target, samples) for path, target in target_of.items()}
        asked = invented is not None
        made = outputs_for(folders, invented, INVENTED, "--invented") if asked else {}
        return cls(folders, target_of, written, made, Masks.of(mask, folders))

    def check(
        self, out: str | None, invented: str | None, page: Path | None, as_json: bool
    ) -> None:
        """Refuse what could not be written, would be lost, or be mixed on standard output.

        Raises:
            UsageError: names the options.
        """
        results = [target for each in self.written.values() for target in each]
        piped = STDIN in results
        if piped and STDIN in self.invented_of.values():
            raise UsageError("-o and --invented would both go to standard output: give one a file")
        if as_json and (piped or STDIN in self.invented_of.values()):
            raise UsageError("--json and the image would both go to standard output: give -o FILE")
        self._check_files(out, invented, page)
        inputs = self.folders.keys()
        check_apart(
            {
                "-o" if out else "the result": results,
                "--invented": self.invented_of.values(),
                "--page": [page] if page else [],
            },
            {
                "the input itself" if len(inputs) == 1 else "an input too": inputs,
                "the mask": self.masks.file_of.values(),
            },
        )

    def _check_files(self, out: str | None, invented: str | None, page: Path | None) -> None:
        asked = (
            ("-o", out, self.target_of.values()),
            ("--invented", invented, self.invented_of.values()),
        )
        folders = {f for _, output, targets in asked for f in folders_of(output, targets)}
        new = folders | {above for folder in folders for above in folder.parents}
        for option, output, targets in asked:
            if output and Path(output) in targets and Path(output) != STDIN:
                check_place(Path(output), option, new)
        if page:
            check_place(page, "--page", new)

    def of_each(self) -> dict[Path, list[Path]]:
        """All files of each input."""
        made = self.invented_of
        return {p: [*each, *([made[p]] if p in made else [])] for p, each in self.written.items()}

    def name(self, path: Path) -> str:
        """An input with the folders below the one that was named."""
        return (self.folders[path] / path.name).as_posix()


def _numbered(target: Path, samples: int) -> list[Path]:
    """The files of one input: the target itself, or one a sample, numbered from 1."""
    if not samples:
        return [target]
    return [target.with_name(f"{target.stem}-{i + 1}{target.suffix}") for i in range(samples)]
