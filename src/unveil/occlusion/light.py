"""Light of the photo on the occluder, and the occluder's shadow on the face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np

from unveil.imaging import LUMA, Photo
from unveil.occlusion.objects.layer import Array

COARSE = 16  # the face's light is estimated on so many squares a side
FAINT = 10.0  # grey levels between the channels: a photo with less is toned, or black and white
BRIGHT = 240.0  # what the brightest tenth of a well lit face measures
GREY = LUMA.astype(np.float32)  # as all that it is multiplied with
# Where skin is bare: left, top, right and lower edge, of the canonical frame's side.
BARE = ((0.4, 0.36, 0.6, 0.43), (0.46, 0.52, 0.54, 0.62), (0.31, 0.59, 0.41, 0.68),
        (0.59, 0.59, 0.69, 0.68))  # fmt: skip
RIDGE = np.diag([1e-5, 2e-4, 5e-4]).astype(np.float32)
SKIN = np.array([1.22, 0.95, 0.83], dtype=np.float32)  # skin under neutral light, mean 1


@dataclass(frozen=True)
class Light:
    """How a face is lit.

    Attributes:
        gain: (3,) float32: what white measures here, as a part of 255: exposure and colour cast.
        slope: log brightness gained from the left to the right side, and from the top down.
        colourful: 0 for a black and white photo, 1 for one in usual colours.
        field: (16, 16) float32, mean about 1: where on the face the light is stronger or weaker.
        skin: (3,) float32, RGB 0..255: the colour of the skin, as it were under neutral light.
    """

    gain: Array
    slope: tuple[float, float]
    colourful: float
    field: Array
    skin: Array


@lru_cache
def _oval() -> tuple[Array, Array]:
    """Weight of each coarse square as skin, sum 1: (256,); and 1, x, y of it: (256, 3) float32."""
    y, x = (np.mgrid[0:COARSE, 0:COARSE].astype(np.float32) + 0.5) / COARSE - 0.5
    weight = np.exp(-(((x / 0.2) ** 2 + ((y - 0.1) / 0.26) ** 2) ** 2)).ravel()
    basis = np.stack([np.ones_like(x), x, y], axis=-1).reshape(-1, 3)
    return weight / weight.sum(), basis


def estimate(face: Photo) -> Light:
    """The light on a face, (S, S, 3) uint8, in the canonical frame.

    Skin and light cannot be told apart exactly: exposure is read off the brightest parts of the
    face (eyes, teeth, shine), which dark skin has too.
    """
    small = cv2.resize(face, (COARSE, COARSE), interpolation=cv2.INTER_AREA).astype(np.float32)
    small = small.reshape(-1, 3)
    oval, basis = _oval()
    side = face.shape[0]
    middle = face[side // 3 : side - side // 6 : 3, side // 4 : side - side // 4 : 3].max(axis=2)
    bright = float(np.partition(middle.ravel(), middle.size * 93 // 100)[middle.size * 93 // 100])
    skin = oval @ small
    mean = float(skin.mean())
    exposure = min(max((0.75 * bright + 0.45 * mean) / BRIGHT, 0.05), 1.0)
    # Half of how the skin departs from usual skin is taken for the light's colour.
    tint = np.sqrt(np.clip((skin + 4) / (mean + 4) / SKIN, 0.6, 1.5))
    gain = exposure * tint / tint.mean()

    log = np.log(small @ GREY + 12)
    log -= oval @ log
    weight = oval * np.exp(log * log * -4)  # hair, eyes, open mouths count little
    weighted = basis * weight[:, None]
    # Ridge: where little skin is to be seen, the light is flat.
    _, across, down = np.linalg.solve(weighted.T @ basis + RIDGE, weighted.T @ log)
    across, down = (min(max(float(v), -1.6), 1.6) for v in (across, down))
    slopes = np.array([-0.06 * down, across, 0.6 * down], dtype=np.float32)
    field = np.exp(np.clip(basis @ slopes, -0.7, 0.35)).reshape(COARSE, COARSE)
    colourful = min(float((small.max(axis=1) - small.min(axis=1)).mean()) / FAINT, 1.0)
    own = np.clip(_skin(face) / gain, 0, 255).astype(np.float32)
    return Light(gain.astype(np.float32), (across, down), colourful, field, own)


def _skin(face: Photo) -> Array:
    """The colour of most of the forehead, the nose and both cheeks, (3,) float32."""
    side = face.shape[0]
    parts = []
    for box in BARE:
        left, top, right, down = (int(edge * side) for edge in box)
        parts.append(face[top:down:2, left:right:2].reshape(-1, 3))
    return cast(Array, np.median(np.concatenate(parts), axis=0).astype(np.float32))


@lru_cache(maxsize=4)
def head(size: int) -> Array:
    """1 where the head and neck are in the canonical frame, 0 far from them: (size, size)."""
    y, x = (np.mgrid[0:size, 0:size].astype(np.float32) + 0.5) / size - 0.5
    r = np.sqrt((x / 0.3) ** 2 + (np.maximum(0, np.abs(y - 0.05) - 0.1) / 0.32) ** 2)
    return cast(Array, np.clip((1.25 - r) * 4, 0, 1).astype(np.float32))


def shine_on(light: Light, strength: float) -> Array:
    """What to multiply a colour under neutral light with, on a coarse grid: (16, 16, 3) float32.

    Args:
        strength: 0 leaves where the light falls to the occluder, 1 takes it all from the face.
    """
    field = 1 + np.float32(strength) * (light.field - 1)
    return cast(Array, field[..., None] * light.gain)


def shadow(alpha: Array, far: float, light: Light, strength: float) -> Array:
    """How much light an occluder takes from what lies behind it: (H, W) float32 in [0, 1].

    A shadow that falls away from the light, as far and as soft as the occluder stands off, and a
    thin dark line of contact.

    Args:
        alpha: (H, W) of the occluder, or of the part of the image that holds it.
        far: how far it stands off, pixels.
        strength: how dark the shadow is, 0..1.
    """
    height, width = alpha.shape
    if strength == 0:
        return np.zeros_like(alpha)
    across, down = light.slope
    # At half size: it is soft, and this runs for every training face.
    small = cv2.resize(alpha, (-(-width // 2), -(-height // 2)), interpolation=cv2.INTER_AREA)
    move = np.eye(2, 3, dtype=np.float32)
    move[0, 2] = -0.5 * far * np.clip(1.2 * across, -1, 1)
    move[1, 2] = 0.5 * far * (0.75 - 0.4 * np.clip(down, -1, 1))
    size = (small.shape[1], small.shape[0])
    fallen = cv2.warpAffine(small, move, size, borderMode=cv2.BORDER_REPLICATE)
    fallen = cv2.GaussianBlur(fallen, (0, 0), max(0.6, 0.28 * far))
    contact = cv2.GaussianBlur(small, (0, 0), 0.8)
    dark = np.maximum(fallen, np.float32(0.55) * contact) * np.float32(strength)
    dark = cv2.resize(dark, (width, height), interpolation=cv2.INTER_LINEAR)
    dark[dark < 0.004] = 0  # under a grey level: the photo stays as it is
    return cast(Array, dark)
