"""Reading images whatever their form, and writing so that no partial file is ever left."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from unveil.errors import ImageError
from unveil.imaging import Photo

MAX_PIXELS = 100_000_000


@dataclass(frozen=True)
class ImageFile:
    """A decoded image.

    Attributes:
        photo: HWC uint8 RGB, upright (EXIF orientation applied).
        alpha: HW uint8 opacity, or None where the file has none.
        info: what a writer can keep: `icc_profile` and `dpi`.
    """

    photo: Photo
    alpha: NDArray[np.uint8] | None
    info: dict[str, object]


def read_image(source: Path | BinaryIO) -> ImageFile:
    """Decode a still image: grey, palette, CMYK, 16-bit and transparent ones too.

    Raises:
        ImageError: not an image, cut off, animated, over 100 megapixels, or not readable.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source) as image:
                return _decode(image)
    except UnidentifiedImageError:
        raise ImageError("not an image, or of a format that cannot be read") from None
    except Image.DecompressionBombError:
        raise ImageError(f"too large: over {MAX_PIXELS // 1_000_000} megapixels") from None
    except FileNotFoundError:
        raise ImageError("no such file") from None
    except OSError as error:
        raise ImageError(_reason(error)) from None
    except (ValueError, SyntaxError, TypeError, EOFError) as error:
        raise ImageError(f"damaged image: {error}") from None


def _reason(error: OSError) -> str:
    if error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"damaged or cut off: {error}"


def _decode(image: Image.Image) -> ImageFile:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"too large: {width}x{height} is over {MAX_PIXELS // 1_000_000} megapixels"
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageError(f"animated ({frames} frames): save the frame you want as a still image")
    image.load()
    info = {key: image.info[key] for key in ("icc_profile", "dpi") if key in image.info}
    image = ImageOps.exif_transpose(image)
    alpha = None
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A")).copy()
        # Opaque in all but name is the common case: treat it as what it is.
        alpha = None if alpha.min() == 255 else alpha
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_eight_bits(image)
    return ImageFile(np.array(image.convert("RGB"), dtype=np.uint8), alpha, info)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16- and 32-bit grey -> 8-bit grey; Pillow's own conversion would clip at 255."""
    values = np.asarray(image, dtype=np.float64)
    high = 65535.0 if values.max(initial=0) > 255 else 255.0
    return Image.fromarray(np.clip(np.rint(values * (255.0 / high)), 0, 255).astype(np.uint8))


def encode(photo: NDArray[np.uint8], kind: str, **info: object) -> bytes:
    """Photo (HWC) or mask (HW, 0 and 255) -> bytes of a file of Pillow's format `kind`."""
    buffer = io.BytesIO()
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    Image.fromarray(photo).save(buffer, format=kind, **options, **info)
    return buffer.getvalue()


def image_format(path: Path) -> str:
    """Pillow's format for a file name's suffix.

    Raises:
        ImageError: if the suffix is not one that can be written.
    """
    kind = Image.registered_extensions().get(path.suffix.lower(), "")
    if kind not in ("PNG", "JPEG", "WEBP", "TIFF", "BMP"):
        raise ImageError(f"{path}: write to .png, .jpg, .webp, .tif or .bmp")
    return kind


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it becomes `path`, on failure it goes."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file at once or not at all.

    Raises:
        ImageError: the path cannot be written; names the reason.
    """
    try:
        with atomic_path(path) as partial:
            partial.write_bytes(data)
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror or error}") from None
