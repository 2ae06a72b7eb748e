"""Containers: their suffixes, and what each holds."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import av

from unveil.errors import UsageError

FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
    ".ts": "mpegts",
}
# Subtitles of text become these where a container does not hold theirs.
TEXTS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
# Of MPEG-TS, FFmpeg lists two codecs only; of MOV some that it then refuses, of AVI some that it
# gives a wrong clock.
MPEGTS = {"h264", "hevc", "aac", "mp2", "mp3", "ac3", "eac3", "dts", "opus", "dvb_subtitle"}
# Wrong clocks, and (from the third on) what FFmpeg's AVI fails with as soon as it is begun.
AVI_LACKS = {"adpcm_ms", "eac3", "adpcm_ima_wav", "adpcm_yamaha", "adpcm_swf", "adpcm_g722"}
NOT_HELD = {"mov": {"vp9", "av1", "opus", "flac", "truehd"}, "avi": AVI_LACKS}


def container_of(path: Path) -> str:
    """FFmpeg's name of the container for a file name's suffix.

    Raises:
        UsageError: if it is not one that can be written.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path}: write to {', '.join(FORMATS)}")
    return kind


def suffix_of(container: str) -> str:
    """The usual suffix, for messages: people know `.mkv`, not `matroska`."""
    return next(suffix for suffix, kind in FORMATS.items() if kind == container)


def held_by(output: av.container.OutputContainer) -> set[str]:
    """FFmpeg's names of the codecs that a container holds, so that they can be read again."""
    name = output.format.name
    if name == "mpegts":
        return MPEGTS
    held = set(map(_canonical, output.supported_codecs))
    return held - NOT_HELD.get(name, set())


def holders(*codecs: str) -> str:
    """For messages: the suffixes of containers that hold all of these; "": there is none.

    `.mkv` alone where it does, for it keeps all else as well. Text counts where it is converted.

    >>> holders("aac"), holders("mpeg4", "pcm_s16le"), holders("adpcm_ms")
    ('.mkv', '.mkv', '')
    """
    able = []
    for kind in dict.fromkeys(FORMATS.values()):
        with av.open(io.BytesIO(), "w", format=kind) as output:
            held = held_by(output)
        if all(codec in held or (kind in TEXTS and _is_text(codec)) for codec in codecs):
            able.append(suffix_of(kind))
    return ".mkv" if ".mkv" in able else " and ".join(able)


def _is_text(name: str) -> bool:
    try:
        return av.Codec(name, "r").text_sub
    except av.codec.codec.UnknownCodecError:
        return False


def _canonical(name: str) -> str:
    """The codec's name, for the name of a decoder or encoder."""
    for mode in ("r", "w"):
        with suppress(av.codec.codec.UnknownCodecError):
            return av.Codec(name, mode).canonical_name
    return name
