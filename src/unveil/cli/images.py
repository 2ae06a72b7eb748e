"""Images in and out of a verb: files or pipes."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unveil.cli.inputs import STDIN
from unveil.errors import ImageError, MaskError, UsageError
from unveil.files import (
    WRITTEN,
    ImageFile,
    encode,
    image_format,
    read_image,
    write_bytes,
)
from unveil.files import read_mask as read_mask_file
from unveil.imaging import Mask


def read(path: Path) -> tuple[ImageFile, bytes]:
    """The image of a file, or of standard input for `-`, and the file's bytes."""
    if path == STDIN:
        if sys.stdin is None:
            raise UsageError("-: standard input is closed")
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
        if sys.stdout is None:
            raise UsageError("-: standard output is closed")
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_bytes(target, data)
