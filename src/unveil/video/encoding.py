"""How the picture is encoded: codec, quality, pixel format."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.codec.codec import find_best_pix_fmt_of_list

from unveil.errors import UsageError
from unveil.video.reader import ClipInfo

ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "ffv1": "ffv1"}
# Formats that an encoder names, but does not take.
NOT_TAKEN = {
    "hevc": ("yuva420p", "yuva420p10le"),
    "vp9": ("gbrap", "yuva422p", "yuva444p"),
    "ffv1": ("yaf16le", "grayf16le", "gbrpf16le", "gbrpf32le"),
}
DEFAULT_QUALITY = 18
# Half of the processor is for the faces, so not the slowest preset.
PRESET = "veryfast"


@dataclass(frozen=True)
class Encoding:
    """How a clip is written.

    Attributes:
        codec: a name of `ENCODERS`; None: see `default_codec`.
        quality: 0 (loses nothing) to 51 (worst), as x264's CRF: 6 less is about twice the size.
        plain: 8 bits and 4:2:0, of odd sizes 4:4:4, which are all that browsers show of H.264.
    """

    codec: str | None = None
    quality: int = DEFAULT_QUALITY
    plain: bool = False

    def __post_init__(self) -> None:
        if self.codec is not None and self.codec not in ENCODERS:
            raise UsageError(f"--codec {self.codec}: there are {', '.join(ENCODERS)}")
        if not 0 <= self.quality <= 51:
            raise UsageError(f"--quality must be 0 (lossless) to 51 (got {self.quality})")


def default_codec(info: ClipInfo, held: set[str]) -> str:
    """The codec for a clip, of those that the new container holds.

    The source's own, if that is H.264 or HEVC: who could play it still can. Else H.264, which all
    players show; but of more than 8 bits HEVC, for few show such H.264.
    """
    own = info.codec if info.codec in ("h264", "hevc") else ""
    first = own or ("hevc" if _bits(info.pix_fmt) > 8 else "h264")
    return next(codec for codec in (first, "h264", "vp9") if codec in held)


def _bits(pix_fmt: str) -> int:
    return max(component.bits for component in av.VideoFormat(pix_fmt).components)


def pixel_format(info: ClipInfo, codec: str, exact: bool = False, plain: bool = False) -> str:
    """The format to write: the source's own where the codec has it, else one that all players show.

    Args:
        info: of the source.
        codec: a name of `ENCODERS`.
        exact: nothing may be lost: rather the nearest format, RGB too, than one for all players.
        plain: see `Encoding`.
    """
    formats = (f.name for f in av.Codec(ENCODERS[codec], "w").video_formats or ())
    known = [name for name in formats if name not in NOT_TAKEN.get(codec, ())]
    odd = info.size[0] % 2 or info.size[1] % 2
    if plain:
        wanted = "yuv444p" if odd else "yuv420p"
        return info.pix_fmt if _plain(info.pix_fmt) == wanted else wanted
    source = av.VideoFormat(info.pix_fmt)
    halved = any(c.width < 2 or c.height < 2 for c in av.VideoFormat(info.pix_fmt, 2, 2).components)
    turned = info.rotation % 180 == 90 and info.pix_fmt.startswith("yuv422")
    # x264 has no odd sizes with halved colour, and a clip keeps its size here.
    fits = not (odd and halved and codec != "ffv1") and not turned
    if fits and info.pix_fmt in known and not source.is_rgb:
        return info.pix_fmt
    if fits and exact:
        alpha = codec == "ffv1" and any(c.is_alpha for c in source.components)
        best, _ = find_best_pix_fmt_of_list(known, _plain(info.pix_fmt), alpha)
        assert best is not None
        return best.name
    name = "yuv444p" if odd or turned else "yuv420p"
    deep = f"{name}10le"
    return deep if _bits(info.pix_fmt) > 8 and deep in known else name


def loses_nothing(pix_fmt: str, wanted: str) -> bool:
    """Whether a format's colours, but for transparency, can be said in another one."""
    if _plain(pix_fmt) == _plain(wanted):
        return True
    return not find_best_pix_fmt_of_list([wanted], pix_fmt)[1]


def _plain(pix_fmt: str) -> str:
    """FFmpeg has two names for some formats, of which one says that their range is full."""
    return pix_fmt.replace("yuvj", "yuv")


def colours_of(info: ClipInfo, pix_fmt: str) -> tuple[int, int, int, int]:
    """What the new file says of its colours: as `ClipInfo.colours`."""
    matrix, primaries, transfer, full = info.colours
    if av.VideoFormat(pix_fmt).is_rgb:
        matrix = 0
    elif matrix == 0 or av.VideoFormat(info.pix_fmt).is_rgb or info.pix_fmt == "pal8":
        matrix = 6  # BT.601, by which FFmpeg converts RGB; for large clips players guess another
    if info.pix_fmt.startswith(("gray", "ya")):
        full = 2  # whatever a file says of grey, FFmpeg reads it so; of H.264 it does not
    return matrix, primaries, transfer, full


def keeps_all(codec: str, quality: int) -> bool:
    """Whether the encoder is asked to lose nothing."""
    return codec == "ffv1" or quality == 0


def keeps_aspect(aspect: Fraction, codec: str, container: str) -> bool:
    """Whether the new file can say that its pixels are not square.

    H.264 and HEVC do so themselves; of the containers, PyAV lets MP4 and MOV do so.
    """
    return aspect in (0, 1) or codec in ("h264", "hevc") or container in ("mp4", "mov")


def options_of(codec: str, quality: int, container: str) -> dict[str, str]:
    """FFmpeg's options of the encoder."""
    if codec == "vp9":
        size = {"lossless": "1"} if quality == 0 else {"crf": str(quality), "b": "0"}
        return {**size, "deadline": "realtime", "cpu-used": "6"}
    if codec == "h264":
        # A CRF of 0 loses nothing of 8 bits only.
        size = {"qp": "0"} if quality == 0 else {"crf": str(quality)}
        # AVI has no times, so frames must come in the order in which they are shown.
        order = {"bf": "0"} if container == "avi" else {}
        return {**size, "preset": PRESET, **order}
    if codec == "hevc":
        asked = "lossless=1" if quality == 0 else f"crf={quality}"
        return {"preset": PRESET, "x265-params": f"{asked}:log-level=error"}
    return {}
