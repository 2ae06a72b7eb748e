"""Images in and out of a verb: files or pipes."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.cli.inputs import STDIN
from unveil.errors import ImageError, MaskError
from unveil.files import (
    WRITTEN,
    ImageFile,
    encode,
    image_format,
    read_image,
    same_file,
    write_bytes,
)
from unveil.files import read_mask as read_mask_file
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
    """The mask of --mask; see `files.read_mask`.

    Raises:
        ImageError, MaskError: cannot be read, or is no mask; says that it was the mask.
    """
    try:
        return read_mask_file(path)
    except (ImageError, MaskError) as error:
        raise type(error)(f"--mask {path}: {error}") from None


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


def kind_of(target: Path, piped: str = "PNG") -> str:
    """Pillow's format for a file, or `piped` for standard output, if it can be written."""
    if target == STDIN:
        return piped if piped in WRITTEN else "PNG"
    return image_format(target)


def write_data(target: Path, data: bytes) -> None:
    """Write a file, or standard output for `-`."""
    if target == STDIN:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_bytes(target, data)
