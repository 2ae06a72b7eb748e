"""What travels in a picture's file beside its pixels: kept from the source, and what we must say.

A restored picture says in its own file that a part of it is invented: for people (PNG text, EXIF)
and for programs (XMP, with the IPTC's digital source type for such composites), after what the
source says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PIL import Image, JpegImagePlugin
from PIL.PngImagePlugin import PngImageFile, PngInfo

from unveil import __version__
from unveil.exif import EXIF_IFD, GPS_IFD, INTEROP_IFD, faithful, to_bytes, upright_copy
from unveil.xmp import of_result, with_disclosure

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
SOFTWARE, USER_COMMENT, TIFF_XMP = 0x0131, 0x9286, 700
# All others of a TIFF's main directory tell how its pixels are stored, or may.
DESCRIPTION, MAKE, CAMERA, DATE, ARTIST, COPYRIGHT = 270, 271, 272, 306, 315, 33432
TIFF_KEEPS = (DESCRIPTION, MAKE, CAMERA, SOFTWARE, DATE, ARTIST, COPYRIGHT)
# Of EXIF, of XMP and of a PNG's text: JPEG holds 65,000 of each, with ours in it.
MOST_BYTES = 60_000
IPTC = 0x0404  # of what Photoshop puts into a JPEG, where its own thumbnail lies too
NO_TEXT = ("XML:com.adobe.xmp", "Raw profile type")  # the same once more, and who turned it how
ASCII, UNICODE, UNDEFINED = b"ASCII\0\0\0", b"UNICODE\0", bytes(8)
OURSELVES = f"unveil {__version__}"


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
            f"Part of {faces} ({100 * self.invented:.2f} % of this picture) was invented by "
            f"{OURSELVES}, model {self.model}. Not for identification."
        )


def read_info(image: Image.Image) -> dict[str, object]:
    """What a writer can keep of an image as it was opened.

    Returns:
        Any of `icc_profile` (bytes, of an RGB or grey profile), `dpi`, `exif` (bytes, upright,
        without the thumbnail), `xmp` (bytes, upright), of a JPEG `qtables` and `subsampling`, which
        are its quality, `comment` and `iptc` (bytes), of a PNG `text` (its words by their names),
        and of a TIFF `compressed`.
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
        exif = upright_copy(image.getexif())
        kept = _descriptive(exif) if image.format == "TIFF" else exif
        data = to_bytes(kept)  # without the thumbnail, which would show what is no longer there
        if (len(kept) or any(kept._ifds.values())) and len(data) < MOST_BYTES:
            info["exif"] = data
    xmp = image.info.get("xmp", image.info.get("XML:com.adobe.xmp"))
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if isinstance(xmp, bytes) and 0 < len(xmp) < MOST_BYTES:
        info["xmp"] = of_result(xmp)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        # Their numbers may leave gaps, which a writer does not take.
        info["qtables"] = [table for _, table in sorted(image.quantization.items())]
        # Of 4:4:0, 4:1:1 and CMYK it is -1, which Pillow writes as 4:2:0: all colours are more.
        info["subsampling"] = max(0, JpegImagePlugin.get_sampling(image))
        iptc = image.info.get("photoshop", {}).get(IPTC, b"")
        info |= {"iptc": iptc} if 0 < len(iptc) < MOST_BYTES else {}
        info |= {"comment": image.info["comment"]} if image.info.get("comment") else {}
    if isinstance(image, PngImageFile):
        info["text"] = _short(image.text)
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
    profile = options.get("icc_profile")
    if kind == "WEBP" and isinstance(profile, bytes) and profile[16:20] == b"GRAY":
        del options["icc_profile"]  # it has no grey pixels: grey is written in colours
    xmp = info.get("xmp")
    if disclosure is not None:
        packet = xmp if isinstance(xmp, bytes) else None
        xmp = with_disclosure(packet, disclosure.text, OURSELVES, SOURCE_TYPE)
        options["exif"] = _exif_with(info.get("exif"), disclosure)
    if kind == "PNG":
        options["pnginfo"] = _texts(info.get("text"), xmp, disclosure)
    elif isinstance(xmp, bytes) and kind in ("JPEG", "WEBP"):
        options["xmp"] = xmp
    elif kind == "TIFF":
        tags = _descriptive(_load(options.get("exif")))
        if isinstance(xmp, bytes):
            tags[TIFF_XMP] = xmp
        options["exif"] = faithful(_load(to_bytes(tags)))  # of bytes, Pillow would make ASCII
    if kind == "JPEG":
        quality: dict[str, Any] = {k: info[k] for k in ("qtables", "subsampling") if k in info}
        options |= quality if "qtables" in quality else {"quality": 95, "subsampling": 0}
        options |= {"comment": info["comment"]} if "comment" in info else {}
        options |= {"extra": _app13(info["iptc"])} if "iptc" in info else {}
    if kind == "BMP":
        options = {k: v for k, v in options.items() if k == "dpi"}
    return options


