"""What travels in a picture's file beside its pixels: kept from the source, and what we must say.

A restored picture says in its own file that a part of it is invented: for people (PNG text, EXIF)
and for programs (XMP, with the IPTC's digital source type for such composites).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image, JpegImagePlugin
from PIL.PngImagePlugin import PngInfo

from unveil import __version__

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
ORIENTATION, SOFTWARE, USER_COMMENT, TIFF_XMP = 0x0112, 0x0131, 0x9286, 700
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
# All others of a TIFF's main directory tell how its pixels are stored, or may.
DESCRIPTION, MAKE, CAMERA, DATE, ARTIST, COPYRIGHT = 270, 271, 272, 306, 315, 33432
TIFF_KEEPS = (DESCRIPTION, MAKE, CAMERA, SOFTWARE, DATE, ARTIST, COPYRIGHT)
MOST_BYTES = 60_000  # of EXIF and of XMP: JPEG holds 65,000 of each, with ours in it
# The old picture in small: it would show what is no longer there.
THUMBNAIL_IFD = 1
EMPTY = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
)


@dataclass(frozen=True)
class Disclosure:
    """What a restored picture says of itself.

    Attributes:
        model: name and hash of the weights, `lite:1a2b...`.
        invented: invented pixels / all pixels, 0..1.
        faces: faces of which a part is invented.
    """

    model: str
    invented: float
    faces: int

    @property
    def text(self) -> str:
        """One sentence for people."""
        faces = "1 face" if self.faces == 1 else f"{self.faces} faces"
        return (
            f"Part of {faces} ({100 * self.invented:.2f} % of this picture) was invented by unveil "
            f"{__version__}, model {self.model}. Not for identification."
        )


def read_info(image: Image.Image) -> dict[str, object]:
    """What a writer can keep of an image as it was opened.

    Returns:
        Any of `icc_profile` (bytes, of an RGB or grey profile), `dpi`, `exif` (bytes, upright,
        without the thumbnail), `xmp` (bytes), of a JPEG `qtables` and `subsampling`, which are
        its quality, and of a TIFF `compressed`.
    """
    info: dict[str, object] = {}
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile[16:20] in (b"RGB ", b"GRAY"):
        info["icc_profile"] = profile
    with suppress(Exception):
        x, y = (float(v) for v in image.info["dpi"])
        # Of a TIFF that tells none, Pillow makes up 1.
        if 1 < x <= 60_000 and 1 < y <= 60_000:
            info["dpi"] = (x, y)
    with suppress(Exception):  # damaged metadata is no reason to refuse the picture
        exif = image.getexif()
        turned = exif.pop(ORIENTATION, None)
        exif._ifds.pop(THUMBNAIL_IFD, None)
        kept = _descriptive(exif) if image.format == "TIFF" else exif
        data = kept.tobytes()
        if (len(kept) or kept._ifds) and len(data) < MOST_BYTES:
            info["exif"] = data
        if turned is not None:
            exif[ORIENTATION] = turned  # for whoever turns the image by it
    xmp = image.info.get("xmp", image.info.get("XML:com.adobe.xmp"))
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if isinstance(xmp, bytes) and 0 < len(xmp) < MOST_BYTES:
        info["xmp"] = xmp
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        info["qtables"] = image.quantization
        info["subsampling"] = JpegImagePlugin.get_sampling(image)
    if image.format == "TIFF" and image.info.get("compression", "raw") != "raw":
        info["compressed"] = True
    return info


def save_options(
    kind: str, info: dict[str, object], disclosure: Disclosure | None = None
) -> dict[str, Any]:
    """Arguments of Pillow's `save` that keep `info` and say `disclosure`, as far as `kind` can.

    BMP holds neither.
    """
    options: dict[str, Any] = {k: info[k] for k in ("icc_profile", "dpi", "exif") if k in info}
    xmp = info.get("xmp")
    if disclosure is not None:
        xmp = _with_disclosure(xmp if isinstance(xmp, bytes) else None, disclosure)
        options["exif"] = _exif_with(info.get("exif"), disclosure)
    if kind == "PNG":
        texts = PngInfo()
        if isinstance(xmp, bytes):
            texts.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
        if disclosure is not None:
            texts.add_text("Software", f"unveil {__version__}")
            texts.add_text("Disclaimer", disclosure.text)
        options["pnginfo"] = texts
    elif isinstance(xmp, bytes) and kind in ("JPEG", "WEBP"):
        options["xmp"] = xmp
    elif kind == "TIFF":
        tags = _descriptive(_load(options.get("exif")))
        if isinstance(xmp, bytes):
            tags[TIFF_XMP] = xmp
        options["exif"] = tags.tobytes()
    if kind == "JPEG":
        quality: dict[str, Any] = {k: info[k] for k in ("qtables", "subsampling") if k in info}
        options |= quality if "qtables" in quality else {"quality": 95, "subsampling": 0}
    if kind == "BMP":
        options = {k: v for k, v in options.items() if k == "dpi"}
    return options


def _load(exif: object) -> Image.Exif:
    tags = Image.Exif()
    with suppress(Exception):
        if isinstance(exif, bytes):
            tags.load(exif)
    return tags


def _descriptive(exif: Image.Exif) -> Image.Exif:
    """What of a TIFF's tags, or of EXIF that goes into a TIFF, tells nothing of stored pixels."""
    kept = Image.Exif()
    kept.endian = exif.endian  # some values are bytes, in this order
    for tag in TIFF_KEEPS:
        if tag in exif:
            kept[tag] = exif[tag]
    for tag in (EXIF_IFD, GPS_IFD):
        found = {k: v for k, v in exif.get_ifd(tag).items() if k != INTEROP_IFD}  # an offset
        if found:
            kept.get_ifd(tag).update(found)
    return kept


def _exif_with(exif: object, disclosure: Disclosure) -> bytes:
    tags = _load(exif)
    tags[SOFTWARE] = f"unveil {__version__}"
    # The first eight bytes name the character set.
    tags.get_ifd(EXIF_IFD)[USER_COMMENT] = b"ASCII\0\0\0" + disclosure.text.encode(
        "ascii", "replace"
    )
    return tags.tobytes()


def _with_disclosure(xmp: bytes | None, disclosure: Disclosure) -> bytes:
    """The packet with our description in it, in place of an older digital source type."""
    said = (
        '<rdf:Description rdf:about=""'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' xmp:CreatorTool="unveil {__version__}"'
        f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}">'
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(disclosure.text)}'
        "</rdf:li></rdf:Alt></dc:description></rdf:Description>"
    )
    packet = EMPTY
    if xmp is not None:
        with suppress(UnicodeDecodeError):
            old = xmp.decode("utf-8")
            if "</rdf:RDF>" in old:
                packet = old
    ours = r"(?:Iptc4xmpExt:DigitalSourceType|dc:description|xmp:CreatorTool)"
    packet = re.sub(rf"\s{ours}=(\"[^\"]*\"|'[^']*')", "", packet)
    packet = re.sub(rf"<({ours})\b[^>]*?(/>|>.*?</\1>)", "", packet, flags=re.DOTALL)
    head, tail = packet.rsplit("</rdf:RDF>", 1)
    return f"{head}{said}</rdf:RDF>{tail}".encode()
