"""What lies in a tar, listed without unpacking it."""

from __future__ import annotations

import tarfile
from pathlib import PurePosixPath
from typing import BinaryIO

from unveil.errors import DataError
from unveil.names import below, is_face

BLOCK = 512  # of a tar


def scan_tar(file: BinaryIO, place: str) -> list[tuple[str, int, int]]:
    """Name, offset and length in bytes of each image in an uncompressed tar that can be sought.

    Raises:
        DataError: not such a tar, cut off or damaged; begins with `place`.
    """
    last = None
    found = []
    try:
        # "r:" refuses compressed tars, whose members cannot be read in place.
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                last = member.name
                name = PurePosixPath(member.name)
                if member.isfile() and not member.issparse() and is_face(name):
                    found.append((below(member.name), member.offset_data, member.size))
            file.seek(tar.offset)
            marker = file.read(BLOCK)
    except (OSError, tarfile.TarError, EOFError) as error:
        if last is not None:
            raise DataError(f"{place}: cut off or damaged at or after member {last}") from error
        reason = getattr(error, "strerror", None) or f"not a readable, uncompressed tar ({error})"
        raise DataError(f"{place}: {reason}") from error
    # A tar ends with empty blocks; tarfile takes a cut or a damaged header between two members for
    # the end as well, and the faces after it would be missing without a word.
    if marker != bytes(BLOCK) and last is not None:
        raise DataError(f"{place}: cut off or damaged after member {last}")
    return found
