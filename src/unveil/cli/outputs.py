"""Where results go: files, folders and pipes, and what must not be overwritten."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from unveil.cli.images import kind_of
from unveil.cli.inputs import STDIN, stem_of
from unveil.cli.options import EMPTY
from unveil.errors import UsageError
from unveil.files import NO_IMAGE, identity, is_writable
from unveil.names import is_readable


def outputs_for(
    paths: dict[Path, Path],
    output: str | None,
    suffix: str,
    option: str = "-o",
    same: bool = False,
) -> dict[Path, Path]:
    """Where the result of each input goes: -o FILE, into -o FOLDER, or beside the input.

    A folder is what is one, ends in a slash or has no suffix, however many inputs there are.

    Args:
        paths: the inputs, and the folder that each keeps under -o FOLDER.
        output: what `option` was given.
        suffix: of the results, after the input's name.
        option: for messages.
        same: the end of `suffix` is the input's own, where that can be written.

    Raises:
        UsageError: several results would go into one file, or its suffix cannot be written.
    """
    if output == "":
        raise UsageError(f"{option} {EMPTY}")
    targets: dict[Path, Path] = {}
    into = output is not None and _is_folder(output)
    for path, under in paths.items():
        own = f"{Path(suffix).stem}{path.suffix}" if same and is_writable(path) else suffix
        name = f"{stem_of(path)}{own}"
        if output is None:
            targets[path] = STDIN if path == STDIN else path.with_name(name)
        elif into:
            targets[path] = Path(output) / under / name
        elif len(paths) > 1:
            raise UsageError(f"{option} {output}: several inputs need a folder: end its name in /")
        else:
            targets[path] = Path(output)
            kind_of(targets[path])
    return targets


def _is_folder(name: str) -> bool:
    path = Path(name)
    if os.path.exists(path):  # unlike Path.exists, also where a name is too long to be one
        return path.is_dir()
    return path != STDIN and (name.endswith(("/", os.sep)) or not path.suffix)


def check_apart(written: dict[str, Iterable[Path]], read: dict[str, Iterable[Path]]) -> None:
    """Refuse a call that would overwrite a file that it reads, or one that it writes.

    Args:
        written: the files of each option.
        read: the files of each kind, as "the mask".

    Raises:
        UsageError: names the option and the file.
    """
    taken = {identity(p): f"is {kind}" for kind, paths in read.items() for p in paths}
    for option, paths in written.items():
        for path in paths:
            if path == STDIN:
                continue
            whose = taken.setdefault(identity(path), f"is a file of {option} too")
            if whose != f"is a file of {option} too":
                raise UsageError(f"{option} {path} {whose}: choose another name")


def folders_of(output: str | None, targets: Collection[Path]) -> list[Path]:
    """The folders that results go into, where `outputs_for` took `output` for a folder."""
    if output is None or Path(output) in targets:
        return []
    return list(dict.fromkeys(target.parent for target in targets))


def make_folders(option: str, output: str | None, targets: Collection[Path]) -> None:
    """Make the folders of `folders_of`.

    Raises:
        UsageError: one cannot be made.
    """
    for folder in folders_of(output, targets):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(f"{option} {folder}: cannot be made: {reason}") from None


def without_existing(
    paths: list[Path], written: dict[Path, list[Path]], refused: Collection[Path]
) -> list[Path]:
    """The inputs of which a result is missing, or that are refused; says how many are done."""
    todo = [p for p in paths if p in refused or not all(os.path.exists(t) for t in written[p])]
    if len(todo) < len(paths):
        print(f"unveil: {len(paths) - len(todo)} of {len(paths)} are done", file=sys.stderr)
    return todo


def clashes(*results: dict[Path, Path]) -> dict[Path, str]:
    """The inputs whose results would overwrite one another, and what to tell of each.

    Of a photo and one of the same name that no decoder of ours reads, as a phone leaves them, only
    the second fails.

    Args:
        results: where the result of each input goes, of each kind.
    """
    refused: dict[Path, str] = {}
    for target_of in results:
        groups: dict[object, list[Path]] = {}
        for path, target in target_of.items():
            if target != STDIN:
                groups.setdefault(identity(target), []).append(path)
        for group in groups.values():
            if len(group) == 1:
                continue
            twins = [path for path in group if is_readable(path)]
            for path in group:
                others = [twin for twin in twins if twin != path]
                if path not in twins:
                    refused[path] = NO_IMAGE
                elif others:
                    refused[path] = (
                        f"{others[0]} would become {target_of[path]}, too: rename one, or give "
                        "each a -o FILE of its own"
                    )
    return refused
