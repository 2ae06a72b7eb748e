"""Images in and out of a verb: files or pipes."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.cli.inputs import STDIN
from unveil.errors import ImageError, UsageError
from unveil.files import ImageFile, encode, image_format, read_image, write_bytes
from unveil.imaging import Mask


def read(path: Path) -> ImageFile:
    """The image of a file, or of standard input for `-`."""
    if path == STDIN:
        return read_image(io.BytesIO(sys.stdin.buffer.read()))
    return read_image(path)


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


def write(target: Path, image: NDArray[np.uint8], source: ImageFile | None = None) -> None:
    """Write a photo or grey image to a file, or as PNG to standard output for `-`.

    With `source`, its opacity, colour profile and resolution are kept where the format can.
    """
    kind = "PNG" if target == STDIN else image_format(target)
    info = source.info if source else {}
    if source and source.alpha is not None and kind in ("PNG", "WEBP", "TIFF"):
        image = np.dstack([image, source.alpha])
    data = encode(image, kind, **info)
    if target == STDIN:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_bytes(target, data)


def output_for(path: Path, output: Path | None, many: bool, suffix: str) -> Path:
    """Where the result of input `path` goes: -o FILE, into -o FOLDER, or beside the input."""
    if output is None:
        return STDIN if path == STDIN else path.with_name(f"{path.stem}{suffix}")
    if many or output.is_dir():
        stem = "stdin" if path == STDIN else path.stem
        return output / f"{stem}{suffix}"
    return output


def check_output(paths: list[Path], output: Path | None) -> None:
    """Refuse an output that would overwrite an input, or that several inputs would share.

    Raises:
        UsageError: for these, and for a suffix that cannot be written.
    """
    if output is None or output.is_dir():
        return
    if len(paths) > 1:
        raise UsageError(f"-o {output}: several inputs need an existing folder")
    if output == STDIN:
        return
    if output.exists() and any(p.exists() and p.samefile(output) for p in paths):
        raise UsageError(f"-o {output} is the input itself: choose another name")
    image_format(output)


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
