"""An occluder into a photo: its light, its shadow, and the camera's blur and noise on both."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np

from unveil.errors import ImageError
from unveil.imaging import Photo, check_photo
from unveil.occlusion.light import GREY, estimate, head, shadow, shine_on
from unveil.occlusion.objects.layer import Array, Layer

SHARP = 0.5  # pixels: the blur of the drawn layers themselves
MOST = 2.5  # pixels: more blur than this is a picture of nothing
LEAST = 1 / 255  # an alpha below this changes no pixel


def compose(face: Photo, layer: Layer, rng: np.random.Generator) -> tuple[Photo, Array]:
    """Put an occluder on an aligned face.

    Args:
        face: (S, S, 3) uint8 RGB.
        layer: of the same size.

    Returns:
        The photo, (S, S, 3) uint8, and the occluder mask, (S, S) float32 in [0, 1]: how much of
        each pixel is occluder; all 0 for a clear layer. Where it is 0 and the layer is not clear,
        only the cast shadow changes the face.

    Raises:
        ImageError: the face is no photo, or not of the layer's size.
    """
    if check_photo(face).shape[:2] != layer.alpha.shape:
        raise ImageError(f"a layer of {layer.alpha.shape} on a face of {face.shape[:2]}")
    photo, mask = face.copy(), np.zeros_like(layer.alpha)
    light, (sigma, noise) = estimate(face), camera(face)
    strength = 0.0 if layer.lift == 0 else rng.uniform(0.25, 0.6)
    shine = shine_on(light, rng.uniform(0.5, 1.0)) * np.float32(rng.uniform(0.85, 1.04))
    at = _window(layer, sigma)
    if at is not None:
        colour = _fade(layer.colour[at], light.colourful)
        lit = _light_up(colour, layer.alpha[at], shine, at, face.shape[0])
        lit, alpha = _blur(lit, layer.alpha[at], sigma)
        if noise > 0.2:
            lit = _add_grain(lit, alpha * np.float32(noise), _grain(2 * face.shape[0]), rng)
        dark = shadow(alpha, layer.lift * face.shape[0], light, strength)
        dark *= head(face.shape[0])[at]  # what lies far behind the head gets no shadow
        left = (1 - alpha) * (1 - dark)
        under = face[at]
        # cv2.add rounds and clips while it converts.
        mixed = [cv2.add(under[..., k] * left, lit[k], dtype=cv2.CV_8U) for k in range(3)]
        photo[at] = cv2.merge(mixed)
        if not layer.clear:
            mask[at] = alpha
    return photo, mask


def _window(layer: Layer, sigma: float) -> tuple[slice, slice] | None:
    """Rows and columns that an occluder, blurred, and its shadow can touch; None if it is empty."""
    size = layer.alpha.shape[0]
    x, y, width, height = cv2.boundingRect((layer.alpha >= LEAST).view(np.uint8))
    if width == 0:
        return None
    margin = int(np.ceil(3 * sigma + 0.02 * size + 2.2 * layer.lift * size)) + 2
    rows = slice(max(0, y - margin), min(size, y + height + margin))
    return rows, slice(max(0, x - margin), min(size, x + width + margin))


def _fade(colour: Array, colourful: float) -> Array:
    """In a black and white photo the occluder is so, too."""
    if colourful == 1:
        return colour
    to_grey = np.tile(GREY, (3, 1)) * (1 - colourful) + np.eye(3) * colourful
    return cast(Array, cv2.transform(np.ascontiguousarray(colour), to_grey.astype(np.float32)))


def _light_up(
    colour: Array, alpha: Array, shine: Array, at: tuple[slice, slice], size: int
) -> list[Array]:
    """The three channels of the lit occluder, premultiplied by alpha: no colour from where it is
    not can bleed in when it is blurred."""
    fine = cv2.resize(shine, (size, size), interpolation=cv2.INTER_LINEAR)[at]
    lit = cv2.multiply(colour, fine)
    return [cast(Array, lit[..., k] * alpha) for k in range(3)]


def _blur(lit: list[Array], alpha: Array, sigma: float) -> tuple[list[Array], Array]:
    """Blur the occluder as much as the photo is more blurred than it."""
    more = float(np.sqrt(max(0.0, sigma**2 - SHARP**2)))
    if more > 0.25:
        lit = [cast(Array, cv2.GaussianBlur(c, (0, 0), more)) for c in lit]
        alpha = cast(Array, np.minimum(cv2.GaussianBlur(alpha, (0, 0), more), 1))
    faint = alpha < LEAST
    alpha = np.where(faint, np.float32(0), alpha)
    for c in lit:
        c[faint] = 0
    return lit, alpha


def _add_grain(
    lit: list[Array], amount: Array, noise: Array, rng: np.random.Generator
) -> list[Array]:
    height, width = amount.shape
    dx, dy = rng.integers(0, noise.shape[0] // 2, 2)
    grain = noise[dy : dy + height, dx : dx + width] * amount
    return [c + grain for c in lit]


def camera(face: Photo) -> tuple[float, float]:
    """How blurred a face is (deviation of a Gaussian, pixels) and how noisy (grey levels)."""
    side = face.shape[0]
    middle = face[side // 4 : side - side // 8, side // 4 : side - side // 4]
    grey = cv2.cvtColor(np.ascontiguousarray(middle), cv2.COLOR_RGB2GRAY).astype(np.float32)
    # Immerkaer's operator is blind to straight edges, and the median to what else has structure.
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    rough = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel)[::2, ::2]).ravel()
    noise = float(np.partition(rough, rough.size // 2)[rough.size // 2]) / 6 / 0.6745
    gx, gy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    steep = (gx * gx + gy * gy).ravel() / np.float32(64)
    curved = cv2.Laplacian(grey, cv2.CV_32F).ravel()
    # Over an edge blurred by sigma, the mean of slope^4 is 4 sigma^2 that of slope^2 curvature^2.
    ratio = float(steep @ steep) / (float(steep @ (curved * curved)) + 1e-3)
    return float(np.clip(np.sqrt(ratio) / 2, 0.3, MOST)), min(noise, 12.0)


@lru_cache(maxsize=4)
def _grain(size: int) -> Array:
    """Noise of deviation 1 whose grains are a little larger than a pixel, as JPEG leaves them."""
    rng = np.random.Generator(np.random.PCG64(7))
    soft = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), 0.6)
    return cast(Array, soft / soft.std())
