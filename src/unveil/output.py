"""From a restoration to the bytes of its file: the same wherever a photo is restored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unveil.files import ImageFile, encode
from unveil.imaging import Mask, Photo
from unveil.metadata import Disclosure
from unveil.types import Restoration

# How invented pixels are marked in a picture for people, here and in the page of `unveil serve`:
# this colour, this strongly.
TINT, TINT_STRENGTH = (88, 80, 214), 0.5


def restored_file(
    result: Restoration, kind: str, source: ImageFile, data: bytes, *, disclose: bool = True
) -> bytes:
    """The bytes of a restored photo's file.

    Args:
        result: the restoration.
        kind: Pillow's name of the file's format.
        source, data: the input decoded, and its bytes; they are given back where nothing changed
            and they are of the right format.
        disclose: say in the file that a part is invented.
    """
    changed = bool(result.invented.any())
    if not changed and kind == source.kind and source.as_stored:
        return data
    disclosure = None
    if changed and disclose:
        restored = sum(face.coverage > 0 for face in result.faces)
        disclosure = Disclosure(result.model, float(result.invented.mean()), restored)
    return encode(result.photo, kind, source, disclosure)


def in_colour(source: ImageFile) -> ImageFile:
    """The source of a marked picture: grey has no room for the mark, nor has a profile for grey."""
    if not source.grey:
        return source
    info = {name: value for name, value in source.info.items() if name != "icc_profile"}
    return replace(source, grey=False, info=info)


def tinted(photo: Photo, invented: Mask) -> Photo:
    """A photo, HWC uint8, with its invented pixels, HW bool, marked."""
    marked = photo.copy()
    colour = np.array(TINT, np.float32) * TINT_STRENGTH
    inside = marked[invented].astype(np.float32) * (1 - TINT_STRENGTH) + colour
    marked[invented] = np.rint(inside)
    return marked
