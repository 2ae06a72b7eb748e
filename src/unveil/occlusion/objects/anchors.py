"""Where an RGBA file sits on a face: anchors from masks.cfg and occlusions.csv, or from its name.

Anchors are pairs of points: one in the file's pixels, one on the face in units of 256. Fitting is
by a homography (six points of a mask), an affine map, or a similarity, whichever the points allow.
"""

from __future__ import annotations

import configparser
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.errors import DataError
from unveil.occlusion.objects.layer import POINTS

FACE_POINTS = POINTS.astype(np.float64) * 256
_LEFT_EYE, _RIGHT_EYE, _NOSE, _LEFT_MOUTH, _RIGHT_MOUTH = FACE_POINTS

# What a file's pixel may cover of the face, in square units: points on one line give nothing or
# far more than there is.
PIXELS = (1e-9, 256.0**2)
# Of a mask: upper left, on the nose, upper right, lower left, chin, lower right; as MaskTheFace's
# mask_a .. mask_f. A face that looks straight, and how far the middle moves as it turns aside.
_MASK = np.array([[62, 149], [128, 143], [194, 149], [73, 199], [128, 237], [183, 199]], float)
_TURN = np.array([[-10, 0], [-34, 2], [18, -8], [-9, 0], [-28, 0], [20, -10]], float)

KINDS: dict[str, tuple[str, ...]] = {  # the first kind with a word in the file's name is taken
    "eyes": ("sleep", "carnival", "masquerade", "visor"),
    "mask": ("mask", "respirator", "n95", "surgical"),
    "glasses": ("glass", "goggle", "spectacle", "shades"),
    "hat": ("hat", "cap_", "cap.", "cap-", "beanie", "helmet", "hood", "turban", "bonnet"),
    "patch": ("patch",),
    "held": ("cup", "mug", "phone", "book", "flower", "glove", "hand", "microphone", "bouquet"),
}


@dataclass(frozen=True)
class Anchor:
    """What a file is and where it belongs.

    Attributes:
        kind: a key of `KINDS`, or "other".
        group: files of one group are never divided between training and test.
        matrix: (3, 3) float64, the file's pixels -> units on the face; None: anywhere on it.
        side: -1 or 1 where it was made for faces that look to the left or right of the picture.
    """

    kind: str
    group: str
    matrix: NDArray[np.float64] | None
    side: int = 0


def read_anchors(folder: Path) -> dict[Path, Anchor]:
    """The anchors that masks.cfg and occlusions.csv below `folder` give to files there.

    Raises:
        DataError: names the file, and the section or the row, that is damaged.
    """
    anchors: dict[Path, Anchor] = {}
    for path in sorted(folder.rglob("[!.]*.cfg")):
        anchors |= _read_cfg(path)
    for path in sorted(folder.rglob("occlusions.csv")):
        anchors |= _read_csv(path)
    return anchors


def _read_cfg(path: Path) -> dict[Path, Anchor]:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as a list of masks: {reason}") from None
    anchors = {}
    for name in parser.sections():
        section = parser[name]
        if "template" not in section:
            continue
        named = Path(section["template"].strip())
        places = (
            path.parent / named,
            path.parent / "templates" / named.name,
            path.parent / named.name,
        )
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            continue  # the list is longer than what was copied
        at = np.array(
            [_pair(section.get(f"mask_{c}", ""), f"{path}: [{name}] mask_{c}") for c in "abcdef"]
        )
        side = -1 if name.endswith("_left") else 1 if name.endswith("_right") else 0
        on_face = _MASK.copy()
        if side:
            # A template of a face that looks to the viewer's left; mirrored for the right.
            turned = _MASK + _TURN
            on_face = turned if side < 0 else mirrored(turned)[[2, 1, 0, 5, 4, 3]]
        matrix, _ = cv2.findHomography(at, on_face, 0)
        if matrix is None or not _spans_an_area(matrix):
            raise DataError(f"{path}: [{name}]: its six points do not span an area")
        anchors[found.resolve()] = Anchor(
            "mask", name.split("_")[0].lower(), np.asarray(matrix, np.float64), side
        )
    return anchors


