"""Containers: their suffixes, and what each holds."""

from __future__ import annotations

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
# Of MPEG-TS, FFmpeg lists two codecs only.
MPEGTS = {"h264", "hevc", "mpeg2video", "aac", "mp2", "mp3", "ac3", "eac3", "dts", "opus"}


def container_of(path: Path) -> str:
    """FFmpeg's name of the container for a file name's suffix.

    Raises:
        UsageError: if it is not one that can be written.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path}: write to {', '.join(FORMATS)}")
    return kind


def held_by(output: av.container.OutputContainer) -> set[str]:
    """FFmpeg's names of the codecs that a container holds, so that they can be read again."""
    if output.format.name == "mpegts":
        return MPEGTS
    return set(output.supported_codecs)
