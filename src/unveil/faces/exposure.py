"""Shows dark faces to the networks in a usual light.

What a prior makes of a quarter of the light is a face in a usual one, and what the networks see
there is hair and shadow: fills glowed, and occluders were missed (docs/log.md, 2026-12-01). A gain
of the stored values is one of the light as well, for sRGB is nearly a power of it.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import FACE_SIZE, Mask, Photo

# The brightest channel of the brightest twentieth of a face begins at 233 of 255 as a rule, and at
# over 100 in each of CelebA's 1,000 test faces. From 100 down to 66 the gain sets in, which brings
# it to 175; none is over 16. Brightest channel: light of one colour is not dark.
USUAL, BEGINS, WHOLE, MOST = 175, 100, 66, 16.0
# Up to here it is a gain; all that is brighter shares what is left, so that none of it is lost.
KNEE = 224
# Middle and half axes of the skin in the frame: neither hair, hat nor a bright wall says how dark
# the face is. Of fewer known pixels than the first of these nothing does, of the second, all.
MIDDLE, AXES, KNOWN = (128, 160), (52, 62), (1000, 3000)
# So many rows and columns of a whole photo say how dark it is.
SAMPLED = 256


def gains(faces: Photo, masks: Mask | None = None) -> NDArray[np.float64]:
    """How much brighter each aligned face is to be shown.

    Args:
        faces: (N, 256, 256, 3) uint8 RGB.
        masks: (N, 256, 256) bool, True = hidden; known skin says how dark the face is. None: what
            is hidden is not known, and it may be dark: the whole frame says it.

    Returns:
        (N,), 1 for all that are bright enough.
    """
    if masks is None:
        return np.array([_gain(face.reshape(-1, 3)) for face in faces])
    return np.array([_gain_of_skin(*each) for each in zip(faces, masks, strict=True)])


def lit(faces: Photo, by: NDArray[np.float64]) -> Photo:
    """(N, S, S, 3) uint8 as they are to be shown; the faces themselves where all gains are 1."""
    return _through(faces, [_to_light(gain) for gain in by]) if (by != 1).any() else faces


def unlit(faces: Photo, by: NDArray[np.float64]) -> Photo:
    """What a network makes of faces that were `lit`, in the light of their photos."""
    return _through(faces, [_from_light(gain) for gain in by]) if (by != 1).any() else faces


def brightened(photo: Photo) -> Photo | None:
    """A dark photo, (H, W, 3) uint8, in a usual light; None: it is bright enough."""
    down, across = (max(1, length // SAMPLED) for length in photo.shape[:2])
    gain = _gain(photo[::down, ::across].reshape(-1, 3))
    return None if gain == 1 else np.asarray(cv2.LUT(photo, _to_light(gain)), np.uint8)


def _gain_of_skin(face: Photo, hidden: Mask) -> float:
    skin = face[_skin() & ~hidden]
    least, enough = KNOWN
    told = min(max((len(skin) - least) / (enough - least), 0.0), 1.0)
    return 1 + told * (_gain(skin) - 1) if told else 1.0


def _gain(colours: NDArray[np.uint8]) -> float:
    """That of pixels, (n, 3)."""
    darker = np.cumsum(np.bincount(colours.max(axis=1), minlength=256))
    bright = max(1, int(np.searchsorted(20 * darker, 19 * len(colours))))
    share = min(max((BEGINS - bright) / (BEGINS - WHOLE), 0.0), 1.0)
    return 1 + share * (min(USUAL / bright, MOST) - 1)


def _to_light(gain: float) -> NDArray[np.uint8]:
    """What each value is shown as."""
    values, knee = np.arange(256), KNEE / gain
    above = KNEE + (values - knee) * ((255 - KNEE) / (255 - knee))
    return np.rint(np.where(values <= knee, values * gain, above)).astype(np.uint8)


def _from_light(gain: float) -> NDArray[np.uint8]:
    values, knee = np.arange(256), KNEE / gain
    above = knee + (values - KNEE) * ((255 - knee) / (255 - KNEE))
    return np.rint(np.where(values <= KNEE, values / gain, above)).astype(np.uint8)


def _through(faces: Photo, tables: list[NDArray[np.uint8]]) -> Photo:
    return np.stack([cv2.LUT(*each) for each in zip(faces, tables, strict=True)])


@lru_cache
def _skin() -> Mask:
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    (middle_x, middle_y), (across, down) = MIDDLE, AXES
    inside = ((x - middle_x) * down) ** 2 + ((y - middle_y) * across) ** 2 <= (across * down) ** 2
    return np.asarray(inside, np.bool_)
