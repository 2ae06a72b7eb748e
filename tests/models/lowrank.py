"""Drawn faces of a few dimensions, which a prior of as many eigenfaces must solve exactly."""

from __future__ import annotations

import numpy as np

SIZE = 16
CHROMA = 8
RANK = 3


def low_rank_faces(n: int, seed: int, side: int = SIZE) -> np.ndarray:
    """Sums of three smooth patterns; with their mirror images they span six dimensions."""
    y, x = np.mgrid[0:side, 0:side] / side
    patterns = np.stack([np.cos(3 * x + y), np.sin(4 * y - x), np.cos(5 * x * y)])
    colours = np.array([[1, 0.6, 0.2], [0.3, 1, 0.5], [0.7, -0.4, 1]])
    basis = patterns[..., None] * colours[:, None, None]  # (3, side, side, 3)
    amounts = np.random.default_rng(seed).uniform(-35, 35, (n, RANK))
    return np.rint(127 + np.tensordot(amounts, basis, 1)).astype(np.uint8)


def turned_heads(n: int, seed: int, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """A ridge that stands aside by as much as the head is turned: faces (n, ...), turns (n,).

    Where it stands is no sum of patterns, so that one Gaussian needs many eigenfaces for it.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / (side - 1)
    turns = rng.uniform(-0.8, 0.8, n)
    faces = []
    for turn in turns:
        height, slope, ground = rng.uniform(60, 120), rng.uniform(-0.4, 0.4), rng.uniform(40, 90)
        ridge = np.exp(-np.square((x - 0.5 - 0.4 * turn) / 0.12)) * (1 + slope * (y - 0.5))
        faces.append(np.repeat((ground + height * ridge)[..., None], 3, axis=2))
    return np.rint(np.stack(faces)).astype(np.uint8), turns.astype(np.float32)
