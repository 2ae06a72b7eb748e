"""Images in and out of a verb: files or pipes."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.cli.inputs import STDIN
from unveil.errors import ImageError, UsageError
from unveil.files import ImageFile, encode, image_format, read_image, write_bytes
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
    names = (path.stem, f"{path.stem}.mask")
    found = [p for p in sorted(mask.iterdir()) if p.stem in names and is_image(p) and p.is_file()]
    if len(found) == 1:
        return found[0]
    there = ", ".join(p.name for p in found) or "nothing"
    raise ImageError(f"--mask {mask}: one image named {path.stem} is needed, there is {there}")


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


def outputs_for(paths: dict[Path, Path], output: Path | None, suffix: str) -> dict[Path, Path]:
    """Where the result of each input goes: -o FILE, into -o FOLDER, or beside the input.

    Args:
        paths: the inputs, and the folder that each keeps under -o FOLDER; it is made.
        output: -o.
        suffix: of the results, after the input's name.

    Raises:
        UsageError: results would overwrite one another, or a folder cannot be made.
    """
    targets: dict[Path, Path] = {}
    for path, under in paths.items():
        stem = "stdin" if path == STDIN else path.stem
        if output is None:
            targets[path] = STDIN if path == STDIN else path.with_name(f"{stem}{suffix}")
        elif len(paths) > 1 or output.is_dir():
            targets[path] = output / under / f"{stem}{suffix}"
        else:
            targets[path] = output
    check_names(list(targets), list(targets.values()))
    if output is not None and output.is_dir():
        for folder in dict.fromkeys(target.parent for target in targets.values()):
            _make(folder, f"-o {output}")
    return targets


def without_existing(paths: list[Path], target_of: dict[Path, Path]) -> list[Path]:
    """The inputs that are still to do; says how many are not."""
    todo = [p for p in paths if not target_of[p].exists()]
    if len(todo) < len(paths):
        print(f"unveil: {len(paths) - len(todo)} of {len(paths)} are done", file=sys.stderr)
    return todo


def check_output(paths: Collection[Path], output: Path | None) -> None:
    """Refuse an output that would overwrite an input, or that several inputs would share.

    Raises:
        UsageError: for these, and for a suffix that cannot be written.
    """
    if output is None or output.is_dir():
        return
    if len(paths) > 1:
        make_folder("-o", output)
        return
    if output == STDIN:
        return
    if output.exists() and any(p.exists() and p.samefile(output) for p in paths):
        raise UsageError(f"-o {output} is the input itself: choose another name")
    image_format(output)


def make_folder(option: str, output: Path) -> None:
    """Make the folder that the results of several inputs go into.

    Raises:
        UsageError: `output` is a file, has the name of one, or cannot be made.
    """
    if output == STDIN or output.suffix or output.is_file():
        raise UsageError(f"{option} {output}: several inputs need a folder")
    _make(output, f"{option} {output}")


def _make(folder: Path, named: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{named}: cannot be made: {error.strerror or error}") from None


def check_names(paths: list[Path], targets: list[Path]) -> None:
    """Refuse inputs whose results would overwrite one another.

    Raises:
        UsageError: names two of them.
    """
    seen: dict[Path, Path] = {}
    for path, target in zip(paths, targets, strict=True):
        if target in seen and target != STDIN:
            raise UsageError(f"{seen[target]} and {path} would both become {target}")
        seen[target] = path
