"""The pipeline, top to bottom: photo, faces, occluder masks, restored faces, photo again."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from unveil.errors import NotAlignedError, UsageError
from unveil.faces.align import CANONICAL_POINTS, cut, fit, invert
from unveil.faces.detect import Detection, FaceDetector
from unveil.faces.paste import Patch, mask_of_face, paste
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
from unveil.runtime.model import FaceModel
from unveil.runtime.weights import DEFAULT_MODEL
from unveil.types import Face, Restoration

FOUND_THRESHOLD = 0.5
LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, as JPEG
# The mask branch is unsure of the outermost pixels of an occluder; what it leaves would be taken
# for face and smeared into the hole. See docs/log.md.
FOUND_MARGIN = 2
# A face is aligned again if at least this share of it is hidden, and its corners move this far.
REALIGNED_FROM, REALIGNED_BY = 0.02, 4.0


class Restorer:
    """Restores faces with one model, whose networks stay loaded.

    Args:
        model: a name of `unveil weights`, or FOLDER/NAME for weights outside the package.
        threads: threads of one restoration, 0 = all cores.
        min_size: the smallest face to look for in a photo, in pixels; see `FaceDetector.find`.

    Raises:
        WeightsError: no such model, or its files are missing or damaged.
    """

    def __init__(
        self, model: str = DEFAULT_MODEL, threads: int = 0, min_size: int | None = None
    ) -> None:
        self.model = FaceModel.load(model, threads)
        self.threads = threads
        self.min_size = min_size

    @cached_property
    def detector(self) -> FaceDetector:
        """Finds the faces of a photo; loaded when a whole photo first comes."""
        return FaceDetector(self.threads)

    def restore(
        self,
        photo: Photo,
        mask: Mask | None = None,
        aligned: bool = False,
        faces: int | None = None,
    ) -> Restoration:
        """Invent the hidden part of the faces in a photo; every known pixel stays as it is.

        Args:
            photo: HWC uint8 RGB.
            mask: HW, True (or 1, or 255) = hidden, of the photo's size; None: found by the model.
                What of it lies in no face stays as it is.
            aligned: the photo is one face in the canonical frame, of any square size.
            faces: only so many, the largest ones; None: all.

        Returns:
            The restoration; of a photo without a face, the photo and no faces.

        Raises:
            NotAlignedError: `aligned`, and the photo is not square.
            ImageError: not HWC uint8 RGB.
            MaskError: the mask is of another size, or is not a mask.
            UsageError: `faces` is under 1.
        """
        if aligned:
            return self._restore_aligned(photo, mask)
        height, width = check_photo(photo).shape[:2]
        hidden = None if mask is None else check_mask(mask, (height, width))
        found, patches, occluders = self._solve(photo, self._detect(photo, faces), hidden)
        restored, invented = paste(photo, patches, hidden)
        if found and not any(np.ptp(p.filled[~p.hidden], axis=-1).any() for p in patches):
            # A photo without colours gets none.
            restored[invented] = np.rint(restored[invented] @ LUMA)[:, None]
        described = [
            Face(d.box, d.points, d.score, occluder, float(patch.hidden.mean()))
            for d, patch, occluder in zip(found, patches, occluders, strict=True)
        ]
        return Restoration(restored, invented, tuple(described), self.model.weights.fingerprint)

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
        return paste(photo, self._solve(photo, found, None)[1])[1] if found else None

    def _detect(self, photo: Photo, faces: int | None) -> tuple[Detection, ...]:
        if faces is not None and faces < 1:
            raise UsageError(f"at least one face must be asked for (got {faces})")
        found = self.detector.find(photo, self.min_size)
        largest = sorted(found, key=lambda d: -d.size)[:faces]
        return tuple(d for d in found if d in largest)

    def _solve(
        self, photo: Photo, found: tuple[Detection, ...], mask: Mask | None
    ) -> tuple[tuple[Detection, ...], list[Patch], list[NDArray[np.float32]]]:
        """Align, segment and fill; then once more where the filled face lies elsewhere."""
        patches, occluders = self._fill(photo, found, mask)
        # An occluder draws the detector's points with it; on the filled face they are better.
        again = [
            (i, better)
            for i, (detection, patch) in enumerate(zip(found, patches, strict=True))
            if (better := self._realigned(detection, patch)) is not None
        ]
        if again:
            details = list(found)
            redone = self._fill(photo, tuple(d for _, d in again), mask)
            for (i, detection), patch, occluder in zip(again, *redone, strict=True):
                details[i], patches[i], occluders[i] = detection, patch, occluder
            found = tuple(details)
        return found, patches, occluders

    def _fill(
        self, photo: Photo, found: tuple[Detection, ...], mask: Mask | None
    ) -> tuple[list[Patch], list[NDArray[np.float32]]]:
        """The filled face of each detection, and how surely each of its pixels is hidden."""
        if not found:
            return [], []
        matrices = [fit(d.points) for d in found]
        crops = np.stack([cut(photo, matrix) for matrix in matrices])
        if mask is None:
            occluders = self.model.find(crops)
            hiddens = np.stack([_threshold(o) for o in occluders])
        else:
            hiddens = np.stack([mask_of_face(mask, matrix) for matrix in matrices])
            occluders = hiddens.astype(np.float32)
        todo = hiddens.any(axis=(1, 2))
        if todo.any():
            crops[todo] = self.model.fill(crops[todo], hiddens[todo])
        patches = [Patch(*each) for each in zip(matrices, crops, hiddens, strict=True)]
        return patches, list(occluders)

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

    def _restore_aligned(self, photo: Photo, mask: Mask | None) -> Restoration:
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
        if invented.any():
            filled = self.model.fill(face[None], hidden[None])[0]
            restored = np.where(invented[..., None], resize(filled, size), photo)
        else:
            restored = photo.copy()
        found = Face(
            box=(0.0, 0.0, float(size), float(size)),
            points=CANONICAL_POINTS * np.float32(size / FACE_SIZE),
            score=1.0,
            occluder=occluder,
            coverage=float(hidden.mean()),
        )
        return Restoration(restored, invented, (found,), self.model.weights.fingerprint)


def _threshold(occluder: NDArray[np.float32]) -> Mask:
    return grow(occluder > FOUND_THRESHOLD, FOUND_MARGIN)


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
    photo: Photo, mask: Mask | None = None, aligned: bool = False, faces: int | None = None
) -> Restoration:
    """`Restorer.restore` with the default model, loaded once."""
    return _default().restore(photo, mask, aligned, faces)
