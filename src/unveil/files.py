"""Reading images whatever their form, and writing so that no partial file is ever left."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_IMODE
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from unveil.errors import FormatError, ImageError, MaskError, OversizeError, UsageError
from unveil.exif import ORIENTATION
from unveil.imaging import Mask, Photo
from unveil.metadata import Disclosure, read_info, save_options
from unveil.opening import opened
from unveil.partial import partial_of
from unveil.png import png
from unveil.tiff import deflated_tiff

NO_IMAGE = "not an image, or of a format that cannot be read: save it as JPEG or PNG"
MAX_PIXELS = 100_000_000
# Of a mask's pixels, as a share: 440 of 448 photos have more, a mask with a soft rim has less.
MOST_BETWEEN = 1 / 3
GREY = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
WRITTEN = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
LONGEST = {"JPEG": 65_500, "WEBP": 16_383}  # sides in pixels that the encoders take
# What makes a picture upright, by the orientation that EXIF says; 1 is upright, and others mean
# nothing. Not by Pillow's `exif_transpose`: it fails where one tag of EXIF is damaged.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class ImageFile:
    """A decoded image.

    Attributes:
        photo: HWC uint8 RGB, upright (EXIF orientation applied).
        alpha: HW uint8 opacity, or None where the file has none.
        info: what a writer can keep: see `metadata.read_info`.
        grey: the file holds no colours; then nor should what is written.
        kind: Pillow's name of the format, "" where unknown.
        as_stored: the file's pixels are upright as they are stored.
        deep: the file has more than 8 bits a channel, as far as Pillow tells.
    """

    photo: Photo
    alpha: NDArray[np.uint8] | None
    info: dict[str, object]
    grey: bool = False
    kind: str = ""
    as_stored: bool = True
    deep: bool = False


def read_image(source: Path | BinaryIO) -> ImageFile:
    """Decode a still image: grey, palette, CMYK, 16-bit and transparent ones too.

    Of a photograph with a preview or a depth map behind it (MPO), the photograph.

    Raises:
        OversizeError: over 100 megapixels, or too large for the memory.
        ImageError: not an image, cut off, animated, or not readable.
    """
    try:
        with opened(source) as image:
            return _decode(image)
    except UnidentifiedImageError:
        raise ImageError(NO_IMAGE) from None
    except Image.DecompressionBombError:
        raise OversizeError(f"too large: over {MAX_PIXELS // 1_000_000} megapixels") from None
    except FileNotFoundError:
        raise ImageError("no such file") from None
    except OSError as error:
        raise ImageError(_reason(error)) from None
    except MemoryError:
        raise OversizeError("too large for the memory of this machine") from None
    except ImageError:
        raise
    except Exception as error:
        # Decoders meet bytes from anywhere and answer with errors of many types (struct.error,
        # KeyError, OverflowError, ...); whichever it is, the image is what is wrong.
        raise ImageError(f"damaged image: {error or type(error).__name__}") from None


def read_mask(source: Path | BinaryIO) -> Mask:
    """A mask's image -> HW bool, True = hidden; see `mask_from_image`.

    Raises:
        ImageError: as `read_image`.
        MaskError: it is a picture.
    """
    return mask_from_image(read_image(source))


def _reason(error: OSError) -> str:
    if error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"damaged or cut off: {error}"


def _decode(image: Image.Image) -> ImageFile:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise OversizeError(
            f"too large: {width}x{height} is over {MAX_PIXELS // 1_000_000} megapixels"
        )
    # How many there are is not asked: a TIFF of a hundred thousand pages takes minutes to count.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        if image.format == "TIFF":
            raise ImageError("several pages: save the page you want as an image of its own")
        raise ImageError("animated: save the frame you want as a still image")
    deep = _is_deep(image)  # which is forgotten when it is loaded
    # Pillow turns a TIFF while it loads it; of a PNG, EXIF may come after the pixels.
    as_stored = image.format != "TIFF" or _orientation(image) not in UPRIGHT
    image.load()
    kind = "JPEG" if image.format == "MPO" else image.format or ""
    info, grey = read_info(image), image.mode in GREY
    profile = info.get("icc_profile")
    if isinstance(profile, bytes) and (profile[16:20] == b"GRAY") != grey:
        del info["icc_profile"]  # it is made for other colours than we give
    if kind != "TIFF" and (how := UPRIGHT.get(_orientation(image))) is not None:
        image, as_stored = image.transpose(how), False
    alpha = None
    if image.mode.startswith("I") or image.mode == "F":
        clear = image.info.get("transparency")  # one level of grey
        if isinstance(clear, int):
            alpha = np.where(np.asarray(image) == clear, np.uint8(0), np.uint8(255))
        image = _to_eight_bits(image)
    if image.mode == "CMYK" and "icc_profile" in image.info:
        image = _from_cmyk_profile(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.array(image.getchannel("A"))
    # Opaque in all but name is the common case: treat it as what it is.
    if alpha is not None and alpha.min() == 255:
        alpha = None
    # 16-bit colours were cut to their high byte by Pillow: within one level of the rounded value.
    photo = np.array(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)
    return ImageFile(photo, alpha, info, grey, kind, as_stored, deep)


def _orientation(image: Image.Image) -> int:
    # A damaged one is no reason to refuse the picture: then it stays as it is stored.
    with suppress(Exception):
        found = image.getexif().get(ORIENTATION)
        return found if isinstance(found, int) else 1
    return 1


def _is_deep(image: Image.Image) -> bool:
    tiles = getattr(image, "tile", ())  # tell how pixels are stored
    if image.format == "PPM":
        highest = [tile.args[-1] for tile in tiles if isinstance(tile.args, tuple)]
        return image.mode == "I" or any(value > 255 for value in highest)
    return image.mode.startswith(("I", "F")) or (
        image.format in ("PNG", "TIFF") and ";16" in str(tiles)
    )


def mask_from_image(image: ImageFile) -> Mask:
    """An image that says what is hidden -> HW bool, True = hidden.

    White is hidden, black is known; greys, as JPEG and soft brushes leave them, are cut in the
    middle. An image without anything above 1 has 1 for white. Of colours the brightness counts, and
    what is transparent is known.

    Raises:
        MaskError: it is a picture of something: a large part of it is neither dark nor light.
    """
    grey = cv2.cvtColor(image.photo, cv2.COLOR_RGB2GRAY)
    if image.alpha is not None:
        grey = cv2.multiply(grey, image.alpha, scale=1 / 255)
    counts = np.bincount(grey.ravel(), minlength=256)
    between = counts[32:224].sum() / grey.size
    if between > MOST_BETWEEN and np.count_nonzero(counts) > 2:
        raise MaskError("a picture, not a mask: white is what is hidden, black all else")
    return np.asarray(grey > 127 if grey.max() > 1 else grey > 0)


def _from_cmyk_profile(image: Image.Image) -> Image.Image:
    """CMYK -> sRGB by the file's own profile; as it is where that profile cannot be used."""
    with suppress(Exception):
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
        return image if converted is None else converted
    return image


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16- and 32-bit grey -> 8-bit grey; Pillow's own conversion would clip at 255.

    One of 16 bits that holds nothing above 1 is a mask: it keeps its values, as one of 8 bits does.
    """
    values = np.asarray(image, dtype=np.float64)
    highest = values.max(initial=0, where=np.isfinite(values))
    values = np.nan_to_num(values, posinf=highest)
    fraction = image.mode == "F"
    fulls = [255.0, 65535.0, *(2.0**bits - 1 for bits in range(17, 128))]
    if image.mode.startswith("I;16"):
        full = 65535.0 if highest > 1 else 255.0
    elif fraction:  # light may pass what is full white
        full = next(full for full in (1.0, *fulls) if highest <= 2 * full)
    else:
        full = next(full for full in fulls if highest <= full)
    return Image.fromarray(np.clip(np.rint(values * (255.0 / full)), 0, 255).astype(np.uint8))


def encode(
    photo: NDArray[np.uint8],
    kind: str,
    source: ImageFile | None = None,
    disclosure: Disclosure | None = None,
) -> bytes:
    """Photo (HWC) or mask (HW, 0 and 255) -> bytes of a file of Pillow's format `kind`.

    With `source`, its greyness, opacity, EXIF, XMP, colour profile, resolution and JPEG quality are
    kept where the format can, and a compressed TIFF is deflated; `disclosure` is written into the
    file. The same arguments give the same bytes each time.

    Raises:
        FormatError: the format cannot hold it.
    """
    longest = max(photo.shape[:2])
    if longest > LONGEST.get(kind, longest):
        raise FormatError(
            f"cannot be written as {kind}: {longest} pixels wide or high, where {LONGEST[kind]} "
            "are the most: choose PNG or TIFF"
        )
    try:
        return _encoded(photo, kind, source, disclosure)
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot be written as {kind}: {error}") from None


def _encoded(
    photo: NDArray[np.uint8], kind: str, source: ImageFile | None, disclosure: Disclosure | None
) -> bytes:
    image = Image.fromarray(photo)
    plain = image.mode
    if source is not None and source.grey:
        image = image.convert("L")
    if source is not None and source.alpha is not None and kind in ("PNG", "WEBP", "TIFF"):
        image.putalpha(Image.fromarray(source.alpha))
    info = source.info if source else {}
    kept = save_options(kind, info, disclosure)
    if kind == "TIFF" and "compressed" in info:
        return deflated_tiff(image, kept)
    if kind == "PNG":
        return png(image, photo if image.mode == plain else np.asarray(image), kept)
    if kind == "WEBP":
        kept |= {"lossless": True, "exact": True}  # what is transparent keeps its colours, too
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **kept)
    return buffer.getvalue()


def image_format(path: Path) -> str:
    """Pillow's format for a file name's suffix.

    Raises:
        UsageError: if the suffix is not one that can be written.
    """
    if not is_writable(path):
        raise UsageError(f"{path}: write to .png, .jpg, .webp, .tif or .bmp")
    return Image.registered_extensions()[path.suffix.lower()]


def is_writable(path: Path) -> bool:
    """Whether a file name's suffix is that of a format in `WRITTEN`."""
    return Image.registered_extensions().get(path.suffix.lower()) in WRITTEN


def identity(path: Path) -> object:
    """The same for two names of one file, and for no other; the file need not exist."""
    try:
        found = path.stat()
    except OSError:
        return os.path.realpath(path)  # unlike Path.resolve, also of links that lead in a circle
    return found.st_dev, found.st_ino


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths name one file, which need not exist."""
    return identity(one) == identity(other)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it becomes `path`, on failure it goes.

    A device or a pipe (/dev/null, /dev/stdout) is given as it is: it must not be replaced. Nor
    must a link: the file that it leads to is.
    """
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    with partial_of(path) as partial:
        try:
            yield partial
            with suppress(OSError):  # who may read what stands there may read it, and nobody else
                partial.chmod(S_IMODE(path.stat().st_mode))
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


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
