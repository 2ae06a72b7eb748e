"""Colour order, value range and layout: this is the one file where they change.

A photo is HWC uint8 RGB. A face is 256x256 of the same. A network sees NCHW float32 in [-1, 1].
An occluder mask is HW, True (or 1.0) = hidden.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.errors import ImageError, MaskError

Photo = NDArray[np.uint8]
Mask = NDArray[np.bool_]
FACE_SIZE = 256

# The canonical face frame: CelebA's official 178x218 alignment, rows 20..197 (section data).
CELEBA_SIZE = (218, 178)
CELEBA_ROWS = (20, 198)
LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, as JPEG


def check_photo(photo: NDArray[Any]) -> Photo:
    """Assert that `photo` is HWC uint8 RGB; give it back.

    Raises:
        ImageError: for another shape or type.
    """
    if not isinstance(photo, np.ndarray) or photo.dtype != np.uint8:
        kind = getattr(photo, "dtype", type(photo).__name__)
        raise ImageError(f"a photo must be a uint8 array (0..255), not {kind}")
    if photo.ndim != 3 or photo.shape[2] != 3 or 0 in photo.shape:
        raise ImageError(f"a photo must be height x width x 3 (RGB), not {photo.shape}")
    return photo


def check_mask(mask: NDArray[Any], size: tuple[int, int]) -> Mask:
    """Assert that `mask` is HW with 1 = hidden and of `size` (height, width); give it as bool.

    Accepts bool, integers 0 and 1, or 0 and 255.

    Raises:
        MaskError: for another shape, size or set of values.
    """
    array = np.asarray(mask)
    if array.ndim != 2:
        raise MaskError(f"an occluder mask must be height x width, not {array.shape}")
    if array.shape != size:
        raise MaskError(
            f"the mask is {array.shape[1]}x{array.shape[0]}, "
            f"the photo {size[1]}x{size[0]}: they must be of the same size"
        )
    if array.dtype == np.bool_:
        return array
    numeric = array.dtype.kind in "iuf"
    high = array.max(initial=0) if numeric else None
    if high not in (0, 1, 255) or not np.isin(array, (0, high)).all():
        raise MaskError("an occluder mask must hold two values: 0 = known, 1 or 255 = hidden")
    return array > 0


def resize(image: NDArray[Any], size: int) -> NDArray[Any]:
    """Resize HW or HWC to size x size: area average when it shrinks, cubic when it grows."""
    if image.shape[:2] == (size, size):
        return image
    method = cv2.INTER_AREA if image.shape[0] > size else cv2.INTER_CUBIC
    return cv2.resize(image, (size, size), interpolation=method)


def resize_mask(mask: Mask, size: int) -> Mask:
    """Resize an HW mask to size x size so that every pixel that touches a hidden one is hidden.

    >>> resize_mask(np.array([[True, False], [False, False]]), 3).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    """
    if mask.shape == (size, size):
        return mask
    # Interpolation would lose a single hidden pixel in a large photo, so each new pixel looks at
    # all old ones that it touches: in integers, so exactly.
    for axis in (0, 1):
        old, new = mask.shape[axis], np.arange(size)
        spans = np.stack([new * old // size, -(-(new + 1) * old // size)], axis=1)  # first, end
        margin = [(0, 0), (0, 0)]
        margin[axis] = (0, 1)  # so that the last end is an index too
        found = np.logical_or.reduceat(np.pad(mask, margin), spans.ravel(), axis=axis)
        mask = found[::2] if axis == 0 else found[:, ::2]
    return np.ascontiguousarray(mask)


def crop_celeba(image: Photo, size: int = FACE_SIZE) -> Photo:
    """An official 178x218 CelebA image -> the canonical face, size x size.

    Raises:
        ImageError: if the image is not 178x218.
    """
    if image.shape[:2] != CELEBA_SIZE:
        raise ImageError(
            f"not an official aligned CelebA image (178x218): {image.shape[1]}x{image.shape[0]}"
        )
    return resize(image[CELEBA_ROWS[0] : CELEBA_ROWS[1]], size)


def to_network(faces: Photo) -> NDArray[np.float32]:
    """NHWC uint8 0..255 -> NCHW float32 in [-1, 1]."""
    return np.ascontiguousarray(faces.transpose(0, 3, 1, 2), dtype=np.float32) / 127.5 - 1.0


def from_network(output: NDArray[np.float32]) -> Photo:
    """NCHW float32 in [-1, 1] -> NHWC uint8, rounded and clipped."""
    scaled = np.rint((output.transpose(0, 2, 3, 1) + 1.0) * 127.5)
    return np.ascontiguousarray(np.clip(scaled, 0, 255), dtype=np.uint8)


def occlude(faces: Photo, masks: Mask, colour: int = 0) -> Photo:
    """Paint the hidden pixels of (N)HWC faces with one grey value (the paper: black)."""
    return np.where(masks[..., None], np.uint8(colour), faces)


def grow(mask: Mask, pixels: int) -> Mask:
    """Hide `pixels` more on every side of what is hidden (a square neighbourhood)."""
    if pixels == 0 or not mask.any():
        return mask
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), dtype=np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(np.bool_)


def shrunk(mask: Mask, pixels: int) -> Mask:
    """Hide `pixels` less on every side; the opposite of `grow`."""
    return ~grow(~mask, pixels)


def to_uint8(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Round and clip to 0..255."""
    rounded = np.rint(values)
    np.clip(rounded, 0, 255, out=rounded)
    return np.asarray(rounded, dtype=np.uint8)


