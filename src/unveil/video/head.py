"""The motion of a head, known where it is seen, carried under what hides it.

What is behind a mask moves neither as the mask does nor as a flat picture: when a head nods, the
nose moves more than the forehead, and the eyes alone tell by how much. So the motion is that of a
rigid head of known form, seen from far away (weak perspective; Horn, Robot Vision, 1986, section
17.3), and around the head that of what lies behind it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import FACE_SIZE, Mask, grow, weighted

Array = NDArray[np.float32]

CELLS = 32  # the grid on which motion is fitted
SPREAD = 3.0  # cells
# DIS matches patches of 8 pixels: nearer to an occluder than half of one, its motion is in them.
# What is next to it says most of what moves under it, a jaw that opens.
PATCH = 4
# The middle and the half axes of the head in the canonical frame; and of what moves with it.
HEAD, MOVED = ((128, 150), (76, 100)), (70, 94)
# Its form: an ellipsoid with this middle and these half axes, the third towards the viewer, and a
# nose on it, with its middle, its deviation and its height. Pixels. What lies beside the ellipsoid
# counts as flat.
FORM_MIDDLE, FORM, NOSE = (128, 125), (65, 125, 90), (128, 168, 15, 30)
# Of what is not head, so much counts for the head's motion.
BESIDE = 0.02
# Pixels: what moves so differently counts half as much, and is not followed further than this.
UNUSUAL, MOST = 1.0, 6.0
# Rather a shift than a turn where little is seen: against the sum of the weights, about 50.
RIDGE = np.diag(np.array([3e-4, 3e-4, 0.03, 0.03, 0.015, 0.015], dtype=np.float32))
FITS = 4


def under(flow: Array, hidden: Mask, sure: Array) -> Array:
    """The motion of the face and of what is behind it, also where it is hidden.

    Args:
        flow: (256, 256, 2), measured, in the canonical frame.
        hidden: (256, 256), where it is that of an occluder.
        sure: (256, 256) in [0, 1], how much `flow` says.

    Returns:
        (256, 256, 2), smooth but for the edge of the head.
    """
    seen = (~grow(hidden, PATCH)).astype(np.float32) * sure
    head = _fitted(flow, seen * _HEAD_WEIGHT)
    behind = _fitted(flow, seen * _BEHIND_WEIGHT)
    if behind is None or head is None:
        both = head if head is not None else behind
        return np.zeros_like(flow) if both is None else _large(both)
    return _large(behind + _HEAD_CELLS * (head - behind))


def _fitted(flow: Array, weight: Array) -> Array | None:
    """(CELLS, CELLS, 2) of rigid motion and what it leaves, smoothed; None: too little is seen."""
    cell_weight = _small(weight)
    if float(cell_weight.sum()) < 1:
        return None
    cells = _small(weighted(flow, weight))
    cells /= np.maximum(cell_weight, 1e-6)[..., None]
    rigid = _rigid(cells, cell_weight)
    rest = np.clip(cells - rigid, -MOST, MOST) * cell_weight[..., None]
    spread = np.asarray(cv2.GaussianBlur(rest, (0, 0), SPREAD))
    reach = np.asarray(cv2.GaussianBlur(cell_weight, (0, 0), SPREAD))
    return np.asarray(rigid + spread / (reach + 0.02)[..., None], dtype=np.float32)


def _rigid(cells: Array, weight: Array) -> Array:
    """The shift, scale and turn in the plane, and nod and turn of the head, that fit the cells.

    Weighted least squares, again with less weight for what moves on its own (Cauchy's weights).
    """
    values, base = cells.reshape(-1, 2).T.reshape(-1), np.tile(weight.ravel(), 2)
    fitted = np.zeros_like(values)
    weights = base
    for _ in range(FITS):
        weighted = _DESIGN * weights[:, None]
        amounts = np.linalg.solve(_DESIGN.T @ weighted + RIDGE, weighted.T @ values)
        fitted = np.asarray(_DESIGN @ amounts, dtype=np.float32)
        off = np.square(values - fitted).reshape(2, -1).sum(axis=0)
        weights = np.asarray(base / (1 + np.tile(off, 2) / UNUSUAL**2), dtype=np.float32)
    return np.asarray(fitted.reshape(2, CELLS, CELLS).transpose(1, 2, 0), dtype=np.float32)


def _design() -> Array:
    """(2 CELLS CELLS, 6): what each of the six amounts adds to x and to y of a cell's motion."""
    place = (np.arange(CELLS, dtype=np.float32) + 0.5) * (FACE_SIZE / CELLS) - 0.5
    column, row = np.meshgrid(place, place)
    (x, y), (across, down, towards) = FORM_MIDDLE, FORM
    round_part = 1 - ((column - x) / across) ** 2 - ((row - y) / down) ** 2
    nose_x, nose_y, deviation, height = NOSE
    far = ((column - nose_x) ** 2 + (row - nose_y) ** 2) / (2 * deviation**2)
    depth = towards * np.sqrt(np.maximum(round_part, 0)) + height * np.exp(-far)
    half = FACE_SIZE / 2
    column, row, depth = (
        np.asarray(v, np.float32).ravel() / half for v in (column - half, row - half, depth)
    )
    one, none = np.ones_like(column), np.zeros_like(column)
    in_x = np.stack([one, none, column, -row, depth, none], axis=1)
    in_y = np.stack([none, one, row, column, none, depth], axis=1)
    return np.concatenate([in_x, in_y])


def _small(image: Array) -> Array:
    size = (CELLS, CELLS)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _large(cells: Array) -> Array:
    return np.asarray(cv2.resize(cells, (FACE_SIZE, FACE_SIZE)), dtype=np.float32)


def _ellipse(half: tuple[int, int], blur: float) -> Array:
    """(256, 256): 1 within, 0 outside."""
    inside = np.zeros((FACE_SIZE, FACE_SIZE), dtype=np.float32)
    cv2.ellipse(inside, HEAD[0], half, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(inside, (0, 0), blur), dtype=np.float32)


_DESIGN = _design()
_HEAD_WEIGHT = BESIDE + (1 - BESIDE) * _ellipse(HEAD[1], 6)
_BEHIND_WEIGHT = np.maximum(1 + BESIDE - _HEAD_WEIGHT, 0)
_HEAD_CELLS = _small(_ellipse(MOVED, 5))[..., None]  # where it goes over from head to behind