def _read_csv(path: Path) -> dict[Path, Anchor]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(text.splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a list of occluders: {error}") from None
    anchors = {}
    for number, row in enumerate(rows, 1):
        if not row:
            continue
        place = f"{path}, line {number}"
        if len(row) != 9:
            raise DataError(f"{place}: 9 columns are needed, not {len(row)}")
        # Eyes, nose, corners of the mouth; empty or "0,0" where the thing does not reach.
        points = [_pair(cell, place) if cell.strip() else np.zeros(2) for cell in row[4:]]
        known = [i for i, point in enumerate(points) if point.any()]
        file = (path.parent / row[0]).resolve()
        if not file.is_file():
            continue
        at, on_face = np.array([points[i] for i in known]).reshape(-1, 2), FACE_POINTS[known]
        if not {0, 1} <= set(known) and not {3, 4} <= set(known):
            raise DataError(f"{place}: both eyes or both corners of the mouth are needed")
        kind = kind_of(file.name)
        matrix = _fit(known, at, on_face, kind)
        if not _spans_an_area(matrix):
            raise DataError(f"{place}: its points do not span an area")
        anchors[file] = Anchor(kind, file.stem, matrix)
    return anchors


def _spans_an_area(matrix: NDArray[Any]) -> bool:
    """Whether a map takes a file's pixel to one of a size that a face has room for."""
    return bool(np.isfinite(matrix).all() and PIXELS[0] < abs(np.linalg.det(matrix)) < PIXELS[1])


def _pair(text: str, place: str) -> NDArray[np.float64]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise DataError(f"{place}: two numbers are needed, not {text!r}") from None
    return np.array([x, y])


def _fit(
    known: list[int], at: NDArray[np.float64], on_face: NDArray[np.float64], kind: str
) -> NDArray[np.float64]:
    if known[:3] == [0, 1, 2] and kind not in ("hat", "glasses"):
        affine = cv2.getAffineTransform(at[:3].astype(np.float32), on_face[:3].astype(np.float32))
        return _square(affine)
    # Two points fix a similarity: the eyes (a hat's nose is a guess), or the mouth's corners.
    pair = (0, 1) if {0, 1} <= set(known) else (3, 4)
    first, second = known.index(pair[0]), known.index(pair[1])
    scale = 1.0
    if pair == (3, 4) and 2 in known:
        # What is held before the mouth begins at the nose. Where that asks for another size than
        # the mouth's width does, the mean of both keeps its proportions.
        rise, wide = (_height(points, known) / _width(points, known) for points in (at, on_face))
        scale = float(np.sqrt(np.clip(wide / max(rise, 1e-3), 1 / 16, 16)))
    return _similarity(at[first], at[second], on_face[first], on_face[second], scale)


def _width(points: NDArray[np.float64], known: list[int]) -> float:
    return max(float(np.linalg.norm(points[known.index(4)] - points[known.index(3)])), 1e-3)


def _height(points: NDArray[np.float64], known: list[int]) -> float:
    mouth = (points[known.index(4)] + points[known.index(3)]) / 2
    return max(float(np.linalg.norm(mouth - points[known.index(2)])), 1e-3)


def _similarity(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    to_a: NDArray[np.float64],
    to_b: NDArray[np.float64],
    scale: float = 1.0,
) -> NDArray[np.float64]:
    """a -> to_a and b -> to_b; with a scale other than 1, so about the middle of the two."""
    start, end = complex(*(b - a)), complex(*(to_b - to_a))
    turn = end / (start if abs(start) > 1e-3 else 1e-3) * scale
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    shift = (to_a + to_b) / 2 - linear @ (a + b) / 2
    return _square(np.concatenate([linear, shift[:, None]], axis=1))


def _square(affine: NDArray[Any]) -> NDArray[np.float64]:
    return np.concatenate([np.asarray(affine, np.float64), [[0.0, 0.0, 1.0]]])


def mirrored(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points in units, left and right exchanged about the middle of the face."""
    return (FACE_POINTS[:2, 0].sum(), 0) - points * (1, -1)


def kind_of(name: str) -> str:
    """What a file's name says it is: a key of `KINDS`, or "other"."""
    low = name.lower()
    return next((kind for kind, words in KINDS.items() if any(w in low for w in words)), "other")


def by_name(name: str, box: tuple[int, int, int, int]) -> Anchor:
    """A place for a file without anchors, from its name and the box (x, y, w, h) of its alpha."""
    kind = kind_of(name)
    x, y, w, h = box
    middle = x + w / 2
    if kind in ("glasses", "eyes"):
        return Anchor(kind, name, _box_to(middle, y + h * 0.47, 128 / w, (127.5, 133)))
    if kind == "mask":
        low = np.array([[x, y], [x + w, y], [x, y + h]], np.float32)
        on_face = np.array([[63, 145], [192, 145], [63, 236]], np.float32)
        return Anchor(kind, name, _square(cv2.getAffineTransform(low, on_face)))
    if kind == "hat":
        return Anchor(kind, name, _box_to(middle, y + h, 165 / w, (127.5, 106)))
    if kind == "patch":
        return Anchor(kind, name, _box_to(middle, y + h / 2, 48 / max(w, h), tuple(_LEFT_EYE)))
    return Anchor(kind, name, None)


def _box_to(x: float, y: float, scale: float, to: tuple[float, float]) -> NDArray[np.float64]:
    return np.array([[scale, 0, to[0] - scale * x], [0, scale, to[1] - scale * y], [0, 0, 1.0]])
