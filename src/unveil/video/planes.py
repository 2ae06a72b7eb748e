"""A decoded frame as a photo; its planes as arrays, and known pixels kept in them."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.errors import VideoError
from unveil.imaging import Mask, Photo, paint


def to_photo(frame: av.VideoFrame) -> Photo:
    """A decoded frame as HWC uint8 RGB, by the colour matrix and range that it names.

    Raises:
        VideoError: FFmpeg does not know the matrix, as that of YCgCo.
    """
    try:
        return np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    except (av.FFmpegError, OSError):
        kind = f"{frame.format.name}, matrix {int(frame.colorspace)}"
        raise VideoError(f"its colours ({kind}) cannot be converted to RGB") from None


def planes(frame: av.VideoFrame) -> list[NDArray[Any]]:
    """Views of a frame's planes, each (rows, columns, values of a pixel) uint8 or uint16."""
    kind = np.dtype(np.uint16 if frame.format.components[0].bits > 8 else np.uint8)
    views = []
    for number, plane in enumerate(frame.planes):
        values = sum(c.plane == number for c in frame.format.components)
        if len(frame.planes) == 1:  # there may be a value for nothing, as in bgr0
            values = frame.format.padded_bits_per_pixel // (8 * kind.itemsize)
        shape = (plane.height, plane.width, values)
        steps = (plane.line_size, values * kind.itemsize, kind.itemsize)
        views.append(np.ndarray(shape, kind, plane, strides=steps))  # type: ignore[arg-type]
    return views


def keep_known(picture: av.VideoFrame, source: av.VideoFrame, invented: Mask) -> av.VideoFrame:
    """`picture` with every known pixel as in `source`.

    Where colour is stored for several pixels together, it is new if one of them is invented.

    Args:
        picture: of its own memory, as large as `source` and of its format; is changed.
        invented: (H, W) bool.
    """
    some = bool(invented.any())
    for new, old in zip(planes(picture), planes(source), strict=True):
        if some:
            paint(new, old, ~_shrunk(invented, new.shape[:2]))
        else:
            new[...] = old
    return picture


def _shrunk(mask: Mask, size: tuple[int, ...]) -> Mask:
    """The mask for a plane of `size`: hidden where any of its pixels is."""
    down, across = (-(-whole // part) for whole, part in zip(mask.shape, size, strict=True))
    if down == across == 1:
        return mask
    # Of each pixel and those right of it and below it: numpy's own way takes thirty times as long.
    kernel = np.ones((down, across), np.uint8)
    near = np.asarray(cv2.dilate(mask.view(np.uint8), kernel, anchor=(0, 0)), np.uint8)
    return near[::down, ::across].view(np.bool_)
