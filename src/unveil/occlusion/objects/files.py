"""Occluders from a folder of RGBA files that the user points to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unveil.errors import DataError, ImageError
from unveil.files import read_image
from unveil.occlusion.light import GREY
from unveil.occlusion.objects.anchors import Anchor, by_name, mirrored, read_anchors
from unveil.occlusion.objects.drawing import Pose, jitter
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Array, Layer
from unveil.occlusion.objects.textures import bright_colour

_LIFT = {"mask": 0.01, "glasses": 0.02, "eyes": 0.02, "patch": 0.006, "hat": 0.04}
_SHARE = {"mask": 0.36, "glasses": 0.2, "hat": 0.16}  # of the draws; the rest share the rest
_LONGEST = 640  # pixels; a larger file is shrunk as it is read
ASIDE = 0.2  # radians; only heads turned by more wear what was made for turned ones
PARTS = ("train", "held-back")


@dataclass(frozen=True)
class Template:
    """One RGBA file.

    Attributes:
        name: its path below the folder.
        anchor: what it is and where it belongs.
        clear: glasses that let the eyes be seen.
        rgba: (h, w, 4) uint8, RGB multiplied by alpha: between premultiplied pixels no colour of
            transparent ones creeps in.
    """

    name: str
    anchor: Anchor
    clear: bool
    rgba: NDArray[np.uint8]

    @cached_property
    def levels(self) -> list[NDArray[np.uint8]]:
        """The picture at full size, at half, at a quarter ...: shrinking never skips pixels."""
        levels = [self.rgba]
        while min(levels[-1].shape[:2]) >= 32:
            h, w = (n // 2 for n in levels[-1].shape[:2])
            smaller = cv2.resize(levels[-1], (w, h), interpolation=cv2.INTER_AREA)
            levels.append(np.asarray(smaller, np.uint8))
        return levels

    def warp(self, pose: Pose, to_face: NDArray[np.float64]) -> tuple[Array, Array]:
        """Colour (S, S, 3) and alpha (S, S) of the picture on a face.

        Args:
            pose: where the face is.
            to_face: (3, 3), the file's pixels -> units.
        """
        h, w = self.rgba.shape[:2]
        corners = np.array([[[0, 0], [w, 0], [0, h], [w, h]]], np.float64)
        at = pose.points(cv2.perspectiveTransform(corners, to_face)[0])
        scale = max(np.linalg.norm(at[1] - at[0]) / w, np.linalg.norm(at[2] - at[0]) / h)
        level = int(
            np.clip(np.floor(np.log2(1 / max(scale, 1e-6)) + 0.25), 0, len(self.levels) - 1)
        )
        source = self.levels[level]
        # Pixel centres of a smaller level, in the full one.
        fx, fy = w / source.shape[1], h / source.shape[0]
        enlarge = np.array([[fx, 0, (fx - 1) / 2], [0, fy, (fy - 1) / 2], [0, 0, 1]])
        # Which pixel of the file each pixel of the face shows, on a coarse grid that is enlarged.
        step = max(2, pose.size // 64)
        units = np.stack(pose.grid(step), axis=-1).astype(np.float64)
        shown = cv2.perspectiveTransform(units, np.linalg.inv(to_face @ enlarge))
        x, y = (pose.enlarge(shown[..., k].astype(np.float32), step) for k in (0, 1))
        whole = cv2.remap(source, x, y, cv2.INTER_LINEAR)
        alpha = whole[..., 3].astype(np.float32) * np.float32(1 / 255)
        colour = np.zeros((*alpha.shape, 3), np.float32)
        left, top, wide, high = cv2.boundingRect(whole[..., 3])
        box = slice(top, top + high), slice(left, left + wide)
        back = 1 / np.maximum(alpha[box], np.float32(1 / 255))
        channels = [np.minimum(whole[(*box, c)] * back, 255) for c in range(3)]
        if wide and high:
            colour[box] = cv2.merge(channels)
        return colour, alpha


@dataclass(frozen=True)
class FileOccluders:
    """Occluders from files.

    Attributes:
        templates: the files that can be worn or held.
        prints: (N, 256, 256, 3) uint8, pictures of cloth from a folder `textures/`, for masks.
    """

    templates: tuple[Template, ...]
    prints: tuple[NDArray[np.uint8], ...] = ()

    @classmethod
    def load(cls, folder: Path) -> FileOccluders:
        """Read all PNG and WebP files below `folder`.

        Places come from masks.cfg (MaskTheFace), occlusions.csv (OCFR2022) and, for all others,
        from words in the names: glasses, mask, hat, patch; else anywhere on the face. Pictures in
        folders named `textures` are printed onto cloth and surgical masks.

        Raises:
            DataError: there is no such folder, nothing in it, or a file is damaged; names it.
        """
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder of occluders")
        anchors = read_anchors(folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        templates, prints = [], []
        for path in files:
            if path.name.startswith("."):
                continue
            if "textures" in path.relative_to(folder).parts[:-1]:
                if path.suffix.lower() in (".png", ".webp", ".jpg", ".jpeg"):
                    prints.append((path.name, _read_print(path)))
            elif path.suffix.lower() in (".png", ".webp"):
                templates.append(_read_template(path, folder, anchors.get(path.resolve())))
        if not templates:
            raise DataError(f"{folder}: no occluders (PNG or WebP with transparency) in it")
        return cls(tuple(templates), tuple(picture for _, picture in prints))

    def split(self, part: str) -> FileOccluders:
        """The two thirds for training, or the third that is held back for tests.

        Files are ranked by the SHA-256 of their group's name within each kind, so the same folder
        is always divided alike, colours and sides of one mask stay together, and both parts hold
        every kind of which there are two groups.

        Args:
            part: "train" or "held-back".

        Raises:
            DataError: that part would be empty.
        """
        if part not in PARTS:
            raise ValueError(f"part must be one of {', '.join(PARTS)}, not {part!r}")
        held: set[tuple[str, str]] = set()
        for kind in {template.anchor.kind for template in self.templates}:
            groups = {t.anchor.group for t in self.templates if t.anchor.kind == kind}
            ranked = sorted(groups, key=_rank)
            count = max(1, round(len(ranked) / 3)) if len(ranked) > 1 else 0
            held |= {(kind, group) for group in ranked[:count]}
        wanted = part == "held-back"
        kept = tuple(
            t for t in self.templates if ((t.anchor.kind, t.anchor.group) in held) == wanted
        )
        if not kept:
            raise DataError(f"too few occluders to hold some back: {len(self.templates)}")
        prints = tuple(p for i, p in enumerate(self.prints) if (i % 3 == 0) == wanted)
        return replace(self, templates=kept, prints=prints)

    def draw(self, rng: np.random.Generator, head: Head) -> Layer:
        """One of them on the canonical face, with jitter."""
        return self.put_on(rng, head, self.choose(rng, head))

    def put_on(self, rng: np.random.Generator, head: Head, template: Template) -> Layer:
        """This one on the canonical face, with jitter."""
        anchor, to_face = template.anchor, template.anchor.matrix
        flip = rng.random() < 0.5
        if anchor.side and head.turn is not None:
            flip = anchor.side * head.turn < 0
        # A template of a turned face is turned already.
        pose = jitter(rng, replace(head, turn=0.0) if anchor.side else head)
        if to_face is None:
            to_face = _anywhere(rng, template)
        if anchor.kind == "hat":
            # Over the hair a hat is larger than what fits the skull.
            grow = rng.uniform(1.0, 1.3)
            brim = (127.5 * (1 - grow), 106 * (1 - grow))
            to_face = np.array([[grow, 0, brim[0]], [0, grow, brim[1]], [0, 0, 1]]) @ to_face
        if flip:
            to_face = _flip() @ to_face
        colour, alpha = template.warp(pose, to_face)
        if anchor.kind == "mask" and any(w in template.name.lower() for w in ("cloth", "surgical")):
            colour = self._dyed(rng, colour, alpha)
        lift = _LIFT.get(anchor.kind, float(rng.uniform(0.03, 0.06)))
        return Layer(colour, alpha, lift, template.clear)

    def choose(self, rng: np.random.Generator, head: Head) -> Template:
        """One that fits the head.

        Masks are the most frequent, then glasses and hats, whatever their number in the folder.
        """
        fitting = [t for t in self.templates if t.anchor.side == 0 or _aside(head)]
        fitting = fitting or list(self.templates)
        kinds = sorted({template.anchor.kind for template in fitting})
        others = [kind for kind in kinds if kind not in _SHARE]
        count = {k: sum(t.anchor.kind == k for t in fitting) for k in kinds}
        rest = (1 - sum(_SHARE.values())) / max(1, sum(count[k] for k in others))
        weights = np.array([_SHARE[k] if k in _SHARE else rest * count[k] for k in kinds])
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        among = [t for t in fitting if t.anchor.kind == kind]
        return among[int(rng.integers(len(among)))]

    def _dyed(self, rng: np.random.Generator, colour: Array, alpha: Array) -> Array:
        """A mask in another colour, or with a print, its folds and shades kept."""
        way = rng.random()
        if way < 0.4:
            return colour
        grey = colour @ GREY
        middle = float((grey * alpha).sum() / max(float(alpha.sum()), 1.0))
        folds = np.clip(grey / max(middle, 8.0), 0, 1.6)
        if way < 0.7 or not self.prints:
            dye: Array | NDArray[np.float32] = bright_colour(rng, 0.1, 0.7, 0.3, 0.95)
            planes = [folds * value for value in dye]
        else:
            picture = self.prints[int(rng.integers(len(self.prints)))]
            turn = cv2.getRotationMatrix2D(
                (0, 0), float(rng.uniform(0, 360)), rng.uniform(0.5, 1.6)
            )
            turn[:, 2] = rng.uniform(0, 256, 2)
            side = len(alpha)
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            sheet = cv2.warpAffine(
                picture, turn, (side, side), flags=flags, borderMode=cv2.BORDER_WRAP
            )
            planes = [folds * plane for plane in cv2.split(sheet)]
        dyed: Array = np.minimum(cv2.merge([p.astype(np.float32) for p in planes]), 255)
        return dyed


def _rank(group: str) -> str:
    return hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()


def _aside(head: Head) -> bool:
    return head.turn is None or abs(head.turn) > ASIDE


def _flip() -> NDArray[np.float64]:
    """Units -> units, left and right exchanged."""
    width = mirrored(np.zeros((1, 2)))[0, 0]
    return np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1.0]])


def _anywhere(rng: np.random.Generator, template: Template) -> NDArray[np.float64]:
    """A place on the face for something that has none of its own."""
    h, w = template.rgba.shape[:2]
    scale = rng.uniform(60, 120) / max(h, w)
    x, y = rng.uniform(85, 170), rng.uniform(90, 215)
    angle = np.deg2rad(rng.normal(0, 15))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[cos, -sin, x], [sin, cos, y], [0, 0, 1.0]])
    to_middle = np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1.0]])
    return np.asarray(matrix @ to_middle, np.float64)


def _read_template(path: Path, folder: Path, anchor: Anchor | None) -> Template:
    try:
        image = read_image(path)
    except ImageError as error:
        raise DataError(f"{path}: {error}") from None
    photo, alpha = image.photo, image.alpha
    if alpha is None and not _may_be_transparent(path):
        raise DataError(f"{path}: no transparency: what is not the occluder must be transparent")
    if alpha is None:  # it fills its file
        alpha = np.full(photo.shape[:2], 255, np.uint8)
    box = cv2.boundingRect((alpha > 12).astype(np.uint8))
    if box[2] < 2 or box[3] < 2:
        raise DataError(f"{path}: it is transparent all over, so it hides nothing")
    name = path.relative_to(folder).as_posix()
    anchor = anchor or by_name(path.name, (box[0], box[1], box[2], box[3]))
    clear = anchor.kind == "glasses" and _lenses_are_clear(alpha, box)
    part = alpha[..., None].astype(np.uint16)
    times = np.asarray((photo * part + 127) // 255, np.uint8)
    rgba = np.concatenate([times, alpha[..., None]], axis=2)
    longest = max(rgba.shape[:2])
    if longest > _LONGEST:
        h, w = (max(1, round(n * _LONGEST / longest)) for n in rgba.shape[:2])
        fx, fy = rgba.shape[1] / w, rgba.shape[0] / h
        rgba = np.asarray(cv2.resize(rgba, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
        if anchor.matrix is not None:
            shrink = np.array([[fx, 0, (fx - 1) / 2], [0, fy, (fy - 1) / 2], [0, 0, 1]])
            anchor = replace(anchor, matrix=anchor.matrix @ shrink)
    return Template(name, anchor, clear, np.ascontiguousarray(rgba))


def _may_be_transparent(path: Path) -> bool:
    """Whether a picture that can be read has an alpha channel, all opaque or not."""
    with Image.open(path) as image:
        return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _lenses_are_clear(alpha: NDArray[np.uint8], box: Sequence[int]) -> bool:
    """Whether the eyes can be seen: a name cannot say so, the alpha of the lenses' middles can."""
    x, y, w, h = box
    eyes = [
        alpha[y + h * 3 // 8 : y + h * 5 // 8, x + w * k // 16 : x + w * (k + 2) // 16]
        for k in (3, 11)
    ]
    return all(eye.size and eye.mean() < 128 for eye in eyes)


def _read_print(path: Path) -> NDArray[np.uint8]:
    try:
        photo = read_image(path).photo
    except ImageError as error:
        raise DataError(f"{path}: {error}") from None
    return np.asarray(cv2.resize(photo, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