def _short(texts: Mapping[str, str]) -> dict[str, str]:
    """Of a PNG's words those that fit into `MOST_BYTES`: a small file may hold millions."""
    kept, left = {}, MOST_BYTES
    for name, words in texts.items():
        size = len(name) + len(words.encode())
        if size <= left and not name.startswith(NO_TEXT):
            kept[name] = words
            left -= size
    return kept


def _texts(said: object, xmp: object, disclosure: Disclosure | None) -> PngInfo:
    texts: dict[str, str] = dict(said) if isinstance(said, dict) else {}
    if disclosure is not None:
        texts["Software"] = _joined(texts.get("Software"), OURSELVES)
        texts["Disclaimer"] = _joined(texts.get("Disclaimer"), disclosure.text, " ")
    info = PngInfo()
    if isinstance(xmp, bytes):
        info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    for name, words in texts.items():
        info.add_text(name, words)
    return info


def _app13(iptc: object) -> bytes:
    """IPTC's words as Photoshop puts them into a JPEG, as a whole segment."""
    assert isinstance(iptc, bytes)
    block = b"8BIM" + IPTC.to_bytes(2) + bytes(2) + len(iptc).to_bytes(4) + iptc
    body = b"Photoshop 3.0\0" + block + bytes(len(iptc) % 2)
    return b"\xff\xed" + (len(body) + 2).to_bytes(2) + body


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
    tags[SOFTWARE] = _joined(tags.get(SOFTWARE), OURSELVES)
    more = tags.get_ifd(EXIF_IFD)
    more[USER_COMMENT] = _comment(more.get(USER_COMMENT), disclosure.text, tags.endian or ">")
    return to_bytes(tags)


def _joined(old: object, words: str, joint: str = "; ") -> str:
    """`words` after what was said, unless they are there."""
    if not isinstance(old, str) or not old.strip():
        return words
    return old if words in old else f"{old.rstrip()}{joint}{words}"


def _comment(old: object, text: str, endian: str) -> bytes:
    """EXIF's user comment with `text` after what it says; the first eight bytes name its letters.

    One in letters that we do not know stays as it is.
    """
    old = ASCII + old.encode("ascii", "replace") if isinstance(old, str) else old
    code, body = (old[:8], old[8:]) if isinstance(old, bytes) else (ASCII, b"")
    if not body.strip(b"\0 "):
        return ASCII + text.encode("ascii", "replace")
    if code == UNICODE:
        # In the order of EXIF's numbers, or so it should be: Latin letters show which.
        high, low = body[::2].count(0), body[1::2].count(0)
        big = high > low if high != low else endian == ">"
        codec = "utf-16-be" if big else "utf-16-le"
        said = body.decode(codec, "replace").rstrip("\0")
        return code + _joined(said, text, " ").encode(codec)
    if code in (ASCII, UNDEFINED):
        said = body.rstrip(b"\0").decode("latin-1")
        return code + _joined(said, text, " ").encode("latin-1", "replace")
    return code + body
