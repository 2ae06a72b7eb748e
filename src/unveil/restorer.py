"""The pipeline, top to bottom: photo, faces, occluder masks, restored faces, photo again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.cancel import checkpoint
from unveil.errors import NotAlignedError, UsageError
from unveil.faces.align import CANONICAL_POINTS, cut, fit, invert, seen_from_side
from unveil.faces.detect import Detection, FaceDetector
from unveil.faces.paste import Patch, confidence_map, mask_of_face, paste
from unveil.imaging import (
    FACE_SIZE,
    Mask,
    Photo,
    check_mask,
    check_photo,
    grow,
    resize,
    resize_mask,
)
from unveil.runtime.model import FaceModel, Manner
from unveil.runtime.weights import DEFAULT_DETAIL, DEFAULT_MODEL
from unveil.types import Face, Restoration

FOUND_THRESHOLD = 0.5
# Of what is found, a part counts only if a tenth of it is as sure as this: real masks are, hair and
# hands taken for one are not (hysteresis; Canny, 1986). See docs/log.md.
SURE, SURE_SHARE = 0.9, 0.1
LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, as JPEG
# A found mask is unsure of its outermost pixels, and a shadow lies beside it; what is left is taken
# for face and smeared into the hole. 3 was best of 1 to 6: docs/log.md.
FOUND_MARGIN = 3
# A face is aligned again if at least this share of it is hidden, and its corners move this far.
REALIGNED_FROM, REALIGNED_BY = 0.02, 4.0


@dataclass(frozen=True)
class _Seen:
    """A face of a photo, and what the user says is hidden in that photo."""

    photo: Photo
    detection: Detection
    mask: Mask | None = None


@dataclass(frozen=True)
class _Solved:
    """A face that is filled; `occluder`: how surely each of its pixels is hidden."""

    detection: Detection
    patch: Patch
    occluder: NDArray[np.float32]


class Restorer:
    """Restores faces with one model, whose networks stay loaded.

    Args:
        model: a name of `unveil weights`, or FOLDER/NAME for weights outside the package.
        threads: threads of one restoration, 0 = all cores.
        min_size: the smallest face to look for in a photo, in pixels; see `FaceDetector.find`.
        device: "cpu", or "cuda" where onnxruntime-gpu is installed.

    Raises:
        WeightsError: no such model, or its files are missing or damaged.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        threads: int = 0,
        min_size: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.model = FaceModel.load(model, threads, device)
        self.threads = threads
        self.min_size = min_size
        self.device = device

    @cached_property
    def detector(self) -> FaceDetector:
        """Finds the faces of a photo; loaded when a whole photo first comes."""
        return FaceDetector(self.threads, self.device)

    def restore(
        self,
        photo: Photo,
        mask: Mask | None = None,
        aligned: bool = False,
        faces: int | None = None,
        detail: float = DEFAULT_DETAIL,
    ) -> Restoration:
        """Invent the hidden part of the faces in a photo; every known pixel stays as it is.

        Args:
            photo: HWC uint8 RGB.
            mask: HW, True (or 1, or 255) = hidden, of the photo's size; None: found by the model.
                What of it lies in no face stays as it is. In a face seen from the side, nothing is
                found.
            aligned: the photo is one face in the canonical frame, of any square size.
            faces: only so many, the largest ones; None: all.
            detail: 0 = the most likely face, soft; 1 = sharp. A model without a prior (`paper`)
                has no such choice.

        Returns:
            The restoration; of a photo without a face, the photo and no faces.

        Raises:
            NotAlignedError: `aligned`, and the photo is not square.
            ImageError: not HWC uint8 RGB.
            MaskError: the mask is of another size, or is not a mask.
            UsageError: `faces` is under 1, or `detail` outside [0, 1].
        """
        masks = None if mask is None else [mask]
        return self.restore_many([photo], masks, aligned, faces, detail)[0]

    def restore_many(
        self,
        photos: Sequence[Photo],
        masks: Sequence[Mask] | None = None,
        aligned: bool = False,
        faces: int | None = None,
        detail: float = DEFAULT_DETAIL,
    ) -> tuple[Restoration, ...]:
        """`restore` for several photos at once: all their faces go through the networks together.

        Arguments, and errors, as `restore`'s; a mask for each photo, or none at all; an error in
        one photo is one for all.
        """
        manner = Manner(detail)
        given: Sequence[Mask | None] = masks or [None] * len(photos)
        pairs = list(zip(photos, given, strict=True))
        if aligned:
            return tuple(self._restore_aligned(*pair, [manner])[0] for pair in pairs)
        hidden = [_checked(*pair) for pair in pairs]
        seen = [
            [_Seen(photo, detection, mask) for detection in self._detect(photo, faces)]
            for photo, mask in zip(photos, hidden, strict=True)
        ]
        solved = iter(self._solve([one for each in seen for one in each], manner))
        return tuple(
            self._finish(photo, mask, [next(solved) for _ in each])
            for photo, mask, each in zip(photos, hidden, seen, strict=True)
        )

    def sample(
        self,
        photo: Photo,
        n: int,
        mask: Mask | None = None,
        aligned: bool = False,
        seed: int = 0,
        faces: int | None = None,
        detail: float = DEFAULT_DETAIL,
    ) -> tuple[Restoration, ...]:
        """`n` plausible restorations, drawn from what the known part allows.

        Arguments, and errors, as `restore`; the same `seed` gives the same ones.

        Raises:
            UsageError: n is under 1, or the model has no prior to draw from.
        """
        if n < 1:
            raise UsageError(f"at least one sample must be asked for (got {n})")
        manners = [Manner(detail, seed + i) for i in range(n)]
        if aligned:
            return self._restore_aligned(photo, mask, manners)
        hidden = _checked(photo, mask)
        seen = [_Seen(photo, detection, hidden) for detection in self._detect(photo, faces)]
        solved = self._solve(seen, Manner(detail))
        return tuple(
            self._finish(photo, hidden, self._drawn(photo, solved, manner)) for manner in manners
        )

    def _finish(self, photo: Photo, mask: Mask | None, solved: Sequence[_Solved]) -> Restoration:
        """Put the filled faces back and describe them."""
        patches = [each.patch for each in solved]
        restored, invented = paste(photo, patches, mask)
        if patches and not any(_has_colours(p) for p in patches):
            # A photo without colours gets none.
            restored[invented] = np.rint(restored[invented] @ LUMA)[:, None]
        sure = [self.model.confidence(p.filled[None], p.hidden[None])[0] for p in patches]
        described = [_described(each, c) for each, c in zip(solved, sure, strict=True)]
        confidence = confidence_map(patches, sure, invented)
        model = self.model.weights.fingerprint
        return Restoration(restored, invented, confidence, tuple(described), model)

    def segment(self, face: Photo) -> NDArray[np.float32]:
        """The occluder mask of an aligned face: 256x256 uint8 RGB -> HW float32 in [0, 1]."""
        mask: NDArray[np.float32] = self.model.find(check_photo(face)[None])[0]
        return mask

    def find(self, photo: Photo, aligned: bool = False, faces: int | None = None) -> Mask | None:
        """What `restore` would invent without a mask: HW bool in the photo's frame.

        None: the photo shows no face.

        Raises:
            NotAlignedError, ImageError, UsageError: as `restore`.
        """
        if aligned:
            size = _check_square(photo)
            return resize_mask(_threshold(self.segment(resize(photo, FACE_SIZE))), size)
        found = self._detect(check_photo(photo), faces)
        if not found:
            return None
        solved = self._solve([_Seen(photo, detection) for detection in found], Manner())
        return paste(photo, [each.patch for each in solved])[1]

    def _detect(self, photo: Photo, faces: int | None) -> tuple[Detection, ...]:
        if faces is not None and faces < 1:
            raise UsageError(f"at least one face must be asked for (got {faces})")
        found = self.detector.find(photo, self.min_size)
        largest = sorted(found, key=lambda d: -d.size)[:faces]
        return tuple(d for d in found if d in largest)

    def _solve(self, seen: Sequence[_Seen], manner: Manner) -> list[_Solved]:
        """Align, segment and fill; then once more where the filled face lies elsewhere."""
        solved = self._fill(seen, manner)
        # An occluder draws the detector's points with it; on the filled face they are better.
        again = [
            (i, replace(one, detection=better))
            for i, (one, each) in enumerate(zip(seen, solved, strict=True))
            if (better := self._realigned(each.detection, each.patch)) is not None
        ]
        redone = self._fill([one for _, one in again], manner)
        for (i, _), each in zip(again, redone, strict=True):
            solved[i] = each
        return solved

    def _drawn(self, photo: Photo, solved: Sequence[_Solved], manner: Manner) -> list[_Solved]:
        """The same faces and masks, filled in another manner."""
        redone = []
        for each in solved:
            checkpoint()
            face = cut(photo, each.patch.matrix)[None]
            if each.patch.hidden.any():
                face = self.model.fill(face, each.patch.hidden[None], manner)
            redone.append(replace(each, patch=replace(each.patch, filled=face[0])))
        return redone

    def _fill(self, seen: Sequence[_Seen], manner: Manner) -> list[_Solved]:
        """The filled face of each detection, and how surely each of its pixels is hidden.

        The photos have their masks, all or none of them.
        """
        if not seen:
            return []
        matrices = [fit(one.detection.points) for one in seen]
        crops = np.stack([cut(one.photo, m) for one, m in zip(seen, matrices, strict=True)])
        masks = [one.mask for one in seen if one.mask is not None]
        if not masks:
            occluders = self.model.find(crops)
            hiddens = np.stack([_threshold(o) for o in occluders])
            # What is beside a profile is taken for an occluder, and its fill is a second face.
            hiddens[[seen_from_side(one.detection.points) for one in seen]] = False
        else:
            hiddens = np.stack([mask_of_face(*each) for each in zip(masks, matrices, strict=True)])
            occluders = hiddens.astype(np.float32)
        checkpoint()
        todo = hiddens.any(axis=(1, 2))
        if todo.any():
            crops[todo] = self.model.fill(crops[todo], hiddens[todo], manner)
        patches = [Patch(*each) for each in zip(matrices, crops, hiddens, strict=True)]
        return [
            _Solved(one.detection, patch, occluder)
            for one, patch, occluder in zip(seen, patches, occluders, strict=True)
        ]

    def _realigned(self, detection: Detection, patch: Patch) -> Detection | None:
        """The detection with the points of its filled face, where they move it; else None."""
        if patch.hidden.mean() < REALIGNED_FROM:
            return None
        points = self.detector.points(patch.filled)
        if points is None:
            return None
        back = invert(patch.matrix)
        better = (points @ back[:, :2].T + back[:, 2]).astype(np.float32)
        moved = fit(better)
        corners = np.array([[0, 0], [FACE_SIZE, 0], [FACE_SIZE, FACE_SIZE], [0, FACE_SIZE]])
        there = (corners @ back[:, :2].T + back[:, 2]) @ moved[:, :2].T + moved[:, 2]
        if np.hypot(*(there - corners).T).mean() < REALIGNED_BY:
            return None
        return replace(detection, points=better)

    def _restore_aligned(
        self, photo: Photo, mask: Mask | None, manners: list[Manner]
    ) -> tuple[Restoration, ...]:
        size = _check_square(photo)
        face = resize(photo, FACE_SIZE)
        if mask is None:
            occluder = self.segment(face)
            hidden = _threshold(occluder)
            invented = resize_mask(hidden, size)
        else:
            invented = check_mask(mask, (size, size))
            hidden = resize_mask(invented, FACE_SIZE)
            occluder = hidden.astype(np.float32)
        sure = self.model.confidence(face[None], hidden[None])[0]
        found = Face(
            box=(0.0, 0.0, float(size), float(size)),
            points=CANONICAL_POINTS * np.float32(size / FACE_SIZE),
            score=1.0,
            occluder=occluder,
            coverage=float(hidden.mean()),
            confidence=_mean(sure, hidden),
        )
        large = np.clip(resize(sure, size), 0, 1)
        confidence = np.where(invented, large, np.float32(1))
        results = []
        for manner in manners:
            checkpoint()
            restored = photo.copy()
            if invented.any():
                filled = self.model.fill(face[None], hidden[None], manner)[0]
                np.copyto(restored, resize(filled, size), where=invented[..., None])
            model = self.model.weights.fingerprint
            results.append(Restoration(restored, invented, confidence, (found,), model))
        return tuple(results)


