"""Fits the prior of `eigenface.py`: a randomised SVD (Halko, Martinsson and Tropp, 2011, alg. 4.4).

With every face beside its mirror image the covariance falls apart into one of the symmetric and one
of the antisymmetric halves, so that mirroring doubles the faces at no cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.errors import UsageError
from unveil.imaging import Mask, Photo, resize
from unveil.models.eigenface import Eigenface
from unveil.models.face_vector import Array, enlarge, pack, unpack
from unveil.progress import track

OVERSAMPLE = 20
POWER_PASSES = 2
ROUNDING = 1 / 12  # the variance that rounding to uint8 alone leaves
BLOCK = 1024
TEXTURE_FACES = 500


def fit(
    faces: Photo,
    size: int = 64,
    chroma: int = 16,
    k: int = 300,
    *,
    jitter: float = 0,
    seed: int = 0,
) -> Eigenface:
    """Fit the prior to aligned faces and their mirror images.

    Args:
        faces: (N, S, S, 3) uint8 RGB, aligned, S >= size; may be memory-mapped.
        size, chroma: r and c, sides in pixels of luma and chroma; even, chroma <= size.
        k: number of eigenfaces, below both 2 N and half the entries.
        jitter: each face is taken once more, turned, scaled and shifted at random as a detector
            that is off by about this fraction of the side would have it. 0 = none.
        seed: of the randomised SVD; the same seed gives the same prior.

    Raises:
        UsageError: if the sizes or k do not fit the faces.
    """
    if faces.ndim != 4 or faces.dtype != np.uint8 or faces.shape[1] < size:
        raise UsageError(f"a prior of size {size} needs uint8 faces of at least {size}x{size}")
    if not 2 <= chroma <= size or size % 2 or chroma % 2:
        raise UsageError(f"sizes {size} and {chroma} of a prior must be even, chroma the smaller")
    entries = size * size + 2 * chroma * chroma
    if not 0 < k < min(len(faces), entries // 2):
        raise UsageError(f"{k} components need more than {k} faces and a larger size than {size}")
    rng = np.random.default_rng(seed)
    packed = _pack_all(faces, size, chroma, jitter, rng)
    mirror = _mirror(size, chroma)
    mean = packed.mean(axis=0, dtype=np.float64)
    mean = ((mean + mean[mirror]) / 2).astype(np.float32)
    packed -= mean
    total = float(np.mean([np.square(row).sum(dtype=np.float64) for row in packed]))
    left = np.flatnonzero(mirror > np.arange(entries))
    halves = [_principal(packed, left, mirror[left], sign, k, rng) for sign in (1, -1)]
    variances = np.concatenate([lam for lam, _ in halves])
    best = np.argsort(-variances, kind="stable")[:k]
    components = np.concatenate([basis for _, basis in halves], axis=1)[:, best]
    variances = variances[best].astype(np.float32)
    residual = max((total - float(variances.sum())) / (entries - k), ROUNDING)
    blank = np.zeros((size, size), np.float32)
    prior = Eigenface(mean, components, variances, residual, size, chroma, blank)
    return replace(prior, texture=_texture(prior, faces[:: max(1, len(faces) // TEXTURE_FACES)]))


def _texture(prior: Eigenface, faces: Photo) -> Array:
    """What the eigenfaces leave of whole faces, at the faces' own size: `Eigenface.texture`."""
    total = np.zeros_like(prior.texture)
    for face in faces:
        entries = pack(np.ascontiguousarray(face), prior.size, prior.chroma) - prior.mean
        amounts = np.asarray(entries @ prior.components, np.float32)
        explained = np.asarray(prior.mean + prior.components @ amounts, np.float32)
        guess = enlarge(unpack(explained, prior.size, prior.chroma), face.shape[0])
        total += squared_error(guess, face, prior.size)
    return np.asarray(total / len(faces), np.float32)


def squared_error(guess: Array | Photo, face: Photo, size: int) -> Array:
    """(size, size) mean over pixels and channels of the squared difference of two faces."""
    error = np.square(guess.astype(np.float32) - face).mean(axis=2)
    return np.asarray(resize(error, size), dtype=np.float32)


def calibrate(
    prior: Eigenface, faces: Photo, masks: Iterable[Mask], restore: Callable[[Photo, Mask], Photo]
) -> Eigenface:
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
        variance = prior.spread(prior.posterior(known).variance(prior.components))
        error = squared_error(restore(face, mask), face, prior.size)
        rows.append(np.stack([variance[cells], prior.texture[cells]], axis=1))
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
            packed[len(faces) + i] = pack(misalign(face, jitter, rng), size, chroma)
    return packed


def misalign(face: Photo, amount: float, rng: np.random.Generator) -> Photo:
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


def _mirror(size: int, chroma: int) -> NDArray[np.int64]:
    """(D,) the entry that stands at the mirrored place of each entry."""
    luma = np.arange(size * size).reshape(size, size)
    colour = np.arange(2 * chroma * chroma).reshape(chroma, chroma, 2) + size * size
    return np.concatenate([luma[:, ::-1].reshape(-1), colour[:, ::-1].reshape(-1)])


def _principal(
    packed: Array,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    sign: int,
    k: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], Array]:
    """Variances (l,) and eigenfaces (D, l), l about k, of one parity under mirroring."""

    def folded() -> Iterator[Array]:
        for start in range(0, len(packed), BLOCK):
            block = packed[start : start + BLOCK]
            yield (block[:, left] + sign * block[:, right]) / np.float32(np.sqrt(2))

    width = min(k + OVERSAMPLE, len(left), len(packed))
    basis = np.linalg.qr(rng.standard_normal((len(left), width), dtype=np.float32))[0]
    for _ in range(POWER_PASSES):
        image = np.zeros_like(basis)
        for block in folded():
            image += block.T @ (block @ basis)
        basis = np.linalg.qr(image)[0]
    scatter = np.zeros((width, width))
    for block in folded():
        scores = block @ basis
        scatter += scores.T @ scores
    variances, rotation = np.linalg.eigh(scatter / len(packed))
    order = np.argsort(-variances)[:k]
    half = (basis @ rotation[:, order].astype(np.float32)) / np.float32(np.sqrt(2))
    whole = np.zeros((packed.shape[1], len(order)), np.float32)
    whole[left], whole[right] = half, sign * half
    return np.maximum(variances[order], 0), whole
