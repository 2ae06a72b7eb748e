"""Fits the prior of `prior.py` to aligned faces, and its expected error to errors really made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.errors import UsageError
from unveil.imaging import Mask, Photo, ramp, resize
from unveil.models.eigenface import Eigenface
from unveil.models.eigenface_fit import ROUNDING, Sample, fit_gaussian
from unveil.models.face_vector import Array, average_known, enlarge, pack
from unveil.models.prior import FacePrior, uncertainty
from unveil.occlusion.seeded import Seeded
from unveil.occlusion.shapes import rectangle
from unveil.progress import track

TEXTURE_FACES = 500

# Turns in radians between which a face goes over from one Gaussian's sample to the other's: wider
# than `prior.TURNS`, so that neither has too few faces.
FRONT = (0.25, 0.5)
ASIDE = (0.1, 0.35)

# How many faces, with how much of each hidden, show how a turn is read off a front; and the ridge.
TURN_EXAMPLES = 2500
TURN_COVERAGE = (0.1, 0.3)
TURN_RIDGE = 30.0


def fit(
    faces: Photo,
    size: int = 64,
    chroma: int = 16,
    k: int = 300,
    *,
    jitter: float = 0,
    turns: Array | None = None,
    turned: int = 300,
    seed: int = 0,
) -> FacePrior:
    """Fit the prior to aligned faces and their mirror images.

    Args:
        faces: (N, S, S, 3) uint8 RGB, aligned, S >= size; may be memory-mapped.
        size, chroma: r and c, sides in pixels of luma and chroma; even, chroma <= size.
        k: number of eigenfaces, below both N and half the entries.
        jitter: each face is taken once more, turned, scaled and shifted at random as a detector
            that is off by about this fraction of the side would have it. 0 = none.
        turns: (N,) how far each head is turned to the picture's right, radians, NaN where that is
            not known; None: one Gaussian for all faces.
        turned: number of eigenfaces of turned heads.
        seed: of all that is drawn; the same seed gives the same prior.

    Raises:
        UsageError: if the sizes or k do not fit the faces, or too few heads are turned.
    """
    if faces.ndim != 4 or faces.dtype != np.uint8 or faces.shape[1] < size:
        raise UsageError(f"a prior of size {size} needs uint8 faces of at least {size}x{size}")
    if not 2 <= chroma <= size or size % 2 or chroma % 2:
        raise UsageError(f"sizes {size} and {chroma} of a prior must be even, chroma the smaller")
    entries = size * size + 2 * chroma * chroma
    if k >= len(faces):
        raise UsageError(
            f"{k} components need more than {k} faces, there are {len(faces)}: "
            "ask for fewer (--components)"
        )
    if not 0 < k < entries // 2:
        raise UsageError(f"{k} components are not for size {size}: 1 to {entries // 2 - 1} are")
    rng = np.random.default_rng(seed)
    packed = _pack_all(faces, size, chroma, jitter, rng)
    turn: Array = np.zeros(len(faces), np.float32)
    if turns is not None:
        turn = np.nan_to_num(turns)

    def gaussian(weights: Array, k: int, symmetric: bool) -> Eigenface:
        flipped = (turn < 0) & (not symmetric)
        copies = len(packed) // len(faces)
        sample = Sample(packed, np.tile(weights, copies), np.tile(flipped, copies), size, chroma)
        made = fit_gaussian(sample, k, rng, symmetric=symmetric)
        return replace(made, texture=_texture(made, faces, weights, flipped))

    if turns is None:
        return FacePrior(gaussian(np.ones(len(faces), np.float32), k, True))
    aside = ramp(np.abs(turn), ASIDE)
    heads = int(np.count_nonzero(aside))
    if not 0 < turned < min(heads, entries // 2):
        raise UsageError(
            f"{turned} components of turned heads need more of them than {heads}: "
            "ask for fewer (--turned), or 0 for none"
        )
    front = gaussian(1 - ramp(np.abs(turn), FRONT), k, True)
    direction = _direction(front, faces, turns, seed)
    return FacePrior(front, gaussian(aside, turned, False), direction)


def _direction(front: Eigenface, faces: Photo, turns: Array, seed: int) -> Array:
    """`FacePrior.direction`: least squares over faces of which a part is hidden.

    A mirrored face is turned the other way, so only antisymmetric eigenfaces can tell.
    """
    told = []
    chosen = np.flatnonzero(np.isfinite(turns))
    chosen = chosen[:: max(1, len(chosen) // TURN_EXAMPLES)]
    for place, i in enumerate(track(list(chosen), "looking at turned heads", len(chosen))):
        face = np.ascontiguousarray(faces[i])
        mask = rectangle(Seeded(seed, place), *TURN_COVERAGE, size=len(face))
        told.append(front.posterior(average_known(face, mask, front.size)).mean)
    deviations = np.sqrt(np.maximum(front.variances, ROUNDING))
    design = (np.stack(told) / deviations)[:, front.odd]
    system = design.T @ design + TURN_RIDGE * np.eye(design.shape[1])
    direction = np.zeros(len(deviations))
    direction[front.odd] = np.linalg.solve(system, design.T @ turns[chosen])
    return np.asarray(direction / deviations, np.float32)


def _texture(
    gaussian: Eigenface, faces: Photo, weights: Array, flipped: NDArray[np.bool_]
) -> Array:
    """What the eigenfaces leave of whole faces, at the faces' own size: `Eigenface.texture`."""
    total = np.zeros_like(gaussian.texture)
    typical = np.flatnonzero(weights >= weights.max() / 2)
    typical = typical[:: max(1, len(typical) // TEXTURE_FACES)]
    for i in typical:
        face = np.ascontiguousarray(faces[i, :, ::-1] if flipped[i] else faces[i])
        entries = pack(face, gaussian.size, gaussian.chroma) - gaussian.mean
        amounts = np.asarray(entries @ gaussian.components, np.float32)
        guess = enlarge(gaussian.face(amounts), face.shape[0])
        total += squared_error(guess, face, gaussian.size)
    return np.asarray(total / len(typical), np.float32)


def squared_error(guess: Array | Photo, face: Photo, size: int) -> Array:
    """(size, size) mean over pixels and channels of the squared difference of two faces."""
    error = np.square(guess.astype(np.float32) - face).mean(axis=2)
    return np.asarray(resize(error, size), dtype=np.float32)


def calibrate(
    prior: FacePrior, faces: Photo, masks: Iterable[Mask], restore: Callable[[Photo, Mask], Photo]
) -> FacePrior:
    """Fit the expected error to the errors that a model on top of the prior really makes.

    Least squares on squared errors, each cell divided by what was expected of it so that a cheek
    counts as much as a mouth; two numbers, none below 0.

    Args:
        faces: (N, S, S, 3) uint8, not those that the model was trained on.
        masks: one (S, S) a face, True = hidden.
        restore: (clean face, mask) -> (S, S, 3) uint8, the model's result.
    """
    rows, targets = [], []
    for face, mask in zip(faces, masks, strict=False):
        known = prior.look(face, mask)
        if known is None:
            continue
        cells = resize(mask.astype(np.float32), prior.size) == 1
        explained = uncertainty(prior.ask(known))
        error = squared_error(restore(face, mask), face, prior.size)
        rows.append(np.stack([part[cells] for part in explained], axis=1))
        targets.append(error[cells])
    design, target = np.concatenate(rows), np.concatenate(targets)
    weight = 1 / np.maximum(design.sum(axis=1, keepdims=True), ROUNDING)
    found = np.linalg.lstsq(design * weight, target * weight[:, 0], rcond=None)[0]
    if found.min() < 0:  # one of the two explains nothing: the other has it all
        single = [float((c @ (target * weight[:, 0])) / (c @ c)) for c in (design * weight).T]
        keep = int(np.argmax(found))
        found = np.array([single[i] if i == keep else 0.0 for i in range(2)])
    return replace(prior, calibration=(float(found[0]), float(found[1])))


def _pack_all(
    faces: Photo, size: int, chroma: int, jitter: float, rng: np.random.Generator
) -> Array:
    copies = 2 if jitter else 1
    entries = size * size + 2 * chroma * chroma
    packed = np.empty((copies * len(faces), entries), dtype=np.float32)
    for i, face in enumerate(track(faces, "fitting", len(faces))):
        packed[i] = pack(face, size, chroma)
        if jitter:
            packed[len(faces) + i] = pack(jittered(face, jitter, rng), size, chroma)
    return packed


def jittered(face: Photo, amount: float, rng: np.random.Generator) -> Photo:
    """Turn, scale and shift a face as points off by about `amount` of its side would have it."""
    side = len(face)
    turn, scale = rng.normal(0, 2 * amount), 1 + rng.normal(0, 2 * amount)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    middle = side / 2
    shift = middle + rng.normal(0, amount * side, 2)
    to_x, to_y = shift[0] - middle * (cos - sin), shift[1] - middle * (sin + cos)
    matrix = np.array([[cos, -sin, to_x], [sin, cos, to_y]])
    moved = cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, dtype=np.uint8)
