"""Images in and out of a verb: files or pipes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.cli.inputs import STDIN
from unveil.errors import ImageError, UsageError
from unveil.files import (
    ImageFile,
    encode,
    identity,
    image_format,
    read_image,
    same_file,
    write_bytes,
)
from unveil.imaging import Mask
from unveil.names import is_image


def read(path: Path) -> tuple[ImageFile, bytes]:
    """The image of a file, or of standard input for `-`, and the file's bytes."""
    if path == STDIN:
        data = sys.stdin.buffer.read()
    else:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ImageError("no such file") from None
        except OSError as error:
            raise ImageError(f"cannot be read: {error.strerror or error}") from None
    return read_image(io.BytesIO(data)), data


def read_mask(path: Path) -> Mask:
    """A mask file: white (or 1) = hidden; greys, as JPEG leaves them, are cut in the middle.

    Raises:
        ImageError: cannot be read; says that it was the mask.
    """
    try:
        grey = read_image(path).photo[..., 0]
    except ImageError as error:
        raise ImageError(f"--mask {path}: {error}") from None
    return grey > 127 if grey.max() > 1 else grey > 0


def mask_for(path: Path, mask: Path, under: Path) -> Path:
    """The mask file of an input: `mask` itself, or in a folder of masks the one of the same name.

    That is NAME.mask.png, as `unveil segment` writes it, or else NAME.png, but never the input: the
    masks may lie beside the photos.

    Args:
        path: the input.
        mask: a file or a folder.
        under: the folder of the input: if there is one like it among the masks, its are meant.

    Raises:
        ImageError: the folder has none, or several.
    """
    if not mask.is_dir():
        return mask
    mask = mask / under if (mask / under).is_dir() else mask
    files = [p for p in sorted(mask.iterdir()) if is_image(p) and p.is_file()]
    found = [p for p in files if p.stem == f"{path.stem}.mask"]
    found = found or [p for p in files if p.stem == path.stem and not same_file(p, path)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(p.name for p in found) or "nothing"
    raise ImageError(
        f"--mask {mask}: one image named {path.stem}.mask or {path.stem} is needed, "
        f"there is {there}"
    )


def write(target: Path, image: NDArray[np.uint8]) -> None:
    """Write a photo or grey image to a file, or as PNG to standard output for `-`."""
    write_data(target, encode(image, kind_of(target)))


def kind_of(target: Path) -> str:
    """Pillow's format for a file, or for standard output, which gets PNG."""
    return "PNG" if target == STDIN else image_format(target)


def write_data(target: Path, data: bytes) -> None:
    """Write a file, or standard output for `-`."""
    if target == STDIN:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_bytes(target, data)


def outputs_for(
    paths: dict[Path, Path], output: str | None, suffix: str, option: str = "-o"
) -> dict[Path, Path]:
    """Where the result of each input goes: -o FILE, into -o FOLDER, or beside the input.

    A folder is what is one, ends in a slash or has no suffix, however many inputs there are.

    Args:
        paths: the inputs, and the folder that each keeps under -o FOLDER.
        output: what `option` was given.
        suffix: of the results, after the input's name.
        option: for messages.

    Raises:
        UsageError: results would overwrite one another, several would go into one file, or its
            suffix cannot be written.
    """
    targets: dict[Path, Path] = {}
    into = output is not None and _is_folder(output)
    for path, under in paths.items():
        name = f"{'stdin' if path == STDIN else path.stem}{suffix}"
        if output is None:
            targets[path] = STDIN if path == STDIN else path.with_name(name)
        elif into:
            targets[path] = Path(output) / under / name
        elif len(paths) > 1:
            raise UsageError(f"{option} {output}: several inputs need a folder: end its name in /")
        else:
            targets[path] = Path(output)
            kind_of(targets[path])
    check_names(list(targets), list(targets.values()))
    return targets


def _is_folder(name: str) -> bool:
    path = Path(name)
    if path.exists():
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


def make_folders(option: str, output: str | None, targets: Collection[Path]) -> None:
    """Make the folders that results go into, where `outputs_for` took `output` for a folder.

    Raises:
        UsageError: one cannot be made.
    """
    if output is None or Path(output) in targets:
        return
    for folder in dict.fromkeys(target.parent for target in targets):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(f"{option} {folder}: cannot be made: {reason}") from None


def without_existing(paths: list[Path], written: dict[Path, list[Path]]) -> list[Path]:
    """The inputs of which a result is missing; says how many are done."""
    todo = [p for p in paths if not all(target.exists() for target in written[p])]
    if len(todo) < len(paths):
        print(f"unveil: {len(paths) - len(todo)} of {len(paths)} are done", file=sys.stderr)
    return todo


def check_names(paths: list[Path], targets: list[Path]) -> None:
    """Refuse inputs whose results would overwrite one another.

    Raises:
        UsageError: names two of them.
    """
    seen: dict[Path, Path] = {}
    for path, target in zip(paths, targets, strict=True):
        if target in seen and target != STDIN:
            raise UsageError(
                f"{seen[target]} and {path} would both become {target}: rename one, or do them in "
                "two calls"
            )
        seen[target] = path
