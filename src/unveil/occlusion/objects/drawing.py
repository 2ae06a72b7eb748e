"""Placing, outlining and shading drawn occluders.

Families draw on a head that looks straight, in the units of the canonical 256x256 frame, whatever
the size of the result: `Pose` carries points and pixels between those units and the image, with the
turn of the head and some jitter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.occlusion.objects.head import FURTHEST, Head, Turned
from unveil.occlusion.objects.layer import Array, Layer

Field = NDArray[Any]  # of floats: what numpy says of float32 with a Python float varies
Points = Sequence[Sequence[float]] | NDArray[Any]
UNIT = 256  # side of the frame in which families are drawn
MIDDLE = (128.0, 155.0)  # of the face: what a pose turns around
# Radians: how far heads are turned whose turn nobody told, and how wrong a told one may be.
UNKNOWN, UNSURE = 0.2, 0.08


@dataclass(frozen=True)
class Pose:
    """Where the head is: a homography from units to pixels, after a turn to the side.

    It looks through a window: only the part of the image where something is drawn is computed.

    Attributes:
        size: side of the image, pixels.
        matrix: (3, 3) float64, units -> pixels of the window.
        head: the turn to the side.
        window: left, top, width, height of the window in the image, pixels.
    """

    size: int
    matrix: NDArray[np.float64]
    head: Turned
    window: tuple[int, int, int, int]

    def around(self, *outlines: Points) -> Pose:
        """The same pose seen through a window that just holds these points in units."""
        at = np.concatenate([self.points(outline) for outline in outlines])
        low, high = np.floor(at.min(axis=0)) - 4, np.ceil(at.max(axis=0)) + 5
        # At least 2x2 pixels, inside the image.
        left, top = (int(min(max(v, 0), self.size - 2)) for v in low)
        right, bottom = (int(min(max(v, 2), self.size)) for v in high)
        right, bottom = max(right, left + 2), max(bottom, top + 2)
        move = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], dtype=np.float64)
        window = (left, top, right - left, bottom - top)
        return Pose(self.size, move @ self.matrix, self.head, window)

    def points(self, xy: Points) -> Array:
        """(N, 2) points in units -> pixels of the window, float32."""
        at = np.array(xy, dtype=np.float64)
        at[:, 0] = MIDDLE[0] + self.head.forth(at[:, 0] - MIDDLE[0])
        moved = cv2.perspectiveTransform(at[None], self.matrix)[0]
        return cast(Array, moved.astype(np.float32))

    def grid(self, step: int = 1) -> tuple[Array, Array]:
        """x and y in units of every pixel's centre: two (height, width) float32.

        Args:
            step: asks for the coarse grid of `enlarge`, whose points lie `step` pixels apart.
        """
        # Smooth over a few pixels, so a coarse grid that is enlarged is exact enough, and fast.
        _, _, width, height = self.window
        coarse = step if step > 1 else max(1, self.size // 32)
        columns, rows = (
            (np.arange(-(-n // coarse) + 2, dtype=np.float64) - 0.5) * coarse - 0.5
            for n in (width, height)
        )
        at = np.stack(np.meshgrid(columns, rows), axis=-1)
        back: Field = cv2.perspectiveTransform(at, np.linalg.inv(self.matrix))
        back[..., 0] = MIDDLE[0] + self.head.back(back[..., 0] - MIDDLE[0])
        x, y = (np.ascontiguousarray(back[..., k], dtype=np.float32) for k in (0, 1))
        return (x, y) if step > 1 else (self.enlarge(x, coarse), self.enlarge(y, coarse))

    def enlarge(self, coarse: Array, step: int) -> Array:
        """Values at `grid(step)` -> values at all pixels: (height, width) float32."""
        # cv2.resize puts sample i at pixel (i + 0.5) * step - 0.5; the first `step` are margin.
        _, _, width, height = self.window
        rows, columns = coarse.shape
        full = cv2.resize(coarse, (columns * step, rows * step), interpolation=cv2.INTER_LINEAR)
        return cast(Array, full[step : step + height, step : step + width])


def to_pixels(size: int) -> NDArray[np.float64]:
    """Units -> pixels of an image of this side, (3, 3)."""
    scale = size / UNIT
    # cv2 counts pixels from their centres.
    return np.array([[scale, 0, -0.5], [0, scale, -0.5], [0, 0, 1]])


def jitter(rng: np.random.Generator, head: Head) -> Pose:
    """A pose near the head's own: scale 10 %, shift 4 % of the side, 8 degrees, a slight turn.

    The numbers are limits; most draws lie well inside.
    """
    size = head.size
    grow_x, grow_y = (1 + 0.1 * rng.triangular(-1, 0, 1)) * np.array(
        [1, rng.uniform(1 - 0.03, 1 + 0.03)]
    )
    shift = rng.triangular(-0.04, 0, 0.04, 2) * UNIT
    angle = np.deg2rad(rng.triangular(-8, 0, 8))
    off = rng.normal(0, UNKNOWN if head.turn is None else UNSURE)
    aside = float(np.clip((head.turn or 0.0) + off, -FURTHEST, FURTHEST))
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = MIDDLE
    to_middle = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]], dtype=np.float64)
    # Alignment enlarges a turned face, whose eyes stand closer together.
    grow_x, grow_y = np.array([grow_x, grow_y]) / (0.55 + 0.45 * np.cos(aside))
    turn = np.array([[grow_x * cos, -grow_y * sin, 0], [grow_x * sin, grow_y * cos, 0], [0, 0, 1]])
    turn[2, :2] = [np.sin(aside) * 4e-4, rng.uniform(-2e-4, 2e-4)]  # the farther side is smaller
    back = np.array([[1, 0, x + shift[0]], [0, 1, y + shift[1]], [0, 0, 1]])
    matrix = to_pixels(size) @ back @ turn @ to_middle
    return Pose(size, matrix, Turned(aside), (0, 0, size, size))


def smooth(points: Points, closed: bool = True) -> Array:
    """A Catmull-Rom spline through (N, 2) points, 8 steps between two: (8 N, 2) float32."""
    at = np.asarray(points, dtype=np.float32)
    if not closed:  # led on at both ends, so that the first and last span have neighbours
        at = np.concatenate([2 * at[:1] - at[1:2], at, 2 * at[-1:] - at[-2:-1]])
    n = len(at)
    first = np.arange(n if closed else n - 3)[:, None] - (1 if closed else 0)
    spans = at[(first + np.arange(4)) % n]  # (spans, 4, 2)
    curve = (_catmull_rom() @ spans).reshape(-1, 2)
    return cast(Array, curve if closed else np.concatenate([curve, at[-2:-1]]))


@lru_cache
def _catmull_rom() -> Array:
    """Weights of four neighbours at 8 steps between the middle two: (8, 4) float32."""
    t = np.linspace(0, 1, 8, endpoint=False, dtype=np.float32)
    weights = [
        -t + 2 * t**2 - t**3,
        2 - 5 * t**2 + 3 * t**3,
        t + 4 * t**2 - 3 * t**3,
        -(t**2) + t**3,
    ]
    return cast(Array, np.float32(0.5) * np.stack(weights, axis=1))


def fill(pose: Pose, *outlines: NDArray[Any]) -> Array:
    """The inside of closed outlines in units, antialiased: (height, width) float32 in [0, 1].

    A second outline inside the first is a hole.
    """
    canvas = _canvas(pose)
    fixed = [_fixed(pose.points(outline)) for outline in outlines]
    cv2.fillPoly(canvas, fixed, 255, cv2.LINE_AA, shift=4)
    return _halve(canvas)


def line(pose: Pose, curves: Sequence[NDArray[Any]], width: float) -> Array:
    """Open curves in units drawn `width` units thick: (height, width) float32 in [0, 1]."""
    canvas = _canvas(pose)
    thick = max(1, round(2 * width * pose.size / UNIT))
    ends = np.cumsum([len(curve) for curve in curves])[:-1]
    fixed = np.split(_fixed(pose.points(np.concatenate(curves))), ends)
    cv2.polylines(canvas, fixed, False, 255, thick, cv2.LINE_AA, shift=4)
    return _halve(canvas)


def _canvas(pose: Pose) -> NDArray[np.uint8]:
    return np.zeros((2 * pose.window[3], 2 * pose.window[2]), np.uint8)


def _fixed(pixels: Array) -> NDArray[np.int32]:
    # Twice as large, in sixteenths; far points would overflow cv2's fixed-point numbers.
    doubled = np.minimum(np.maximum(pixels * 2 + 0.5, -4000), 6000)
    return cast(NDArray[np.int32], np.rint(doubled * 16).astype(np.int32))


def _halve(canvas: NDArray[np.uint8]) -> Array:
    half = cv2.resize(canvas, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cast(Array, half.astype(np.float32) / np.float32(255))


def sample(tile: Field, x: Field, y: Field, wrap: bool = True) -> Array:
    """`tile` (H, W[, C]) at float32 positions x, y in its pixels; repeats, or is 0 outside."""
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_CONSTANT
    return cast(Array, cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=border))


def look_up(profile: Field, at: Field) -> Array:
    """A curve given at equal steps over [0, 1], read at `at` (clipped): float32 of its shape."""
    last = len(profile) - 1
    return cast(Array, profile[np.clip(at * last + 0.5, 0, last).astype(np.uint16)])


def bump(at: Field, middle: float, width: float) -> Array:
    """1 at `middle`, falling to 0 at a distance of `width`, smoothly: float32."""
    off = (at - np.float32(middle)) * np.float32(1 / width)
    near = np.maximum(1 - off * off, 0)
    return cast(Array, near * near)


def ramp(at: Field, low: float, high: float) -> Array:
    """0 at `low`, 1 at `high` (which may be the smaller), linear and clipped between: float32."""
    risen = (at - np.float32(low)) * np.float32(1 / (high - low))
    return cast(Array, np.minimum(np.maximum(risen, 0), 1))  # np.clip takes twice as long


@lru_cache
def _normals(kind: str) -> Array:
    """(256, 256, 3) float32 unit normals of a smooth head in units; z looks at the viewer."""
    y, x = np.mgrid[0:UNIT, 0:UNIT].astype(np.float32)

    def dome(cx: float, cy: float, a: float, b: float, high: float) -> Array:
        inside = np.maximum(0.03, 1 - ((x - cx) / a) ** 2 - ((y - cy) / b) ** 2)
        return cast(Array, high * np.sqrt(inside))

    def hill(cx: float, cy: float, a: float, b: float, high: float) -> Array:
        return cast(Array, high * np.exp(-(((x - cx) / a) ** 2) - ((y - cy) / b) ** 2))

    if kind == "lower":  # a cloth over nose, cheeks and chin
        height = (
            dome(128, 165, 84, 112, 62) + hill(128, 162, 20, 26, 15) + hill(128, 224, 30, 14, 7)
        )
    elif kind == "cup":
        height = dome(128, 190, 66, 66, 48)
    else:  # "skull": a head with a hat
        height = dome(128, 110, 108, 128, 95)
    soft = cv2.GaussianBlur(height, (0, 0), 4)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(soft, cv2.CV_32F, 0, 1) / 8
    normals = np.stack([-gx, -gy, np.ones_like(gx)], axis=-1)
    return cast(Array, normals / np.linalg.norm(normals, axis=-1, keepdims=True))


def volume(rng: np.random.Generator, kind: str, pose: Pose, ambient: float = 0.45) -> Array:
    """Shading of a smooth head under a light from above and a little aside: about 0.5 to 1.1.

    Args:
        kind: "lower" (nose, cheeks, chin), "cup" (a respirator) or "skull" (a hat).
        ambient: the part of the light that comes from everywhere.
    """
    light = np.array([rng.normal(0, 0.3), rng.uniform(-0.75, -0.25), 1.0], dtype=np.float32)
    light /= np.linalg.norm(light)
    step = max(2, pose.size // 64)
    x, y = pose.grid(step)
    normals = cv2.remap(_normals(kind), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    facing = np.maximum(normals @ light, 0)
    shade = (ambient + (1 - ambient) * facing) / (ambient + (1 - ambient) * 0.9)
    return pose.enlarge(shade, step)


def rounded(pose: Pose, alpha: Field, radius: float, depth: float) -> Array:
    """A factor 1 - depth..1 that darkens the rim of a shape, as the edge of something thick."""
    k = 2 * max(1, round(radius * pose.size / UNIT)) + 1
    near = cv2.blur(alpha, (k, k))
    return cast(Array, 1 - np.float32(depth) * np.clip(2 - 2 * near, 0, 1))


def blend(base: Field, other: Field, weight: Field) -> Array:
    """base + weight * (other - base): colours (3,) or (H, W, 3), weight (H, W) -> (H, W, 3)."""
    # Channel by channel: numpy is several times slower where the last axis has length 3.
    return cast(
        Array,
        cv2.merge([base[..., k] + weight * (other[..., k] - base[..., k]) for k in range(3)]),
    )


def lay_over(below: Field, colour: Field, alpha: Field, top: Field) -> tuple[Array, Array]:
    """Colour and alpha of something with `colour` and `alpha` over bands of colour `below`, `top`.

    Args:
        below: (3,) the colour of what lies behind.
        colour: (H, W, 3) of what lies in front; alpha: (H, W).
        top: (H, W) alpha of what lies behind.
    """
    show = top * (1 - alpha)
    return blend(colour, below, (show > 0.01).astype(np.float32)), alpha + show


def dress(colour: Field, shade: Field) -> Array:
    """`colour`, (3,) or (H, W, 3) RGB, under `shade` (H, W): (H, W, 3) float32, 0..255."""
    lit = cv2.merge([np.minimum(shade * colour[..., k], 255) for k in range(3)])
    return cast(Array, lit)


def finish(pose: Pose, colour: Field, alpha: Field, lift: float) -> Layer:
    """What was drawn in the window, as a layer of the whole image."""
    left, top, width, height = pose.window
    if (width, height) == (pose.size, pose.size):
        return Layer(colour, alpha, lift)
    whole = np.zeros((pose.size, pose.size, 3), np.float32)
    hidden = np.zeros((pose.size, pose.size), np.float32)
    whole[top : top + height, left : left + width] = colour
    hidden[top : top + height, left : left + width] = alpha
    return Layer(whole, hidden, lift)