def paint(target: NDArray[Any], source: NDArray[Any], where: Mask) -> None:
    """Put the pixels of `source` that a mask holds into `target`, of the same shape and type.

    A mask that has to be spread over the channels costs numpy several times the time.

    >>> target = np.zeros((1, 2, 3), np.uint8)
    >>> paint(target, np.full((1, 2, 3), 7, np.uint8), np.array([[False, True]]))
    >>> target.tolist()
    [[[0, 0, 0], [7, 7, 7]]]
    """
    if where.size:
        cv2.copyTo(source, where.view(np.uint8), target)


def pixels(image: NDArray[Any], where: Mask) -> NDArray[Any]:
    """(n, C): the pixels of an image, (H, W, C), that a mask holds.

    As `image[where]`, which takes numpy four times as long.

    >>> pixels(np.arange(6).reshape(1, 2, 3), np.array([[False, True]])).tolist()
    [[3, 4, 5]]
    """
    return image.reshape(-1, image.shape[-1]).take(np.flatnonzero(where), axis=0)


def put(image: NDArray[Any], values: NDArray[Any], where: Mask) -> None:
    """The opposite of `pixels`, in place; the image lies in one piece."""
    image.reshape(-1, image.shape[-1])[np.flatnonzero(where)] = values


def weighted(image: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """An image, (H, W, C), times the weight of each pixel, (H, W).

    Spread over the channels first, in numpy it takes twice as long.
    """
    spread = cv2.merge([weight] * image.shape[2])
    return np.asarray(cv2.multiply(image, spread), np.float32)


def through_jpeg(photo: Photo, quality: int) -> Photo:
    """What a JPEG of that quality, 1 to 100, leaves of a photo."""
    done, data = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert done
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1], dtype=np.uint8)


def without_colour(photo: Photo) -> Photo:
    """Grey, still in three channels."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def has_colours(photo: Photo, where: Mask) -> bool:
    """Whether a photo, (H, W, 3) uint8, is no grey one, by its pixels `where` (H, W).

    Where there are none, nothing says that it is grey.
    """
    red, green, blue = cv2.split(photo)
    coloured = ((red != green) | (red != blue))[where]
    return bool(coloured.any()) or not coloured.size


def remove_colours(photo: Photo, where: Mask) -> None:
    """Make the pixels `where` (H, W) of a photo grey, in place."""
    photo[where] = np.rint(photo[where] @ LUMA)[:, None]


def as_colourful(restored: Photo, face: Photo, hidden: Mask) -> None:
    """Make what is invented in a grey face grey, in place.

    Args:
        restored: (H, W, 3) uint8, of the same face.
        hidden: (H, W), True = invented.
    """
    if not has_colours(face, ~hidden):
        remove_colours(restored, hidden)


# Orthonormal, so that squared errors are the same in both spaces: grey, red against blue, green
# against both.
_LUMA_CHROMA = np.array(
    [[1, 1, 1], [1.5**0.5, 0, -(1.5**0.5)], [0.5**0.5, -(2**0.5), 0.5**0.5]], dtype=np.float32
) / np.float32(3**0.5)


def ramp(x: NDArray[Any], ends: tuple[float, float]) -> NDArray[np.float32]:
    """0 below the first end, 1 above the second, linear between them.

    >>> ramp(np.array([0, 2, 3, 9]), (1, 3)).tolist()
    [0.0, 0.5, 1.0, 1.0]
    """
    return np.asarray(np.clip((x - ends[0]) / (ends[1] - ends[0]), 0, 1), np.float32)


def to_luma_chroma(image: NDArray[Any]) -> NDArray[np.float32]:
    """RGB -> luma and two chroma channels, (..., 3) float32, lengths kept.

    >>> [round(float(v), 2) for v in to_luma_chroma(np.full((1, 1, 3), 100, np.uint8))[0, 0]]
    [173.21, 0.0, 0.0]
    """
    return np.asarray(cv2.transform(np.asarray(image, np.float32), _LUMA_CHROMA))


def from_luma_chroma(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of `to_luma_chroma`."""
    return np.asarray(cv2.transform(planes, _LUMA_CHROMA.T.copy()))
