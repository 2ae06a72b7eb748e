"""Names of files: which are inputs, and what their results are called."""

from __future__ import annotations

import re
from pathlib import PurePath, PurePosixPath

RESTORED, INVENTED, MASK = ".restored.png", ".invented.png", ".mask.png"
_OURS = re.compile(
    r".\.(restored(-\d+)?\.(png|jpe?g|jpe|jfif|webp|tiff?|bmp)|(invented|mask)\.png)$",
    re.DOTALL | re.IGNORECASE,
)
_JPEG_SUFFIXES = frozenset([".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"])
IMAGE_SUFFIXES = _JPEG_SUFFIXES | frozenset(
    [".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".jp2", ".ppm"]
)
# Photos that no decoder of ours reads. In a folder they are inputs, so that somebody hears of it.
UNREADABLE_SUFFIXES = frozenset([".heic", ".heif"])
# A Mac puts a ._NAME, which is no image, beside each file on other disks and in tars.
BESIDE = "._"


def is_image(name: PurePath) -> bool:
    """Whether a file looks like an image by its name."""
    return name.suffix.lower() in IMAGE_SUFFIXES


def is_readable(name: PurePath) -> bool:
    """Whether nothing in a file's name says that no decoder of ours reads it."""
    return name.suffix.lower() not in UNREADABLE_SUFFIXES


def is_ours(name: PurePath) -> bool:
    """Whether a file is called as our results are; such must not be restored again.

    >>> is_ours(PurePath("party.restored-2.png")), is_ours(PurePath("party.mask.2.png"))
    (True, False)
    """
    return _OURS.search(name.name) is not None


def is_input(name: PurePath) -> bool:
    """An image that is no result of ours, by its name.

    >>> is_input(PurePath("a.jpg")), is_input(PurePath("._a.jpg")), is_input(PurePath(".a.jpg"))
    (True, False, True)
    """
    beside = name.name.startswith(BESIDE)
    return (is_image(name) or not is_readable(name)) and not is_ours(name) and not beside


def is_occluded(name: PurePath) -> bool:
    """Whether a file has a name that `unveil occlude` gives."""
    return name.name.endswith((".occluded.png", MASK, ".triplet.png"))


def is_face(name: PurePath) -> bool:
    """Whether a file may be a clean face, by its name: not hidden, and not made by `unveil`.

    >>> is_face(PurePath("a.jpg")), is_face(PurePath("._a.jpg")), is_face(PurePath("a.mask.png"))
    (True, False, False)
    """
    ours = is_ours(name) or is_occluded(name)
    return is_image(name) and not ours and not name.name.startswith(".")


def below(name: str) -> str:
    """A path below a folder or in a tar without the ./ that `tar cf faces.tar .` puts before it.

    >>> below("./2020/party.jpg"), below("../party.jpg")
    ('2020/party.jpg', '../party.jpg')
    """
    return str(PurePosixPath(name))


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
