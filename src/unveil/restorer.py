"""The pipeline, top to bottom: photo, faces, occluder masks, restored faces, photo again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from operator import index

import numpy as np
from numpy.typing import NDArray

from unveil.aligned import restore_aligned
from unveil.cancel import checkpoint
from unveil.errors import ImageError, ModelError, UsageError
from unveil.faces.detect import Detection, FaceDetector
from unveil.faces.given import mask_of_face
from unveil.faces.paste import Patch, confidence_map, paste
from unveil.imaging import FACE_SIZE, Mask, Photo, check_mask, check_photo
from unveil.outline import Aligned, Outliner, Seen
from unveil.runtime.aligner import AlignerNetwork
from unveil.runtime.model import FaceModel, Manner
from unveil.runtime.onnx import check_device
from unveil.runtime.weights import DEFAULT_DETAIL, DEFAULT_MODEL
from unveil.types import Face, Restoration


class Restorer:
    """Restores faces with one model, whose networks stay loaded.

    Args:
        model: a name of `unveil weights`, or FOLDER/NAME for weights outside the package.
        threads: threads of one restoration, 0 = all cores.
        min_size: the smallest face to look for in a photo, in pixels; see `FaceDetector.find`.
        device: "cpu", or "cuda" where onnxruntime-gpu is installed.

    Raises:
        ModelError: no such model, or it does not restore.
        WeightsError: its files are missing or damaged.
        UsageError: `threads` is under 0, or there is no such device.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        threads: int = 0,
        min_size: int | None = None,
        device: str = "cpu",
    ) -> None:
        check_device(device)
        if threads and threads < 0:
            raise UsageError(f"threads must be 1 or more, or 0 for all cores (got {threads})")
        self.model = FaceModel.load(model, threads, device)
        if not self.model.weights.has("face"):
            raise ModelError(f"model {model} does not restore: it is a part of those that do")
        self.threads = threads
        self.min_size = min_size
        self.device = device

    @cached_property
    def detector(self) -> FaceDetector:
        """Finds the faces of a photo; loaded when a whole photo first comes."""
        return FaceDetector(self.threads, self.device)

    @cached_property
    def outliner(self) -> Outliner:
        """Aligns the faces of a photo and finds what hides them."""
        aligner = AlignerNetwork(self.threads, self.device)
        return Outliner(self.model, aligner)

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
                What of it lies in no face stays as it is. In a face seen from the side, or far
                out of focus, nothing is found.
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
        masks: Sequence[Mask | None] | None = None,
        aligned: bool = False,
        faces: int | None = None,
        detail: float = DEFAULT_DETAIL,
    ) -> tuple[Restoration, ...]:
        """`restore` for several photos at once: all faces found go through the networks together.

        Arguments, and errors, as `restore`'s; a mask or None for each photo, or none at all; an
        error in one photo is one for all.
        """
        manner = Manner(detail)
        _check_count(faces)
        given = [None] * len(photos) if masks is None else masks
        if len(given) != len(photos):
            raise UsageError(f"a mask for each photo, or none: {len(given)} for {len(photos)}")
        pairs = list(zip(photos, given, strict=True))
        if aligned:
            return tuple(next(restore_aligned(self.model, *pair, [manner])) for pair in pairs)
        hidden = [_checked(*pair) for pair in pairs]
        detected = [self._detect(photo, faces) for photo in photos]
        seen = [
            [Seen(photo, detection, mask) for detection in each]
            for photo, mask, (each, _) in zip(photos, hidden, detected, strict=True)
        ]
        every = self.outliner.align([one for each in seen for one in each])
        found = iter(zip(every, self._fill(every, manner), strict=True))
        return tuple(
            self._finish(photo, mask, [next(found) for _ in each], manner, more)
            for photo, mask, (each, more) in zip(photos, hidden, detected, strict=True)
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

        Arguments, and errors, as `restore`; the same `seed` gives the same ones, the next seed all
        but the first of them.

        Raises:
            UsageError: n is under 1, or the model has no prior to draw from.
        """
        if n < 1:
            raise UsageError(f"at least one sample must be asked for (got {n})")
        manners = Manner.several(detail, index(seed), n)  # numpy's would overflow
        return tuple(self.draw(photo, manners, mask, aligned, faces))

    def draw(
        self,
        photo: Photo,
        manners: Sequence[Manner],
        mask: Mask | None = None,
        aligned: bool = False,
        faces: int | None = None,
    ) -> Iterator[Restoration]:
        """A restoration for each manner, each when it is asked for: they may be large.

        Its faces are looked for once. Other arguments, and errors, as `restore`.
        """
        _check_count(faces)
        for manner in manners:
            self.model.check(manner)  # of a photo without a face, too
        if aligned:
            yield from restore_aligned(self.model, photo, mask, manners)
            return
        hidden = _checked(photo, mask)
        detected, more = self._detect(photo, faces)
        found = self.outliner.align([Seen(photo, detection, hidden) for detection in detected])
        for manner in manners:
            filled = list(zip(found, self._fill(found, manner), strict=True))
            yield self._finish(photo, hidden, filled, manner, more)

    def look(self, photo: Photo, aligned: bool = False, faces: int | None = None) -> Restoration:
        """What `restore` finds and says of a photo without a mask, with nothing filled in.

        Arguments, and errors, as `restore`; the result's photo is the photo.
        """
        _check_count(faces)
        if aligned:
            return next(restore_aligned(self.model, photo, None, [None]))
        detected, more = self._detect(check_photo(photo), faces)
        found = self.outliner.align([Seen(photo, detection) for detection in detected])
        bare = list(zip(found, self._fill(found, None), strict=True))
        return replace(self._finish(photo, None, bare, None, more), photo=photo)

    def _finish(
        self,
        photo: Photo,
        mask: Mask | None,
        found: Sequence[tuple[Aligned, Patch]],
        manner: Manner | None,
        more: int,
    ) -> Restoration:
        """Put the filled faces back, then what hangs below them, and describe them."""
        patches = [patch for _, patch in found]
        still = manner is not None  # else what is pasted is not looked at
        restored, invented = paste(photo, patches, mask, still)
        left = None if mask is None else mask & ~invented
        hanging = [each for one, _ in found if (each := one.hanging(restored, left))]
        below = self._fill(hanging, manner)
        if below:
            restored, lower = paste(restored, below, mask, still)
            invented |= lower
        sure = [self.model.confidence(p.filled[None], p.hidden[None])[0] for p in patches]
        described = [
            Face.of(one.detection, one.occluder, one.hidden, c)
            for (one, _), c in zip(found, sure, strict=True)
        ]
        for patch in below:  # what is invented above it is not known either
            unknown = patch.hidden | mask_of_face(invented, patch.matrix)
            sure.append(self.model.confidence(patch.filled[None], unknown[None])[0])
        confidence = confidence_map([*patches, *below], sure, invented)
        model = self.model.weights.fingerprint
        return Restoration(restored, invented, confidence, tuple(described), model, more)

    def segment(self, face: Photo) -> NDArray[np.float32]:
        """The occluder mask of an aligned face: 256x256 uint8 RGB -> HW float32 in [0, 1].

        Raises:
            ImageError: of another size or type; `find` takes any photo.
        """
        if check_photo(face).shape[:2] != (FACE_SIZE, FACE_SIZE):
            raise ImageError(f"a face is {FACE_SIZE}x{FACE_SIZE}, not {face.shape[:2]}")
        mask: NDArray[np.float32] = self.model.find(face[None])[0]
        return mask

    def find(self, photo: Photo, aligned: bool = False, faces: int | None = None) -> Mask | None:
        """What `restore` would invent without a mask: HW bool in the photo's frame.

        None: the photo shows no face.

        Raises:
            NotAlignedError, ImageError, UsageError: as `restore`.
        """
        found = self.look(photo, aligned, faces)
        return found.invented if found.faces else None

    def _detect(self, photo: Photo, faces: int | None) -> tuple[tuple[Detection, ...], int]:
        """The largest `faces` faces of a photo, and how many more there are."""
        found = self.detector.find(photo, self.min_size)
        largest = sorted(range(len(found)), key=lambda i: -found[i].size)[:faces]
        return tuple(found[i] for i in sorted(largest)), len(found) - len(largest)

    def _fill(self, found: Sequence[Aligned], manner: Manner | None) -> list[Patch]:
        """The faces with their hidden part invented; None: as they are."""
        if not found:
            return []
        faces = np.stack([each.face for each in found])
        hiddens = np.stack([each.hidden for each in found])
        checkpoint()
        todo = hiddens.any(axis=(1, 2))
        if manner is not None and todo.any():
            faces[todo] = self.model.fill(faces[todo], hiddens[todo], manner)
        return [
            Patch(one.matrix, face, one.hidden, goes_on=one.below is not None)
            for one, face in zip(found, faces, strict=True)
        ]


def _check_count(faces: int | None) -> None:
    if faces is not None and faces < 1:
        raise UsageError(f"at least one face must be asked for (got {faces})")


def _checked(photo: Photo, mask: Mask | None) -> Mask | None:
    height, width = check_photo(photo).shape[:2]
    return None if mask is None else check_mask(mask, (height, width))


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
