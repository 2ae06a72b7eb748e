"""Names of files: which are inputs, and what their results are called."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath

RESTORED = ".restored.png"
OUR_SUFFIXES = (".restored.", ".restored-", ".mask.", ".invented.")
IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".jp2"]
)
# Photos that no decoder of ours reads. In a folder they are inputs, so that somebody hears of it.
UNREADABLE_SUFFIXES = frozenset([".heic", ".heif"])


def is_image(name: PurePath) -> bool:
    """Whether a file looks like an image by its name."""
    return name.suffix.lower() in IMAGE_SUFFIXES


def is_readable(name: PurePath) -> bool:
    """Whether nothing in a file's name says that no decoder of ours reads it."""
    return name.suffix.lower() not in UNREADABLE_SUFFIXES


def is_input(name: PurePath) -> bool:
    """An image that is no result of ours: those must not be restored again."""
    photo = is_image(name) or not is_readable(name)
    return photo and not any(own in name.name for own in OUR_SUFFIXES)


def restored_name(name: str) -> str:
    """What a folder's restored photo is called: beside the input, in the folder of results.

    >>> restored_name("2020/party.jpg")
    '2020/party.restored.png'
    """
    path = PurePath(name)
    return path.with_name(f"{path.stem}{RESTORED}").as_posix()


def leads_out(name: str) -> bool:
    """Whether a name, as a path below a folder, is none below it.

    >>> leads_out("2020/party.jpg"), leads_out("../party.jpg"), leads_out("/party.jpg")
    (False, True, True)
    """
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
