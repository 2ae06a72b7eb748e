"""How the picture is encoded: codec, quality, pixel format."""

from __future__ import annotations

from dataclasses import dataclass

import av

from unveil.errors import UsageError
from unveil.video.reader import ClipInfo

ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "ffv1": "ffv1"}
DEFAULT_QUALITY = 18
# Half of the processor is for the faces, so not the slowest preset.
PRESET = "veryfast"


@dataclass(frozen=True)
class Encoding:
    """How a clip is written.

    Attributes:
        codec: a name of `ENCODERS`; None: H.264, in .webm VP9.
        quality: 0 (lossless) to 51 (worst), as x264's CRF: 6 less is about twice the size.
    """

    codec: str | None = None
    quality: int = DEFAULT_QUALITY

    def __post_init__(self) -> None:
        if self.codec is not None and self.codec not in ENCODERS:
            raise UsageError(f"--codec {self.codec}: there are {', '.join(ENCODERS)}")
        if not 0 <= self.quality <= 51:
            raise UsageError(f"--quality must be 0 (lossless) to 51 (got {self.quality})")


def pixel_format(info: ClipInfo, codec: str) -> str:
    """The format to write: the source's own where the codec has it, else the nearest."""
    known = {f.name for f in av.Codec(ENCODERS[codec], "w").video_formats or ()}
    odd = info.size[0] % 2 or info.size[1] % 2
    source = av.VideoFormat(info.pix_fmt)
    halved = any(c.width < 2 or c.height < 2 for c in av.VideoFormat(info.pix_fmt, 2, 2).components)
    turned = info.rotation % 180 == 90 and info.pix_fmt.startswith("yuv422")
    if info.pix_fmt in known and not source.is_rgb and not (odd and halved) and not turned:
        return info.pix_fmt
    # x264 has no odd sizes with halved colour, and a clip keeps its size here.
    name = "yuv444p" if odd or turned else "yuv420p"
    deep = f"{name}10le"
    bits = max(c.bits for c in source.components)
    return deep if bits > 8 and deep in known else name


def options_of(codec: str, quality: int, container: str) -> dict[str, str]:
    """FFmpeg's options of the encoder."""
    if codec == "vp9":
        return {"crf": str(quality), "b": "0", "deadline": "realtime", "cpu-used": "6"}
    if codec == "h264":
        # AVI has no times, so frames must come in the order in which they are shown.
        order = {"bf": "0"} if container == "avi" else {}
        return {"crf": str(quality), "preset": PRESET, **order}
    if codec == "hevc":
        return {"crf": str(quality), "preset": PRESET, "x265-params": "log-level=error"}
    return {}