def _has_colours(patch: Patch) -> bool:
    """Whether the known part of a face has any."""
    red, green, blue = cv2.split(patch.filled)
    return bool((((red != green) | (red != blue)) & ~patch.hidden).any())


def _described(solved: _Solved, sure: NDArray[np.float32]) -> Face:
    found, hidden = solved.detection, solved.patch.hidden
    coverage, confidence = float(hidden.mean()), _mean(sure, hidden)
    return Face(found.box, found.points, found.score, solved.occluder, coverage, confidence)


def _mean(confidence: NDArray[np.float32], hidden: Mask) -> float:
    return float(confidence[hidden].mean()) if hidden.any() else 1.0


def _checked(photo: Photo, mask: Mask | None) -> Mask | None:
    height, width = check_photo(photo).shape[:2]
    return None if mask is None else check_mask(mask, (height, width))


def _threshold(occluder: NDArray[np.float32]) -> Mask:
    """What of an occluder mask (256, 256) in [0, 1] is taken for hidden, and a margin."""
    return grow(believed(occluder), FOUND_MARGIN)


def believed(occluder: NDArray[np.float32], near: Mask | None = None) -> Mask:
    """What of an occluder mask counts: its parts that are sure.

    Args:
        occluder: (256, 256) in [0, 1].
        near: (256, 256), what counts in other frames of a clip: a part that lies mostly there
            counts too.

    Returns:
        (256, 256) bool.
    """
    found = occluder > FOUND_THRESHOLD
    count, parts = cv2.connectedComponents(found.astype(np.uint8))
    sizes = np.bincount(parts.ravel(), minlength=count)
    sure = np.bincount(parts[occluder >= SURE], minlength=count)
    keep = sure >= SURE_SHARE * sizes
    if near is not None:
        keep |= np.bincount(parts[near], minlength=count) > sizes / 2
    keep[0] = False
    return np.asarray(keep[parts], dtype=np.bool_)


def _check_square(photo: Photo) -> int:
    """The side of an aligned face in pixels."""
    height, width = (int(n) for n in check_photo(photo).shape[:2])
    if height != width:
        raise NotAlignedError(
            f"an aligned face is square, this image is {width}x{height}: cut it to the canonical "
            "frame first, or leave out --aligned (aligned=True) to have its faces found"
        )
    return height


@lru_cache(maxsize=1)
def _default() -> Restorer:
    return Restorer()


def restore(
    photo: Photo,
    mask: Mask | None = None,
    aligned: bool = False,
    faces: int | None = None,
    detail: float = DEFAULT_DETAIL,
) -> Restoration:
    """`Restorer.restore` with the default model, loaded once."""
    return _default().restore(photo, mask, aligned, faces, detail)
