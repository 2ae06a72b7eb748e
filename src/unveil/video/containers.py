"""Containers: their suffixes, and what each holds."""

from __future__ import annotations

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
# Of MPEG-TS, FFmpeg lists two codecs only; of MOV some that it then refuses.
MPEGTS = {"h264", "hevc", "aac", "mp2", "mp3", "ac3", "eac3", "dts", "opus", "dvb_subtitle"}
ONLY_MP4 = {"vp9", "av1", "opus", "flac", "truehd"}


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
    return held - ONLY_MP4 if name == "mov" else held


def _canonical(name: str) -> str:
    """The codec's name, for the name of a decoder or encoder."""
    for mode in ("r", "w"):
        with suppress(av.codec.codec.UnknownCodecError):
            return av.Codec(name, mode).canonical_name
    return name
